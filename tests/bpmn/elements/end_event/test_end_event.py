"""End events: several, and output mappings at the end."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("several", "a b", (do("b", "a"), do("a", DONE))),
    Case("mapped", "a", (do("a", DONE, x=1),), {}, {"x": 1, "result": 2}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_end_event(case: Case) -> None:
    check_all(__file__, case)
