"""Service task: a pending job, one done at once, its error, its mappings."""

from __future__ import annotations

import pytest

from engine.bpmn import Completed, Failed
from tests.bpmn.elements.cases import DONE, Case, Jobs, check_all, do, error, job, put, retry

BROKEN: Jobs = {"broken": lambda job: Completed() if job.variables.get("fixed") else Failed("no")}

CASES = (
    Case("pending", "job:w", (job("w", "a", x=1), do("a", DONE)), {}, {"x": 1}),
    Case("at_once", "a", (do("a", DONE),), {}, {"quick": 1}),
    Case("error", "job:w", (error("w", "E1", "h", why="no"), do("h", DONE)), {}, {"why": "no"}),
    Case("error", "job:w", (error("w", "E2", "!w"), retry("w", "job:w"), job("w", DONE))),
    Case("mapped", "job:w", (job("w", "a", result=3, noise=1), do("a", DONE)), {"x": 1}, {"x": 1, "out": 5}),
    Case("failing", "!w", (put("!w", fixed=1), retry("w", "a"), do("a", DONE)), jobs=BROKEN),
    Case(
        "many",
        "job:w job:w",
        (job("w", "job:w", r=1), job("w", "a", r=2), do("a", DONE)),
        {"units": ["A", "B"]},
        {"units": ["A", "B"], "outs": [1, 2]},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_service_task(case: Case) -> None:
    check_all(__file__, case)
