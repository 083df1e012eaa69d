"""Script task: the result, a mapped one, a job, an expression that breaks a limit."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, put, retry

CASES = (
    Case("script", "a", (do("a", DONE),), {"x": 2}, {"x": 2, "y": 4}),
    Case("mapped", DONE, (), {"amounts": [1, 2]}, {"amounts": [1, 2], "report": {"total": 3}}),
    Case("as_job", "job:c", (job("c", "a", y=1), do("a", DONE)), {}, {"y": 1}),
    Case("limit", "!c", (put("!c", n=2), retry("c", "a"), do("a", DONE)), {"n": 200_000}, {"n": 2, "y": 2}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_script_task(case: Case) -> None:
    check_all(__file__, case)
