"""Inclusive gateway: joins exactly what was split, or what can still come."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, put, retry, wait

CASES = (
    Case("split_join", "a b", (do("b", "a"), do("a", "z"), do("z", DONE)), {"x": 2}),
    Case("split_join", "a", (do("a", "z"), do("z", DONE)), {"x": 1}),
    Case("split_join", "c", (do("c", "z"), do("z", DONE)), {"x": 0}),
    Case("branch_dies", "a b", (do("a", "b"), do("b", "z", dead=True), do("z", DONE))),
    Case("branch_dies", "a b", (do("b", "a", dead=True), do("a", "z"), do("z", DONE))),
    Case("open_multi_instance", "b m m", (do("m", "b m"), do("b", "m"), do("m", "z"), do("z", DONE)), {"units": [1, 2]}),
    Case(
        "sent_back",
        "a b",
        (do("a", "b"), do("b", "a b", back=True), do("b", "a z", back=False), do("z", "a"), do("a", "z"), do("z", DONE)),
    ),
    Case("sent_back", "a b", (do("b", "a"), do("a", "z"), do("z", DONE)), {"back": False}),
    Case(
        "wait_for_each_other",
        "a b",
        (do("a", "b"), do("b", "y"), do("y", "z"), do("z", DONE)),
        {"again": False},
    ),
    Case(
        "in_a_block_that_repeats",
        "a c",
        (do("a", "c y"), do("y", "c"), do("c", "z"), do("z", "a c"), do("c", "a"), do("a", "y"), do("y", "z"), do("z", DONE, again=False)),
        {"both": False, "again": True},
    ),
    Case("beside_its_host", "a", (wait("a h", days=1), do("h", "a"), do("a", "z"), do("z", DONE))),
    Case("no_way_out", "!f", (put("!f", x=1), retry("f", "a"), do("a", DONE)), {"x": 0}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_inclusive_gateway(case: Case) -> None:
    check_all(__file__, case)
