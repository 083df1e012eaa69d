"""Exclusive gateway: the first flow that holds, the default, no way out, merging without waiting, a loop."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, put, retry

CASES = (
    Case("choice", "big", (do("big", DONE),), {"amount": 500}),
    Case("choice", "small", (do("small", DONE),), {"amount": 5}),
    Case("choice", "!x", (put("!x", amount=5), retry("x", "small"), do("small", DONE)), {"amount": "viel"}),
    Case("no_way_out", "!x", (put("!x", amount=5), retry("x", "small"), do("small", DONE)), {"amount": None}),
    Case("merge", "a b", (do("b", "a z"), do("a", "z z"), do("z", "z"), do("z", DONE))),
    Case("loop", "a", (do("a", "a"), do("a", DONE, again=False)), {"again": True}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exclusive_gateway(case: Case) -> None:
    check_all(__file__, case)
