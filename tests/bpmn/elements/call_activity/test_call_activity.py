"""Call activity: what passes in and out, errors, escalations, interruption, one call for each member."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, call_throws, called, check_all, do, retry, signal

CASES = (
    Case("call", "call:c", (called("c", "a", y=2), do("a", DONE)), {"x": 1}, {"x": 1, "y": 2}),
    Case("mapped", "call:c", (called("c", DONE, result=3, noise=1),), {"x": 1}, {"x": 1, "y": 3}),
    Case("closed", "call:c", (called("c", DONE, y=2),), {"x": 1}, {"x": 1}),
    Case("error", "call:c", (call_throws("c", "error", "E1", "h"), do("h", DONE))),
    Case("error", "call:c", (call_throws("c", "error", "E2", "!c"), retry("c", "call:c"), called("c", DONE))),
    Case("escalation", "call:c", (call_throws("c", "escalation", "X1", "call:c h"), called("c", "h"), do("h", DONE))),
    Case("interrupted", "call:c signal:S1", (signal("S1", "h"), do("h", DONE))),
    Case(
        "many",
        "call:c call:c",
        (called("c", "call:c", r=1), called("c", DONE, r=2)),
        {"units": ["A", "B"]},
        {"units": ["A", "B"], "outs": [1, 2]},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_call_activity(case: Case) -> None:
    check_all(__file__, case)
