"""Business rule task: the decision, a mapped result, a decision that is missing, a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.bpmn.elements.cases import DONE, Case, check_all, do, job, retry

UNITS: dict[str, Callable[[Mapping[str, object]], object]] = {"d": lambda _: ["ZJJ"]}

CASES = (
    Case("decision", "a", (do("a", DONE),), {"x": 1}, {"x": 1, "units": ["ZJJ"]}, decisions=UNITS),
    Case("mapped", DONE, (), {}, {"first": "ZJJ"}, decisions=UNITS),
    Case("missing", "!d", (retry("d", "!d"),)),
    Case("as_job", "job:d", (job("d", "a", units=1), do("a", DONE)), {}, {"units": 1}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_business_rule_task(case: Case) -> None:
    check_all(__file__, case)
