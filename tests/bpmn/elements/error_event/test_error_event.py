"""Error events: end to boundary and event subprocess, exact code before any, uncaught, out of members, thrown again."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, error, retry

CASES = (
    Case("end_to_boundary", "a", (do("a", "h"), do("h", DONE))),
    Case("end_to_event_subprocess", "a", (do("a", "h"), do("h", DONE))),
    Case("from_a_task", "a", (error("a", "E1", "h", why=1), do("h", DONE)), {}, {"why": 1}),
    Case("from_a_task", "a", (error("a", "E7", "any"), do("any", DONE))),
    Case("uncaught", "a", (do("a", "!t"), retry("t", "!t"))),
    Case("out_of_a_multi_instance", "a a", (do("a", "h", bad=True), do("h", DONE)), {"units": [1, 2]}),
    Case("out_of_a_multi_instance", "a a", (do("a", "a", bad=False), do("a", "z", bad=False), do("z", DONE)), {"units": [1, 2]}),
    Case("rethrown", "a", (do("a", "h"), do("h", "outer_h"), do("outer_h", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_error_event(case: Case) -> None:
    check_all(__file__, case)
