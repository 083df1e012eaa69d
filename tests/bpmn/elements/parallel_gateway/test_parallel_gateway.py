"""Parallel gateway: waits for every flow, in every round and order; a second token on a flow waits for the next."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("fork_join", "a b", (do("b", "a"), do("a", "z"), do("z", DONE))),
    Case("fork_join", "a b", (do("a", "b"), do("b", "z"), do("z", DONE))),
    Case("surplus", "a b c", (do("a", "b c"), do("b", "c"), do("c", "z"), do("z", ""))),
    Case(
        "rounds",
        "a b",
        (do("a", "b"), do("b", "dec"), do("dec", "a b"), do("b", "a"), do("a", "dec"), do("dec", DONE, again=False)),
        {"again": True},
    ),
    Case("only_forks", "a b", (do("b", "a"), do("a", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_parallel_gateway(case: Case) -> None:
    check_all(__file__, case)
