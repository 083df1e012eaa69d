"""Lanes, data objects and stores, annotations and groups: information for people, at every level; the tokens go past them."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do

CASES = (
    Case("lanes", "a", (do("a", "b"), do("b", DONE))),
    Case("data", "a", (do("a", "b"), do("b", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_information_only(case: Case) -> None:
    check_all(__file__, case)
