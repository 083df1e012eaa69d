"""Link events: a flow that is not drawn, from several throws, backwards."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("link", "a", (do("a", "z"), do("z", DONE))),
    Case("several_throws", "a", (do("a", "z"), do("z", DONE)), {"left": True}),
    Case("several_throws", "b", (do("b", "z"), do("z", DONE)), {"left": False}),
    Case("backwards", "a", (do("a", "a"), do("a", DONE, again=False)), {"again": True}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_link_event(case: Case) -> None:
    check_all(__file__, case)
