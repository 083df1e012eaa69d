"""Event-based gateway: the first event wins and the others are gone, in every round."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, message, put, signal, wait

CASES = (
    Case("first_wins", "message:m signal:S1", (message("m", "um"), do("um", DONE)), {"key": "K"}),
    Case("first_wins", "message:m signal:S1", (wait("ut", days=5), do("ut", DONE)), {"key": "K"}),
    Case("first_wins", "message:m signal:S1", (signal("S1", "us"), do("us", DONE)), {"key": "K"}),
    Case("receive_task", "message:r", (put("uc", ok=True), do("uc", DONE)), {"key": "K", "ok": False}),
    Case("receive_task", "uc", (do("uc", DONE),), {"key": "K", "ok": True}),
    Case("in_a_loop", "signal:S1", (wait("ut", days=1), do("ut", "signal:S1"), signal("S1", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_event_based_gateway(case: Case) -> None:
    check_all(__file__, case)
