"""Escalation events: throw and end, to boundary and event subprocess, interrupting or not; uncaught; from a person."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, escalate

CASES = (
    Case("end_to_boundary", "a", (do("a", "h"), do("h", DONE))),
    Case("end_to_boundary_beside", "a", (do("a", "h z"), do("z", "h"), do("h", DONE))),
    Case("end_to_event_subprocess", "a", (do("a", "h"), do("h", DONE))),
    Case("end_to_event_subprocess_beside", "a", (do("a", "h"), do("h", DONE))),
    Case("throw_to_boundary", "a", (do("a", "h"), do("h", DONE))),
    Case("throw_to_boundary_beside", "a", (do("a", "h y"), do("y", "h z"), do("h", "z"), do("z", DONE))),
    Case("throw_to_event_subprocess", "a", (do("a", "h"), do("h", DONE))),
    Case("throw_to_event_subprocess_beside", "a", (do("a", "h y"), do("y", "h"), do("h", DONE))),
    Case("uncaught", "a", (do("a", "y"), do("y", DONE))),
    Case("from_a_task", "a", (escalate("a", "X1", "a h"), escalate("a", "X1", "a h h"), do("h", "a h"), do("a", "h"), do("h", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_escalation_event(case: Case) -> None:
    check_all(__file__, case)
