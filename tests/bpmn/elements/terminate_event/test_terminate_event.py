"""Terminate end event: everything in its scope, only its scope, with listeners and open work."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, signal

CASES = (
    Case("everything_beside", "a b", (do("a", DONE),)),
    Case("everything_beside", "a b", (do("b", "a"), do("a", DONE))),
    Case("only_its_scope", "a b", (do("a", "z"), do("z", DONE))),
    Case("with_listeners_and_work", "a job:w signal:S1", (signal("S1", "a h job:w signal:S1"), job("w", "a b h signal:S1"), do("a", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_terminate_event(case: Case) -> None:
    check_all(__file__, case)
