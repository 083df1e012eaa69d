"""Message events in every position: catch, throw, start, end, boundary and event subprocess, interrupting or not."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, message, put, retry

KEY = {"key": "K"}

CASES = (
    Case("catch", "message:w", (message("w", "z", paper=1), do("z", DONE)), KEY, {**KEY, "paper": 1}),
    Case("catch", "!w", (put("!w", key=5), retry("w", "message:w"), message("w", "z"), do("z", DONE))),
    Case("boundary", "a message:b", (message("b", "h"), do("h", DONE)), KEY),
    Case("boundary", "a message:b", (do("a", DONE),), KEY),
    Case(
        "boundary_beside",
        "a message:b",
        (
            message("b", "a h message:b", again=True),
            message("b", "a h h message:b", again=True),
            do("a", "h h"),
            do("h", "h"),
            do("h", DONE),
        ),
        KEY,
    ),
    Case("event_subprocess", "a message:ev_s", (message("ev_s", "h"), do("h", DONE)), KEY),
    Case(
        "event_subprocess_beside",
        "a message:ev_s",
        (message("ev_s", "a h message:ev_s", again=True), do("h", "a message:ev_s"), do("a", DONE)),
        KEY,
    ),
    Case("throw", "job:t", (job("t", "z"), do("z", DONE))),
    Case("end", "a", (do("a", "job:me"), job("me", DONE))),
    Case("start", "a", (do("a", DONE),), start="ms"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_message_event(case: Case) -> None:
    check_all(__file__, case)
