"""Conditional events in every position: at once, on a change, again at every change of what they read while they hold."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, put

CASES = (
    Case("catch", "", (put("", n=5), put("z", n=11), do("z", DONE)), {"n": 1}),
    Case("catch", "z", (do("z", DONE),), {"n": 11}),
    Case("boundary", "a", (put("h", n=11), do("h", DONE)), {"n": 1}),
    Case("boundary", "h", (do("h", DONE),), {"n": 11}),
    Case(
        "boundary_beside",
        "a",
        (
            put("a h", n=11),
            put("a h", other=1),
            put("a h h", n=12),
            put("a h h", n=1),
            put("a h h h", n=20),
            do("a", "h h h"),
            do("h", "h h"),
            do("h", "h"),
            do("h", DONE),
        ),
        {"n": 1},
    ),
    Case("event_subprocess", "a", (put("h", n=11), do("h", DONE)), {"n": 1}),
    Case("event_subprocess_beside", "a", (put("a h", n=11), do("h", "a"), do("a", DONE)), {"n": 1}),
    Case("start", "a", (do("a", DONE),), start="cs"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_conditional_event(case: Case) -> None:
    check_all(__file__, case)
