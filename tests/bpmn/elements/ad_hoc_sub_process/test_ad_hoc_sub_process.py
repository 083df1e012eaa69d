"""Ad-hoc subprocess: all or some of its elements, more later, enough of them, one by one, in chains."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, activate, check_all, do, put, retry, signal

CASES = (
    Case("all_at_once", "a b", (do("b", "a"), do("a", "z"), do("z", DONE))),
    Case("chosen", "a c", (do("c", "a"), activate("ah", ["b"], "a b"), do("a", "b"), do("b", "z"), do("z", DONE)), {"chosen": ["a", "c"]}),
    Case("chosen", "", (activate("ah", ["b"], "b"), do("b", "z"), do("z", DONE)), {"chosen": []}),
    Case("chosen", "!ah", (put("!ah", chosen=["a"]), retry("ah", "a"), do("a", "z"), do("z", DONE)), {"chosen": ["nobody"]}),
    Case(
        "enough",
        "a b",
        (do("a", "b"), do("b", ""), activate("ah", ["a"], "a"), do("a", "z", enough=True), do("z", DONE)),
        {"enough": False},
    ),
    Case("enough", "a b", (do("a", "z", enough=True), do("z", DONE)), {"enough": False}),
    Case("enough_but_wait", "a b", (do("a", "b", enough=True), do("b", "z"), do("z", DONE)), {"enough": False}),
    Case("one_by_one", "a", (do("a", "b"), do("b", "z"), do("z", DONE))),
    Case("collected", "a b", (do("b", "a", opinion=2), do("a", DONE, opinion=1)), {}, {"opinion": 1, "outs": [2, 1]}),
    Case(
        "enough_collected",
        "a b c",
        (do("c", "a b", opinion=3), do("a", "z", opinion=1), do("z", DONE)),
        {},
        {"opinion": 1, "outs": [3, 1]},
    ),
    Case("interrupted_inside", "a signal:S1", (do("a", "b signal:S1"), signal("S1", "h"), do("h", "z"), do("z", DONE)), {"enough": False}),
    Case("chains", "a c", (do("c", "a"), do("a", "b"), do("b", "z"), do("z", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_ad_hoc_sub_process(case: Case) -> None:
    check_all(__file__, case)
