"""Sequence flows of activities: conditions, the default, several at once."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("from_a_task", "t", (do("t", "a b", x=2), do("a", "b"), do("b", DONE))),
    Case("from_a_task", "t", (do("t", "a", x=1), do("a", DONE))),
    Case("from_a_task", "t", (do("t", "c", x=0), do("c", DONE))),
    Case("default_beside", "t", (do("t", "a c", x=1), do("c", "a"), do("a", DONE))),
    Case("default_beside", "t", (do("t", "a b", x=2), do("b", "a"), do("a", DONE))),
    Case("implicit_fork", "t", (do("t", "a b"), do("b", "a"), do("a", DONE))),
    Case("no_condition_holds", "t", (do("t", DONE, x=0),)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sequence_flow(case: Case) -> None:
    check_all(__file__, case)
