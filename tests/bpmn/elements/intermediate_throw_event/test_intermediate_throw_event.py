"""Intermediate throw event: none passes, with a job type it is a job."""

from __future__ import annotations

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job

CASES = (
    Case("none", "a", (do("a", DONE),)),
    Case("as_job", "job:t", (job("t", "a"), do("a", DONE))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_intermediate_throw_event(case: Case) -> None:
    check_all(__file__, case)
