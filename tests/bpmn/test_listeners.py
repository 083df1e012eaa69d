"""Execution and task listeners: order, variables, pending jobs at every point, incidents, cancellation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.bpmn import Completed, Failed, Known, Outcome, Pending, Thrown, lint
from engine.changes import JobOpened
from engine.errors import Conflict
from tests.bpmn.support import END, ERROR, START, Host, Run, boundary, chain, doc, el, io, user, zeebe


def listeners(*events: str, task: bool = False) -> str:
    kind = "taskListener" if task else "executionListener"
    inner = "".join(f'<zeebe:{kind} eventType="{event}" type="l.{event}"/>' for event in events)
    return f"<zeebe:{kind}s>{inner}</zeebe:{kind}s>"


def diagram(task_extensions: str, kind: str = "userTask") -> bytes:
    body = START + el(kind, "t", zeebe(task_extensions)) + boundary("b", "t", ERROR) + user("h", "z") + END
    return doc(body + chain("s", "t", "z", "e") + chain("b", "h", "e"))


ALL = listeners("start", "end") + listeners("creating", "completing", task=True)


def test_order_kinds_and_variables() -> None:
    host = Host(jobs={"l.start": lambda _: Completed({"from_start": 1}), "l.end": lambda job: Completed({"seen": job.variables["out"]})})
    run = Run(diagram(ALL + io({"x": "1"}, {"out": "from_start + form"})), host=host)
    assert [(j.listener_event, j.kind) for j in host.performed] == [("start", "EXECUTION_LISTENER"), ("creating", "TASK_LISTENER")]
    assert host.performed[0].variables == {"x": 1}
    run.complete("t", form=5)
    assert [j.listener_event for j in host.performed[2:]] == ["completing", "end"]
    assert run.tasks == ["z"] and run.variables == {"out": 6, "seen": 6}


def test_every_listener_may_be_pending() -> None:
    pending: Callable[[JobOpened], Outcome] = lambda _: Pending()
    run = Run(diagram(ALL), host=Host(jobs={f"l.{event}": pending for event in ("start", "creating", "completing", "end")}))
    assert run.tasks == [] and run.instance.live_tokens()[0].state == "ACTIVATING"
    run.do("complete_job", run.token("t", "jobs"), {"a": 1})
    assert next(iter(run.rows.open["jobs"].values())).listener_event == "creating"
    token = run.token("t", "jobs")
    run.do("complete_job", token, {})
    assert run.tasks == ["t"] and run.instance.variables(token)["a"] == 1
    run.do("complete_user_task", token, {})
    assert run.tasks == ["t"], "not closed before the listener has agreed"
    with pytest.raises(Conflict):
        run.instance.complete_user_task(token, {})
    run.do("complete_job", token, {})
    assert run.tasks == [] and run.rows.changes.jobs[0].listener_event == "end"
    run.do("complete_job", token, {"b": 2})
    assert run.tasks == ["z"] and run.variables == {"b": 2}


@pytest.mark.parametrize("event", ["start", "creating", "completing", "end"])
def test_a_failing_listener_is_an_incident_and_runs_again_alone(event: str) -> None:
    outcomes: list[Outcome] = [Failed("no"), Failed("no again"), Completed()]
    host = Host(jobs={f"l.{event}": lambda _: outcomes.pop(0)})
    run = Run(diagram(ALL + io({"n": "n + 1"}, {"m": "m + 1"})), {"n": 0, "m": 0}, host)
    if event in ("completing", "end"):
        run.complete("t")
    kind = "EXECUTION" if event in ("start", "end") else "TASK"
    for _ in range(2):
        assert run.incidents == [("t", f"{kind}_LISTENER_NO_RETRIES")]
        run.do("retry", run.token("t", "incidents"))
    if event in ("start", "creating"):
        assert run.instance.variables(run.token("t"))["n"] == 1
        run.complete("t")
    assert run.tasks == ["z"] and run.variables == {"n": 0, "m": 1} and run.incidents == []
    assert [j.listener_event for j in host.performed].count(event) == 3 and len(host.performed) == 6


def test_a_pending_listener_out_of_retries_is_retried_with_a_new_job() -> None:
    run = Run(diagram(listeners("start")), host=Host(jobs={"l.start": lambda _: Pending()}))
    token = run.token("t", "jobs")
    run.do("raise_incident", token, "JOB_NO_RETRIES", "超时")
    run.do("retry", token)
    assert run.rows.changes.closed_jobs == [token] and len(run.rows.changes.jobs) == 1
    run.do("complete_job", token, {})
    assert run.tasks == ["t"]


def test_an_error_of_an_end_listener_is_caught_at_the_boundary() -> None:
    run = Run(diagram(listeners("end")), host=Host(jobs={"l.end": lambda _: Thrown("E1")}))
    run.complete("t")
    assert run.tasks == ["h"]


def test_cancelling_closes_the_pending_job() -> None:
    run = Run(diagram(listeners("start")), host=Host(jobs={"l.start": lambda _: Pending()}))
    run.do("cancel")
    assert run.rows.open["jobs"] == {} and run.state == "TERMINATED"


def test_listeners_on_gateways_and_events() -> None:
    host = Host()
    body = START + el("exclusiveGateway", "g", zeebe(listeners("start", "end"))) + user("z")
    body += el("endEvent", "e", zeebe(listeners("start", "end"))) + chain("s", "g", "z", "e")
    run = Run(doc(body), host=host)
    run.complete("z")
    assert [(j.element_id, j.listener_event) for j in host.performed] == [("g", "start"), ("g", "end"), ("e", "start"), ("e", "end")]


def test_lint_names_what_is_not_supported() -> None:
    def rules(xml: bytes) -> set[str]:
        return {f.rule for f in lint(xml, "x.bpmn", Known()) if f.severity == "error"}

    assert rules(diagram(ALL + "<zeebe:userTask/>")) == set()
    assert rules(diagram(listeners("beforeAll"))) == {"listener"}
    assert rules(diagram(listeners("leaving", task=True))) == {"listener"}
    gateway = START + el("parallelGateway", "g", zeebe(listeners("start"))) + END + chain("s", "g", "e")
    assert rules(doc(gateway)) == {"listener"}
