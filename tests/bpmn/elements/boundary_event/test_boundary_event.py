"""Boundary events: two on one activity, on a pending job, on nested hosts."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, signal, wait

CASES = (
    Case("both", "a", (wait("a remind", days=1), wait("late remind", days=1), do("late", "remind"), do("remind", DONE))),
    Case("both", "a", (wait("a remind", days=1), do("a", "remind"), do("remind", DONE))),
    Case("on_a_job", "job:w signal:S1", (signal("S1", "h"), do("h", DONE))),
    Case("on_a_job", "job:w signal:S1", (job("w", DONE),)),
    Case("on_nested_hosts", "a signal:S1 signal:S2", (signal("S2", "hi signal:S1"), signal("S1", "ho"), do("ho", DONE))),
    Case("on_nested_hosts", "a signal:S1 signal:S2", (signal("S2", "hi signal:S1"), do("hi", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_boundary_event(case: Case) -> None:
    check_all(__file__, case)
