"""Compensation: throw and end, one activity, subprocesses, loops, members, what did not complete, error handlers."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("throw", "a", (do("a", "b"), do("b", "undo_a undo_b"), do("undo_b", "undo_a"), do("undo_a", "z"), do("z", DONE))),
    Case("end", "a", (do("a", "undo_a"), do("undo_a", DONE))),
    Case("one_activity", "a", (do("a", "b"), do("b", "undo_a"), do("undo_a", "z"), do("z", DONE))),
    Case("out_of_a_subprocess", "a", (do("a", "undo_a"), do("undo_a", "z"), do("z", DONE))),
    Case("event_subprocess", "a", (do("a", "h"), do("h", "z"), do("z", DONE))),
    Case(
        "in_a_loop",
        "a",
        (do("a", "a"), do("a", "undo_a undo_a", again=False), do("undo_a", "undo_a"), do("undo_a", "z"), do("z", DONE)),
        {"again": True},
    ),
    Case(
        "members",
        "a a",
        (do("a", "a"), do("a", "undo_a undo_a"), do("undo_a", "undo_a"), do("undo_a", "z"), do("z", DONE)),
        {"units": [1, 2]},
    ),
    Case("of_a_handler", "a", (do("a", "i"), do("i", "z"), do("z", DONE))),
    Case("of_a_multi_instance", "m m", (do("m", "m"), do("m", "undo_m"), do("undo_m", "z"), do("z", DONE)), {"units": [1, 2]}),
    Case("not_completed", "a b", (do("b", "a z"), do("z", "a"), do("a", DONE))),
    Case("from_an_error_handler", "a", (do("a", "b"), do("b", "undo_a"), do("undo_a", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compensation_event(case: Case) -> None:
    check_all(__file__, case)
