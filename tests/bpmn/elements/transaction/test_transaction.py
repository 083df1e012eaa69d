"""Transaction: completes, is cancelled and undone, also with open work; a hazard leaves it uncompensated."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("completes", "a", (do("a", "z"), do("z", DONE))),
    Case(
        "cancelled",
        "a",
        (do("a", "b"), do("b", "undo_a undo_b"), do("undo_a", "undo_b"), do("undo_b", "h"), do("h", DONE)),
    ),
    Case("cancelled_with_open_work", "a b", (do("a", "undo_a"), do("undo_a", "h"), do("h", DONE))),
    Case("hazard", "a", (do("a", "u"), do("u", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_transaction(case: Case) -> None:
    check_all(__file__, case)
