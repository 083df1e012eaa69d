"""Receive task: its message, its mappings, a deadline, one for each of several keys."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, message, put, retry, wait

CASES = (
    Case("receive", "message:r", (message("r", "a", paper="W01"), do("a", DONE)), {"key": "C1"}, {"key": "C1", "paper": "W01"}),
    Case("receive", "!r", (put("!r", key="C1"), retry("r", "message:r"), message("r", "a"), do("a", DONE))),
    Case("mapped", "message:r", (message("r", DONE, no="W01", noise=1),), {"caseId": 7}, {"caseId": 7, "paper": "W01"}),
    Case("timeout", "message:r", (wait("remind", days=5), do("remind", DONE)), {"key": "C1"}),
    Case("many", "message:r message:r", (message("r", "message:r"), message("r", "a"), do("a", DONE)), {"units": ["K1", "K2"]}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_receive_task(case: Case) -> None:
    check_all(__file__, case)
