"""User, service, send, script, business rule, manual, undefined and receive tasks, and the resumable life cycle of all of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.bpmn import Completed, Failed, Outcome, Pending, Thrown
from engine.changes import JobOpened
from engine.errors import Conflict, NotFound
from tests.bpmn.support import END, ERROR, START, Host, Run, boundary, chain, doc, el, flow, io, script, service, user, zeebe


def one(task: str, **kw: object) -> bytes:
    """s -> t -> z -> e"""
    return doc(START + task + user("z") + END + chain("s", "t", "z", "e"))


# ---------------------------------------------------------------------------------------------- user task
def test_assignment_schedule_priority_form_and_properties() -> None:
    settings = (
        '<zeebe:userTask/><zeebe:formDefinition formId="review" bindingType="versionTag" versionTag="v2"/>'
        '<zeebe:assignmentDefinition assignee="=applicant" candidateGroups="A.handler, B.handler" candidateUsers="=people"/>'
        '<zeebe:taskSchedule dueDate="=now() + duration(&quot;P3D&quot;)" followUpDate="2026-02-01"/>'
        '<zeebe:priorityDefinition priority="=10 + 20"/>'
        '<zeebe:properties><zeebe:property name="limit" value="3"/></zeebe:properties>'
    )
    run = Run(one(el("userTask", "t", zeebe(settings), name="审查")), {"applicant": "li", "people": ["a", "b"]})
    task = next(iter(run.rows.open["tasks"].values()))
    assert (task.name, task.assignee, task.candidate_groups, task.candidate_users) == ("审查", "li", ("A.handler", "B.handler"), ("a", "b"))
    assert task.due_date == datetime(2026, 1, 8, 12, tzinfo=UTC) and task.follow_up_date == datetime(2026, 2, 1, tzinfo=UTC)
    assert (task.priority, task.form_id, task.form_binding, task.form_version_tag) == (30, "review", "versionTag", "v2")
    assert task.properties == {"limit": "3"}


def test_dynamic_groups_and_null_assignee() -> None:
    settings = '<zeebe:assignmentDefinition assignee="=nobody" candidateGroups="=[unit + &quot;.handler&quot;]"/>'
    task = next(iter(Run(one(el("userTask", "t", zeebe(settings))), {"unit": "ZRZYJ"}).rows.open["tasks"].values()))
    assert task.assignee is None and task.candidate_groups == ("ZRZYJ.handler",)


@pytest.mark.parametrize(
    "settings",
    [
        '<zeebe:assignmentDefinition candidateGroups="=bad"/>',
        '<zeebe:assignmentDefinition assignee="=bad"/>',
        '<zeebe:taskSchedule dueDate="=text"/>',
        '<zeebe:priorityDefinition priority="=bad"/>',
    ],
)
def test_a_wrong_type_is_an_incident_before_the_task_opens_and_retry_opens_it(settings: str) -> None:
    run = Run(one(el("userTask", "t", zeebe(settings + io({"n": "n + 1"})))), {"bad": {"x": 1}, "text": "soon", "n": 0})
    assert run.incidents == [("t", "EXTRACT_VALUE_ERROR")] and run.tasks == []
    token = run.token("t", "incidents")
    run.do("retry", token)
    assert run.incidents == [("t", "EXTRACT_VALUE_ERROR")]
    run.do("set_variables", {"bad": 7 if "priority" in settings else None, "text": None})
    run.do("retry", run.token("t", "incidents"))
    assert run.tasks == ["t"] and run.incidents == []
    assert run.instance.variables(run.token("t"))["n"] == 1


def test_row_h_only_a_ready_task_completes_and_only_once() -> None:
    run = Run(one(user("t")))
    token = run.token("t")
    run.complete("t")
    for again in (token, 999):
        with pytest.raises((Conflict, NotFound)):
            run.instance.complete_user_task(again, {})
    assert run.tasks == ["z"]


def test_output_mappings_alone_leave_and_a_failed_condition_keeps_the_approval() -> None:
    task = el("userTask", "t", zeebe(io({"b": "a + 1"}, {"c": "b + r", "deep.x": "r"})))
    body = START + task + user("z") + END + chain("s", "t") + flow("t", "z", "go") + chain("z", "e")
    run = Run(doc(body), {"a": 1, "deep": {"y": 2}})
    token = run.token("t")
    run.complete("t", r=10, noise=1)
    assert run.incidents == [("t", "CONDITION_ERROR")] and run.tasks == []
    with pytest.raises(Conflict):
        run.instance.complete_user_task(token, {})
    run.do("set_variables", {"go": True})
    run.do("retry", token)
    assert run.variables == {"a": 1, "c": 12, "deep": {"y": 2, "x": 10}, "go": True}
    assert run.tasks == ["z"]


def test_output_mappings_run_once_even_when_leaving_is_retried() -> None:
    task = el("userTask", "t", zeebe(io(None, {"total": "total + 5"})))
    run = Run(doc(START + task + user("z") + END + chain("s", "t") + flow("t", "z", "go") + chain("z", "e")), {"total": 1})
    run.complete("t")
    run.do("set_variables", {"go": True})
    run.do("retry", run.token("t", "incidents"))
    assert run.variables["total"] == 6


# ---------------------------------------------------------------------------------------------- jobs
def test_a_transactional_handler_sees_locals_headers_and_gives_variables() -> None:
    headers = '<zeebe:taskHeaders><zeebe:header key="status" value="8"/></zeebe:taskHeaders>'
    host = Host(jobs={"set": lambda job: Completed({"got": job.variables["x"] * 2})})
    run = Run(one(service("t", "set", headers + io({"x": "a + 1"}))), {"a": 1}, host)
    assert run.variables == {"a": 1, "got": 4}
    assert host.performed[0].headers == {"status": "8"} and host.performed[0].retries == 3


def test_handlers_cannot_change_the_instance_through_what_they_get() -> None:
    def greedy(job: JobOpened) -> Completed:
        job.variables["list"].append(9)
        return Completed()

    assert Run(one(service("t", "set")), {"list": [1]}, Host(jobs={"set": greedy})).variables == {"list": [1]}


def test_pending_job_completed_later() -> None:
    run = Run(one(service("t", "mail")), host=Host(jobs={"mail": lambda _: Pending()}))
    token = run.token("t", "jobs")
    assert run.tasks == [] and run.instance.live_tokens()[0].state == "STARTED"
    run.do("complete_job", token, {"sent": True})
    assert run.tasks == ["z"] and run.variables == {"sent": True}
    with pytest.raises((Conflict, NotFound)):
        run.instance.complete_job(token, {})


def test_a_failing_handler_is_an_incident_with_details_and_retry_does_it_again() -> None:
    outcomes: list[Outcome] = [Failed("数据库无此项目", {"projectId": 7}), Completed({"ok": 1})]
    run = Run(one(service("t", "x")), host=Host(jobs={"x": lambda _: outcomes.pop(0)}))
    incident = next(iter(run.rows.open["incidents"].values()))
    assert (incident.kind, incident.message, incident.details["projectId"]) == ("JOB_NO_RETRIES", "数据库无此项目", 7)
    run.do("retry", incident.token_id)
    assert run.tasks == ["z"] and run.variables == {"ok": 1}


def test_a_worker_out_of_retries_and_a_new_job_on_retry() -> None:
    run = Run(one(service("t", "x")), host=Host(jobs={"x": lambda _: Pending()}))
    token = run.token("t", "jobs")
    run.do("raise_incident", token, "JOB_NO_RETRIES", "超时")
    run.do("retry", token)
    assert run.rows.changes.closed_jobs == [token] and [j.token_id for j in run.rows.changes.jobs] == [token]
    run.do("complete_job", token, {})
    assert run.tasks == ["z"]


def test_an_error_that_no_caller_catches_either_is_an_incident_in_the_called_instance_which_lives() -> None:
    source, answers = one(service("t", "x")), [Thrown("E9", "no", {"v": 1}), Completed()]
    host = Host(jobs={"x": lambda _: answers.pop(0)}, caller_catches=False)
    called = Run(source, host=host, called=True)
    assert called.incidents == [("t", "UNHANDLED_ERROR_EVENT")] and not called.rows.changes.uncaught
    called.do("retry", called.at("t"))
    assert called.tasks == ["z"] and not called.incidents


def test_an_uncaught_error_code_is_an_incident_of_a_root_and_the_end_of_a_called_instance_whose_caller_catches_it() -> None:
    source, host = one(service("t", "x")), Host(jobs={"x": lambda _: Thrown("E9", "no", {"v": 1})})
    assert Run(source, host=host).incidents == [("t", "UNHANDLED_ERROR_EVENT")]
    called = Run(source, host=host, called=True)
    assert called.state == "TERMINATED"
    (uncaught,) = called.rows.changes.uncaught
    assert (uncaught.kind, uncaught.code, uncaught.variables) == ("error", "E9", {"v": 1})


def test_send_task_and_message_events_with_a_task_definition_are_jobs() -> None:
    definition = zeebe('<zeebe:taskDefinition type="publish_message"/>' + io({"messageName": '"m"'}))
    send = el("sendTask", "t", definition)
    throw = el("intermediateThrowEvent", "u", definition + "<messageEventDefinition/>")
    end = el("endEvent", "e", definition + "<messageEventDefinition/>")
    host = Host()
    run = Run(doc(START + send + throw + end + chain("s", "t", "u", "e")), host=host)
    assert run.state == "COMPLETED" and [job.element_id for job in host.performed] == ["t", "u", "e"]
    assert all(job.variables == {"messageName": "m"} for job in host.performed) and run.variables == {}


# ---------------------------------------------------------------------------------------------- scripts and decisions
def test_script_result_and_limit() -> None:
    assert Run(one(script("t", "{sum: a + b}", "r")), {"a": 1, "b": 2.5}).variables["r"] == {"sum": 3.5}


def test_an_expression_that_breaks_a_limit_is_an_incident_that_names_it() -> None:
    endless = "for a in 1..100000, b in 1..100000 return a * b"
    run = Run(one(script("t", "if n &gt; 5 then n else " + endless, "r")), {"n": 1})
    incident = next(iter(run.rows.open["incidents"].values()))
    assert incident.kind == "EXTRACT_VALUE_ERROR" and endless in incident.details["expression"]
    assert incident.details["values"]["n"] == 1 and incident.message
    run.do("set_variables", {"n": 6})
    run.do("retry", incident.token_id)
    assert run.tasks == ["z"] and run.variables["r"] == 6


def test_row_n_a_failing_step_after_a_user_task_is_an_incident_and_nothing_is_lost() -> None:
    body = START + user("a") + el("businessRuleTask", "d", zeebe('<zeebe:calledDecision decisionId="dec" resultVariable="out"/>'))
    host = Host()
    run = Run(doc(body + user("z") + END + chain("s", "a", "d", "z", "e")), host=host)
    run.complete("a", by="li")
    assert run.incidents == [("d", "CALLED_DECISION_ERROR")] and run.events("a") == ["entered", "completed"]
    host.decisions["dec"] = lambda context: context["by"]
    run.do("retry", run.token("d", "incidents"))
    assert run.tasks == ["z"] and run.variables == {"by": "li", "out": "li"}
    decided = run.rows.changes.decisions[0]
    assert (decided.decision_id, decided.decision_key, decided.output) == ("dec", 7, "li")


def test_manual_and_undefined_tasks_pass_through() -> None:
    assert Run(doc(START + el("manualTask", "m") + el("task", "t") + user("z") + END + chain("s", "m", "t", "z", "e"))).tasks == ["z"]


def test_receive_task_is_an_activity_that_waits() -> None:
    task = el("receiveTask", "t", zeebe(io(None, {"got": "note"})), messageRef="M1") + boundary("b", "t", ERROR)
    run = Run(one(task), {"key": "k"})
    run.message("t", note=3, noise=4)
    assert run.tasks == ["z"] and run.variables == {"key": "k", "got": 3}


def test_a_missing_correlation_key_is_an_incident_and_retry_subscribes() -> None:
    run = Run(one(el("receiveTask", "t", messageRef="M1")))
    assert run.incidents == [("t", "EXTRACT_VALUE_ERROR")] and not run.rows.open["messages"]
    run.do("set_variables", {"key": "k9"})
    run.do("retry", run.token("t", "incidents"))
    assert run.rows.open["messages"][run.token("t", "messages")].correlation_key == "k9"


def test_the_host_may_raise_an_incident_on_an_open_user_task_that_completing_resolves() -> None:
    run = Run(one(user("t")))
    run.do("raise_incident", run.token("t"), "FORM_NOT_FOUND", "没有表单")
    run.complete("t")
    assert run.tasks == ["z"] and run.incidents == []


# ---------------------------------------------------------------------------------------------- the whole instance
def test_cancel_closes_everything() -> None:
    body = START + user("t") + boundary("b", "t", '<messageEventDefinition messageRef="M1"/>', False) + END + chain("s", "t", "e")
    run = Run(doc(body + chain("b", "e")), {"key": "k"})
    run.do("cancel")
    assert run.state == "TERMINATED" and not run.tasks and not run.rows.open["messages"] and not run.rows.tokens
    with pytest.raises(Conflict):
        run.instance.cancel()


def test_a_loop_without_wait_state_stops_with_an_incident_and_can_go_on() -> None:
    body = START + el("exclusiveGateway", "x") + script("t", "n + 1", "n") + el("exclusiveGateway", "y", default="fe") + END
    body += chain("s", "x", "t", "y") + flow("y", "x", "n &lt; 100 or endless") + flow("y", "e", id="fe")
    run = Run(doc(body), {"n": 0, "endless": True}, step_limit=300)
    assert [kind for _, kind in run.incidents] == ["STEP_LIMIT"]
    run.do("set_variables", {"endless": False})
    run.do("retry", run.token(run.incidents[0][0], "incidents"))
    assert run.state == "COMPLETED"


def test_the_result_holds_the_process_variables() -> None:
    run = Run(doc(START + script("t", "1", "x") + END + chain("s", "t", "e")), {"a": 2})
    assert run.rows.changes.result == {"a": 2, "x": 1} and run.rows.changes.state == "COMPLETED"
