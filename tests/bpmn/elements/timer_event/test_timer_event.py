"""Timer events in every position: durations, dates, cycles, FEEL that follows its variables, calendar months."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, put, retry, wait

CASES = (
    Case("catch", "", (wait("", days=1), wait("z", days=1), do("z", DONE))),
    Case("boundary", "a", (wait("h", days=2), do("h", DONE))),
    Case("boundary", "a", (do("a", DONE),)),
    Case("boundary_beside", "a", (wait("a h", days=2), wait("a h", days=9), do("a", "h"), do("h", DONE))),
    Case("event_subprocess", "a", (wait("h", days=2), do("h", DONE))),
    Case("event_subprocess_beside", "a", (wait("a h", days=2), do("a", "h"), do("h", DONE))),
    Case("cycle", "a", (wait("a h", days=1), wait("a h h", days=1), wait("a h h", days=9), do("a", "h h"), do("h", "h"), do("h", DONE))),
    Case("endless_cycle", "a", (wait("a h", days=31), wait("a h h", days=28), wait("a h h h", days=31), do("a", "h h h"))),
    Case("date", "", (wait("", days=2), wait("z", days=1), do("z", DONE))),
    Case("feel", "a", (put("a", clock={"due": "2026-01-06T12:00:00Z"}), wait("h", days=1), do("h", DONE)), {"clock": {"due": None}}),
    Case(
        "feel",
        "a",
        (put("a", clock={"due": None}), wait("a", days=9), put("a", clock={"due": "2026-01-02T00:00:00Z"}), wait("h"), do("h", DONE)),
        {"clock": {"due": "2026-01-06T12:00:00Z"}},
    ),
    Case("feel", "!b a", (put("!b a", clock={"due": None}), retry("b", "a"), do("a", DONE)), {"clock": {"due": "soon"}}),
    Case("month_end", "", (wait("", days=30), wait("z", days=1), do("z", DONE))),
    Case("start", "a", (do("a", DONE),), start="ts"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_timer_event(case: Case) -> None:
    check_all(__file__, case)
