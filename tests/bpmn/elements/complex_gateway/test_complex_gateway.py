"""Complex gateway: fires when its condition holds, swallows the late, counts anew in every round."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, wait

CASES = (
    Case("two_of_three", "a b c", (do("a", "b c"), do("c", "b z"), do("z", "b"), do("b", DONE))),
    Case("two_of_three", "a b c", (do("a", "b c"), do("c", "b z"), do("b", "z"), do("z", DONE))),
    Case(
        "rounds",
        "a b",
        (do("a", "b dec"), do("b", "dec"), do("dec", "a b"), do("b", "a dec"), do("dec", "a", again=False), do("a", DONE)),
        {"again": True},
    ),
    Case(
        "late_branch_dies",
        "a b",
        (do("a", "b dec"), wait("dec", days=1), do("dec", "a b"), do("b", "a dec"), do("a", "dec"), do("dec", DONE, again=False)),
        {"again": True},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_complex_gateway(case: Case) -> None:
    check_all(__file__, case)
