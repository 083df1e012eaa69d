"""Execution listeners: before and after a task, a subprocess, events; each holds its element up."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, signal

CASES = (
    Case("on_a_task", "job:a", (job("a", "a", x=1), do("a", "job:a"), job("a", "z"), do("z", DONE))),
    Case("on_a_subprocess", "job:sp", (job("sp", "a signal:S1"), do("a", "job:sp signal:S1"), job("sp", DONE))),
    Case("on_a_subprocess", "job:sp", (job("sp", "a signal:S1"), do("a", "job:sp signal:S1"), signal("S1", "h"), do("h", DONE))),
    Case("on_events", "job:s", (job("s", "a"), do("a", "job:e"), job("e", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_execution_listener(case: Case) -> None:
    check_all(__file__, case)
