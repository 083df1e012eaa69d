"""Start events: which of several, and what came with it."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("several", "a", (do("a", DONE),), start="s"),
    Case("several", "b", (do("b", DONE),), start="ms"),
    Case("mapped", "a", (do("a", DONE),), {"given": 1}, {"given": 1, "case": 2}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_start_event(case: Case) -> None:
    check_all(__file__, case)
