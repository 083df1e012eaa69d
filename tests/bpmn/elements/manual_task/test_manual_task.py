"""Manual task: passes, with mappings, loops and listeners as any activity."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job

CASES = (
    Case("passes", "a", (do("a", DONE),)),
    Case("mapped", "a", (do("a", DONE),), {"x": 1}, {"x": 1, "y": 2}),
    Case("many", "a", (do("a", DONE),), {"units": [1, 2]}, {"units": [1, 2], "outs": [2, 4]}),
    Case("listened", "job:m", (job("m", "job:m", again=True), job("m", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_manual_task(case: Case) -> None:
    check_all(__file__, case)
