"""User task: mappings, order, a deadline at its boundary."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, wait

CASES = (
    Case("io", "review", (do("review", DONE, result="同意", note=1),), {"owner": "ZJJ"}, {"owner": "ZJJ", "opinion": "同意"}),
    Case("two_in_a_row", "a", (do("a", "b", x=1), do("b", DONE, x=2)), {}, {"x": 2}),
    Case(
        "listened",
        "job:t",
        (
            job("t", "job:t", again=True),
            job("t", "t"),
            do("t", "job:t t", result="同意"),
            job("t", "z"),
            do("z", DONE),
        ),
        {},
        {"result": "同意"},
    ),
    Case("boundary", "a", (wait("late", days=3), do("late", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_user_task(case: Case) -> None:
    check_all(__file__, case)
