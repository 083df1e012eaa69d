"""Event subprocess: interrupting, beside, its variables, inside itself, never keeping its scope open."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, message, signal, wait

CASES = (
    Case("interrupting", "a b signal:S1", (signal("S1", "h"), do("h", DONE))),
    Case("interrupting", "a b signal:S1", (do("a", "b signal:S1"), do("b", DONE))),
    Case(
        "beside",
        "a message:ev_s",
        (message("ev_s", "a h message:ev_s", again=True), do("a", "h message:ev_s"), do("h", DONE)),
        {"key": "K"},
    ),
    Case(
        "beside",
        "a message:ev_s",
        (
            message("ev_s", "a h message:ev_s", again=True),
            message("ev_s", "a h h message:ev_s", again=True),
            do("h", "a h message:ev_s"),
            do("a", "h message:ev_s"),
            do("h", DONE),
        ),
        {"key": "K"},
    ),
    Case("mapped", "a message:ev_s", (message("ev_s", "h", paper="W01"), do("h", DONE)), {"key": "K"}, {"key": "K", "seen": "W01"}),
    Case("inside_itself", "a signal:S1", (signal("S1", "h signal:S2"), signal("S2", "h2"), do("h2", DONE))),
    Case("inside_itself", "a signal:S1", (signal("S1", "h signal:S2"), do("h", DONE))),
    Case("never_keeps_open", "a", (do("a", DONE),)),
    Case("never_keeps_open", "a", (wait("h", days=9), do("h", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_event_sub_process(case: Case) -> None:
    check_all(__file__, case)
