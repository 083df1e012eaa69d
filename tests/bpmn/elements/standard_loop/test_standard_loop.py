"""Standard loop: at most so often, while a condition holds, tested before, interrupted."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, put, retry, signal

CASES = (
    Case("at_most_three", "t", (do("t", "t"), do("t", "t"), do("t", "z"), do("z", DONE))),
    Case("while_again", "t", (do("t", "t"), do("t", "z", again=False), do("z", DONE)), {"again": True}),
    Case("while_again", "t", (do("t", "!t"), put("!t", again=False), retry("t", "z"), do("z", DONE)), {"again": "ja"}),
    Case("tested_before", "z", (do("z", DONE),), {"again": False}),
    Case("tested_before", "t", (do("t", "z", again=False), do("z", DONE)), {"again": True}),
    Case("interrupted", "signal:S1 t", (do("t", "signal:S1 t"), signal("S1", "h"), do("h", DONE)), {"again": True}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_standard_loop(case: Case) -> None:
    check_all(__file__, case)
