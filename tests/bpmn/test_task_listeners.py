"""Task listeners (Camunda 8.9): every event, done at once, pending, failing, correcting, denying; and cancelled in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.bpmn import Completed, Denied, Failed, Known, Outcome, Pending, lint
from engine.bpmn.kernel.failure import TransitionDenied
from engine.changes import JobOpened
from engine.errors import Conflict
from tests.bpmn.support import END, SIGNAL, START, Host, Run, boundary, chain, doc, el, user, zeebe

EVENTS = ("creating", "assigning", "updating", "completing", "canceling")


def task(assignee: str = "=clerk", events: tuple[str, ...] = EVENTS) -> bytes:
    inner = "".join(f'<zeebe:taskListener eventType="{event}" type="l.{event}"/>' for event in events)
    extensions = f'<zeebe:userTask/><zeebe:assignmentDefinition assignee="{assignee}"/><zeebe:taskListeners>{inner}</zeebe:taskListeners>'
    body = START + el("userTask", "t", zeebe(extensions), name="审查") + boundary("b", "t", SIGNAL) + user("h", "z") + END
    return doc(body + chain("s", "t", "z", "e") + chain("b", "h", "e"))


def performed(run: Run) -> list[str | None]:
    return [job.listener_event for job in run.host.performed]


def changed(run: Run) -> list[dict[str, Any]]:
    return [each.attributes for each in run.rows.changes.changed_user_tasks]


def test_an_assignee_of_the_diagram_is_assigned_before_the_task_opens_and_none_is_not() -> None:
    assert performed(Run(task(), {"clerk": "anna"})) == ["creating", "assigning"]
    assert performed(Run(task(), {"clerk": None})) == ["creating"]


def test_assign_update_and_complete() -> None:
    run = Run(task(), {"clerk": None})
    token = run.token("t")
    assert run.do("change_user_task", token, "assigning", {"assignee": "anna"}, "claim")
    assert changed(run) == [{"assignee": "anna"}]
    headers = run.host.performed[-1].headers
    assert headers["io.camunda.zeebe:assignee"] == "anna" and headers["io.camunda.zeebe:action"] == "claim"
    assert run.do("change_user_task", token, "updating", {"priority": 80, "due_date": "2026-02-01T00:00:00Z", "candidate_groups": ["A"]})
    assert changed(run)[0]["priority"] == 80 and changed(run)[0]["candidate_groups"] == ("A",)
    run.complete("t", result=1)
    assert performed(run) == ["creating", "assigning", "updating", "completing"] and run.variables["result"] == 1


@pytest.mark.parametrize("attributes", [{"priority": 101}, {"due_date": "tomorrow"}, {"colour": "red"}, {"candidate_groups": "A"}])
def test_an_unfit_attribute_is_refused(attributes: dict[str, Any]) -> None:
    run = Run(task(), {"clerk": None})
    with pytest.raises(Exception, match="任务属性"):
        run.instance.change_user_task(run.token("t"), "updating", attributes)


def test_corrections_reach_the_task_with_its_transition() -> None:
    jobs: dict[str, Callable[[JobOpened], Outcome]] = {
        "l.creating": lambda _: Completed({}, {"priority": 90, "candidate_users": ["bert"]}),
        "l.assigning": lambda _: Completed({}, {"assignee": "carl"}),
        "l.completing": lambda _: Completed({}, {"assignee": "dora"}),
    }
    run = Run(task(), {"clerk": "anna"}, Host(jobs=jobs))
    opened = run.rows.open["tasks"][run.token("t")]
    assert (opened.priority, opened.candidate_users, opened.assignee) == (90, ("bert",), "carl")
    run.complete("t")
    assert changed(run) == [{"assignee": "dora"}] and run.tasks == ["z"]


def test_denied_at_once_is_a_conflict_that_changes_nothing() -> None:
    run = Run(task(), {"clerk": None}, Host(jobs={"l.completing": lambda _: Denied("缺材料"), "l.assigning": lambda _: Denied("请假")}))
    with pytest.raises(TransitionDenied, match="请假"):
        run.instance.change_user_task(run.token("t"), "assigning", {"assignee": "anna"})
    run = Run(task(), {"clerk": "anna"}, Host(jobs={"l.completing": lambda _: Denied("缺材料"), "l.assigning": lambda _: Denied("请假")}))
    assert run.rows.open["tasks"][run.token("t")].assignee is None, "opens without the assignee that was denied"
    with pytest.raises(TransitionDenied, match="缺材料"):
        run.complete("t", result=1)


@pytest.mark.parametrize("event", EVENTS[:4])
def test_a_pending_listener_holds_its_transition_up(event: str) -> None:
    run = Run(task(), {"clerk": "anna"}, Host(jobs={f"l.{event}": lambda _: Pending()}))
    if event in ("creating", "assigning"):
        assert run.tasks == []
    elif event == "updating":
        assert not run.do("change_user_task", run.token("t"), "updating", {"priority": 1})
        with pytest.raises(Conflict):
            run.instance.complete_user_task(run.token("t"), {})
        with pytest.raises(Conflict):
            run.instance.change_user_task(run.token("t"), "updating", {"priority": 2})
    else:
        run.complete("t", result=1)
        assert changed(run) == [{"state": "COMPLETING"}] and "result" not in run.variables
    run.do("complete_job", run.token("t", "jobs"), {})
    if event == "updating":
        assert changed(run) == [{"priority": 1}]
    elif event == "completing":
        assert run.tasks == ["z"] and run.variables["result"] == 1
        return
    assert run.tasks == ["t"]
    run.complete("t")
    assert run.tasks == ["z"]


def test_a_pending_completion_that_is_denied_is_open_again_as_if_nothing_had_happened() -> None:
    run = Run(task(), {"clerk": "anna"}, Host(jobs={"l.completing": lambda _: Pending()}))
    for _ in range(2):
        run.complete("t", result=1)
        run.do("complete_job", run.token("t", "jobs"), {}, denied=True)
        assert run.tasks == ["t"] and changed(run) == [{"state": "CREATED"}] and "result" not in run.variables
    run.complete("t", result=2)
    run.do("complete_job", run.token("t", "jobs"), {})
    assert run.tasks == ["z"] and run.variables["result"] == 2


def test_a_pending_assignment_that_is_denied_is_dropped_and_an_opening_one_leaves_the_task_unassigned() -> None:
    pending: dict[str, Callable[[JobOpened], Outcome]] = {"l.assigning": lambda _: Pending()}
    run = Run(task(), {"clerk": None}, Host(jobs=dict(pending)))
    run.do("change_user_task", run.token("t"), "assigning", {"assignee": "anna"})
    run.do("complete_job", run.token("t", "jobs"), {}, denied=True)
    assert changed(run) == [] and run.tasks == ["t"]
    run = Run(task(), {"clerk": "anna"}, Host(jobs=dict(pending)))
    run.do("complete_job", run.token("t", "jobs"), {}, denied=True)
    assert run.rows.open["tasks"][run.token("t")].assignee is None


@pytest.mark.parametrize("event", EVENTS[:4])
def test_a_failing_listener_is_an_incident_that_retry_takes_up(event: str) -> None:
    outcomes: list[Outcome] = [Failed("no"), Completed()]
    run = Run(task(), {"clerk": "anna"}, Host(jobs={f"l.{event}": lambda _: outcomes.pop(0)}))
    if event == "updating":
        assert not run.do("change_user_task", run.token("t"), "updating", {"priority": 1})
    elif event == "completing":
        run.complete("t", result=1)
    assert run.incidents == [("t", "TASK_LISTENER_NO_RETRIES")]
    run.do("retry", run.token("t", "incidents"))
    assert run.incidents == [] and run.tasks == (["z"] if event == "completing" else ["t"])
    assert changed(run) == ([{"priority": 1}] if event == "updating" else [])


def test_cancelled_while_a_listener_is_pending_and_told_when_it_goes() -> None:
    run = Run(task(), {"clerk": "anna"}, Host(jobs={"l.completing": lambda _: Pending(), "l.canceling": lambda _: Completed()}))
    run.complete("t", result=1)
    run.signal()
    assert run.tasks == ["h"] and run.rows.open["jobs"] == {} and performed(run)[-1] == "canceling"


def test_a_canceling_listener_that_a_worker_does_gets_its_job_when_the_task_is_gone() -> None:
    run = Run(task(), {"clerk": "anna"}, Host(jobs={"l.canceling": lambda _: Pending()}))
    token = run.token("t")
    run.signal()
    assert run.tasks == ["h"] and run.rows.open["jobs"][token].listener_event == "canceling"
    completed = Run(task(), {"clerk": "anna"})
    completed.complete("t")
    assert "canceling" not in performed(completed)


def test_lint_takes_all_five_events() -> None:
    assert [str(f) for f in lint(task(), "x.bpmn", Known()) if f.severity == "error"] == []
