"""Signal events in every position; a throw reaches every catch of the instance at once."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, signal

CASES = (
    Case("catch", "signal:S1", (signal("S2", "signal:S1"), signal("S1", "z", x=1), do("z", DONE)), {}, {"x": 1}),
    Case("boundary", "a signal:S1", (signal("S1", "h"), do("h", DONE))),
    Case("boundary_beside", "a signal:S1", (signal("S1", "a h signal:S1"), do("a", "h"), do("h", DONE))),
    Case("event_subprocess", "a signal:S1", (signal("S1", "h"), do("h", DONE))),
    Case("event_subprocess_beside", "a signal:S1", (signal("S1", "a h signal:S1"), do("h", "a signal:S1"), do("a", DONE))),
    Case("throw", "a signal:S1", (do("a", "y z"), do("z", "y"), do("y", DONE))),
    Case("end", "a signal:S1", (do("a", "z"), do("z", DONE))),
    Case("with_content", "a signal:S1", (do("a", DONE),), {"x": 1}, {"x": 1, "told": 2}),
    Case("start", "a", (do("a", DONE),), start="ss"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_signal_event(case: Case) -> None:
    check_all(__file__, case)
