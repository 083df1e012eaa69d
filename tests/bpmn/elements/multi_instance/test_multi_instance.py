"""Multi-instance: parallel, sequential, N of M, again and again, interrupted, with whole subprocesses."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, escalate, put, retry, signal, wait

UNITS = {"units": ["A", "B"]}

CASES = (
    Case("parallel", "m m", (do("m", "m", op=1), do("m", "z", op=2), do("z", DONE)), UNITS, {**UNITS, "outs": [1, 2]}),
    Case("parallel", "z", (do("z", DONE),), {"units": []}, {"units": [], "outs": []}),
    Case("parallel", "!m", (put("!m", units=["A"]), retry("m", "m"), do("m", "z", op=1), do("z", DONE)), {"units": 7}),
    Case("sequential", "m", (do("m", "m", op=1), do("m", "z", op=2), do("z", DONE)), UNITS, {**UNITS, "outs": [1, 2]}),
    Case(
        "two_of_three",
        "m m m",
        (do("m", "m m", op=1), do("m", "z", op=2), do("z", DONE)),
        {"units": [1, 2, 3]},
        {"units": [1, 2, 3], "outs": [1, 2, None]},
    ),
    Case(
        "in_a_loop",
        "m m",
        (do("m", "m"), do("m", "dec"), do("dec", "m m"), do("m", "m"), do("m", "dec"), do("dec", DONE, again=False)),
        {**UNITS, "again": True},
    ),
    Case("interrupted", "m m signal:S1", (do("m", "m signal:S1"), signal("S1", "h"), do("h", DONE)), UNITS),
    Case("beside", "m m", (wait("h m m", days=1), do("m", "h m"), do("m", "h"), do("h", DONE)), UNITS),
    Case(
        "one_veto",
        "m m m",
        (
            do("m", "m m", op=1),
            do("m", "dec", op=0),
            do("dec", "m m m", again=True),
            do("m", "m m", op=1),
            do("m", "m", op=1),
            do("m", "dec", op=1),
            do("dec", DONE, again=False),
        ),
        {"units": [1, 2, 3]},
        {"units": [1, 2, 3], "outs": [1, 1, 1], "again": False},
    ),
    Case("seen_inside", "a a", (do("a", "a"), do("a", DONE)), UNITS, {**UNITS, "outs": ["A", "B"], "seen": 1}),
    Case(
        "subprocess",
        "a a",
        (escalate("a", "X1", "a h"), do("a", "b h"), do("h", "b"), do("b", "z"), do("z", DONE)),
        UNITS,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_multi_instance(case: Case) -> None:
    check_all(__file__, case)
