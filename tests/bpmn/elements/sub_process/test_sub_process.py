"""Embedded subprocess: its scope, its end, without a start, interrupted, one for each member."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, wait

CASES = (
    Case("inside", "a", (do("a", "z", x=1), do("z", DONE)), {}, {"x": 1}),
    Case("mapped", "a", (do("a", DONE, l=5, other=1),), {"x": 1}, {"x": 1, "y": 5, "other": 1}),
    Case("no_start", "a b", (do("b", "a"), do("a", "z"), do("z", DONE))),
    Case("interrupted", "job:w", (wait("h", days=1), do("h", DONE))),
    Case("interrupted", "job:w", (job("w", DONE),)),
    Case(
        "many",
        "a a",
        (do("a", "a", text="1"), do("a", DONE, text="2")),
        {"units": ["A", "B"]},
        {"units": ["A", "B"], "outs": ["A1", "B2"], "text": "2"},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sub_process(case: Case) -> None:
    check_all(__file__, case)
