"""Job priority (zeebe:jobPriorityDefinition, Camunda 8.10): of the task, else of the process, else 0; static or FEEL."""

from __future__ import annotations

import pytest

from engine.bpmn import Pending, lint
from tests.bpmn.support import END, HEAD, START, Host, Run, chain, doc, quoted, service, zeebe


def of(priority: str) -> str:
    return f'<zeebe:jobPriorityDefinition priority="{quoted(priority)}"/>'


def run(task: str = "", process: str = "", **variables: object) -> Run:
    body = (zeebe(of(process)) if process else "") + START + service("t", "work", of(task) if task else "") + END + chain("s", "t", "e")
    return Run(doc(body), variables, Host(jobs={"work": lambda _job: Pending()}))


@pytest.mark.parametrize(
    ("task", "process", "expected"),
    [("", "", 0), ("7", "", 7), ("", "-3", -3), ("7", "-3", 7), ("=if urgent then 80 else 20", "1", 80), ("", "=n * 2", 10)],
)
def test_the_task_comes_before_its_process(task: str, process: str, expected: int) -> None:
    found = run(task, process, urgent=True, n=5)
    assert [job.priority for job in found.rows.open["jobs"].values()] == [expected]


@pytest.mark.parametrize("value", ["soon", 2**31, None])
def test_what_is_no_priority_is_an_incident_and_no_job_and_can_be_mended(value: object) -> None:
    found = run("=n", n=value)
    assert found.incidents == [("t", "EXTRACT_VALUE_ERROR")] and not found.rows.open["jobs"]
    found.do("set_variables", {"n": 9})
    found.do("retry", found.at("t"))
    assert not found.incidents and [job.priority for job in found.rows.open["jobs"].values()] == [9]


def test_listeners_have_none() -> None:
    listener = '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="work"/></zeebe:executionListeners>'
    body = zeebe(of("5")) + START + service("t", "work", listener) + END + chain("s", "t", "e")
    found = Run(doc(body), {}, Host(jobs={"work": lambda _job: Pending()}))
    assert [job.priority for job in found.rows.open["jobs"].values()] == [0]


@pytest.mark.parametrize("priority", ["high", "1.5", "2147483648", "=1 +"])
def test_a_static_text_that_is_no_whole_number_is_refused(priority: str) -> None:
    body = START + service("t", "work", of(priority)) + END + chain("s", "t", "e")
    source = f'{HEAD}<process id="p" isExecutable="true">{body}</process></definitions>'.encode()
    assert "t" in {finding.element_id for finding in lint(source, "p.bpmn") if finding.severity == "error"}
