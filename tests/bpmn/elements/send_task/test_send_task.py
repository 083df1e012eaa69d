"""Send task: a pending job, one done at once, its error, its mappings."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, error, job, retry

CASES = (
    Case("pending", "job:w", (job("w", "a", x=1), do("a", DONE)), {}, {"x": 1}),
    Case("at_once", "a", (do("a", DONE),), {}, {"quick": 1}),
    Case("error", "job:w", (error("w", "E1", "h", why="no"), do("h", DONE)), {}, {"why": "no"}),
    Case("error", "job:w", (error("w", "E2", "!w"), retry("w", "job:w"), job("w", DONE))),
    Case("mapped", "job:w", (job("w", "a", result=3, noise=1), do("a", DONE)), {"x": 1}, {"x": 1, "out": 5}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_send_task(case: Case) -> None:
    check_all(__file__, case)
