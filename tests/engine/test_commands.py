"""The commands on a real database: complete, claim, calls, messages, timers, incidents, cancellation, drafts."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import Engine, commands
from engine.errors import Conflict, DeploymentRefused, Forbidden, NotFound
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from engine.store import reads

DIAGRAMS = Path(__file__).parent / "diagrams"


def deploy(engine: Engine, *names: str) -> None:
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(name, (DIAGRAMS / name).read_bytes()) for name in names])


def start(engine: Engine, process_id: str, variables: dict[str, Any] | None = None, **more: Any) -> int:
    with engine.unit_of_work() as session:
        return commands.start_instance(session, SYSTEM, process_id, variables or {}, **more)


def open_tasks(engine: Engine) -> list[Any]:
    with engine.reading() as session:
        return list(session.execute(select(m.user_task).where(m.user_task.c.state == "CREATED").order_by(m.user_task.c.key)).all())


def complete(engine: Engine, actor: Actor, key: int, data: dict[str, Any] | None = None) -> None:
    with engine.unit_of_work() as session:
        commands.complete_task(session, actor, key, data or {})


def state(engine: Engine, key: int) -> str:
    with engine.reading() as session:
        return str(reads.instance(session, key).state)


def clerk(group: str, name: str = "") -> Actor:
    return Actor(name or group.lower(), frozenset({group}))


def test_joint_review_needs_every_member_and_collects_their_opinions(engine: Engine) -> None:
    deploy(engine, "parallel_review.bpmn")
    key = start(engine, "parallel_review", {"units": ["A", "B", "C"]}, business_id="p1")
    members = open_tasks(engine)
    assert [t.candidate_groups for t in members] == [["A.handler"], ["B.handler"], ["C.handler"]]
    for task, unit in zip(members, "CBA", strict=True):
        with pytest.raises(Forbidden):
            complete(engine, clerk("LEAD.handler"), task.key)
        complete(engine, clerk(task.candidate_groups[0]), task.key, {"opinion": f"同意{unit}"})
    (summary,) = open_tasks(engine)
    assert summary.element_id == "t_sum"
    with engine.reading() as session:
        opinions = reads.variables(session, key)["opinions"]
    assert [o["unit"] for o in opinions] == ["A", "B", "C"]
    complete(engine, clerk("LEAD.handler"), summary.key)
    assert state(engine, key) == "COMPLETED"


def test_second_submit_is_a_conflict_and_changes_nothing(engine: Engine) -> None:
    deploy(engine, "parallel_review.bpmn")
    key = start(engine, "parallel_review", {"units": ["A", "B"]})
    task = open_tasks(engine)[0]
    complete(engine, clerk("A.handler"), task.key)
    before = (len(open_tasks(engine)), _version(engine, key))
    with pytest.raises(Conflict):
        complete(engine, clerk("A.handler"), task.key)
    assert before == (len(open_tasks(engine)), _version(engine, key))


def test_whoever_gave_an_opinion_may_not_sum_up(engine: Engine) -> None:
    deploy(engine, "parallel_review.bpmn")
    start(engine, "parallel_review", {"units": ["A"]})
    both = Actor("anna", frozenset({"A.handler", "LEAD.handler"}))
    complete(engine, both, open_tasks(engine)[0].key)
    with pytest.raises(Forbidden):
        complete(engine, both, open_tasks(engine)[0].key)
    complete(engine, clerk("LEAD.handler"), open_tasks(engine)[0].key)


def test_claim_keeps_colleagues_out_until_it_is_given_back(engine: Engine) -> None:
    deploy(engine, "parallel_review.bpmn")
    start(engine, "parallel_review", {"units": ["A"]})
    (task,) = open_tasks(engine)
    anna, bert = clerk("A.handler", "anna"), clerk("A.handler", "bert")
    with engine.unit_of_work() as session:
        commands.claim_task(session, anna, task.key)
    with pytest.raises(Forbidden), engine.unit_of_work() as session:
        commands.claim_task(session, bert, task.key)
    with pytest.raises(Forbidden):
        complete(engine, bert, task.key)
    with engine.unit_of_work() as session:
        commands.unclaim_task(session, anna, task.key)
    complete(engine, bert, task.key)


def test_draft_is_kept_per_person_and_gone_after_completion(engine: Engine) -> None:
    deploy(engine, "parallel_review.bpmn")
    start(engine, "parallel_review", {"units": ["A"]})
    (task,) = open_tasks(engine)
    with engine.unit_of_work() as session:
        commands.save_draft(session, clerk("A.handler"), task.key, {"opinion": "写到一半"})
    with engine.reading() as session:
        draft = reads.draft(session, task.key, "a.handler")
        assert draft is not None and draft.data == {"opinion": "写到一半"}
        assert reads.draft(session, task.key, "bert") is None
    complete(engine, clerk("A.handler"), task.key)
    with engine.reading() as session:
        assert reads.draft(session, task.key, "a.handler") is None


def test_called_process_is_an_instance_of_its_own_and_returns_mapped_variables(engine: Engine) -> None:
    deploy(engine, "caller.bpmn", "called.bpmn")
    key = start(engine, "caller", {"amount": 21}, business_id="p1", owner="muge")
    (task,) = open_tasks(engine)
    with engine.reading() as session:
        child = reads.instance(session, task.instance_key)
    assert (child.process_id, child.parent_key, child.root_key, child.business_id, child.owner) == ("called", key, key, "p1", "muge")
    complete(engine, clerk("A.handler"), task.key, {"result": "受理"})
    assert state(engine, child.key) == "COMPLETED"
    with engine.reading() as session:
        values = reads.variables(session, key)
    assert values["answer"] == 42
    assert "doubled" not in values
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key)
    assert state(engine, key) == "COMPLETED"


def test_error_of_a_called_process_is_caught_by_the_caller(engine: Engine) -> None:
    deploy(engine, "caller.bpmn", "called.bpmn")
    key = start(engine, "caller", {"amount": 1})
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key, {"result": "不予受理"})
    assert state(engine, key) == "COMPLETED"
    with engine.reading() as session:
        assert "e_refused" in {e.element_id for e in reads.element_history(session, key)}


def test_called_process_without_a_none_start_is_an_incident(engine: Engine) -> None:
    caller = (DIAGRAMS / "caller.bpmn").read_bytes().replace(b'processId="called"', b'processId="item"')
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("caller.bpmn", caller), ("messages.bpmn", (DIAGRAMS / "messages.bpmn").read_bytes())])
    key = start(engine, "caller", {"amount": 1})
    with engine.reading() as session:
        (incident,) = reads.incidents(session)
    assert (incident.element_id, incident.kind, incident.instance_key) == ("call", "CALLED_ELEMENT_ERROR", key)


def test_cancel_takes_called_instances_along(engine: Engine) -> None:
    deploy(engine, "caller.bpmn", "called.bpmn")
    key = start(engine, "caller", {"amount": 1})
    with pytest.raises(Forbidden), engine.unit_of_work() as session:
        commands.cancel_instance(session, clerk("A.handler"), key, "撤件")
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, key, "撤件")
    assert open_tasks(engine) == []
    with engine.reading() as session:
        assert set(session.scalars(select(m.process_instance.c.state))) == {"TERMINATED"}


def test_message_starts_another_root_and_its_answer_comes_back(engine: Engine) -> None:
    deploy(engine, "messages.bpmn")
    key = start(engine, "main", {"projectId": "p7"}, business_id="p7", owner="muge")
    (task,) = open_tasks(engine)
    with engine.reading() as session:
        item = reads.instance(session, task.instance_key)
    assert (item.parent_key, item.root_key, item.business_id, item.owner) == (None, item.key, "p7", "muge")
    complete(engine, clerk("A.handler"), task.key)
    assert (state(engine, key), state(engine, item.key)) == ("COMPLETED", "COMPLETED")
    with engine.reading() as session:
        assert reads.variables(session, key)["itemResult"] == "granted"


def test_message_waits_for_a_later_subscriber_and_is_consumed_once(engine: Engine) -> None:
    deploy(engine, "messages.bpmn")
    with engine.unit_of_work() as session:
        commands.publish_message(session, SYSTEM, "item_done", "p9", {"itemResult": "early"})
    first = start(engine, "main", {"projectId": "p9"})
    second = start(engine, "main", {"projectId": "p9"})
    assert (state(engine, first), state(engine, second)) == ("COMPLETED", "ACTIVE")


def test_timer_fires_on_the_business_clock(engine: Engine) -> None:
    deploy(engine, "messages.bpmn")
    start(engine, "main", {"projectId": "p1"})
    (task,) = open_tasks(engine)
    assert engine.run_due() == 0
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(days=4))
    assert engine.run_due() == 1
    assert engine.run_due() == 0
    with engine.reading() as session:
        assert reads.variables(session, task.instance_key)["late"] is True
    assert [t.key for t in open_tasks(engine)] == [task.key]


def test_unknown_process_and_task_are_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        start(engine, "nothing")
    with pytest.raises(NotFound):
        complete(engine, SYSTEM, 999 << 24)


def test_same_content_makes_no_new_version_and_a_change_makes_one(engine: Engine) -> None:
    content = (DIAGRAMS / "called.bpmn").read_bytes()
    versions = []
    for body in (content, content, content.replace("加倍".encode(), "翻倍".encode())):
        with engine.unit_of_work() as session:
            (item,) = commands.deploy(session, SYSTEM, [("called.bpmn", body)]).items
            versions.append((item.version, item.new))
    assert versions == [(1, True), (1, False), (2, True)]


def test_deployment_is_refused_whole_with_findings(engine: Engine) -> None:
    bad = (DIAGRAMS / "called.bpmn").read_bytes().replace(b"=given * 2", b"=given * ")
    with pytest.raises(DeploymentRefused) as refused, engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("caller.bpmn", (DIAGRAMS / "caller.bpmn").read_bytes()), ("called.bpmn", bad)])
    assert any(f.element_id == "s" for f in refused.value.findings)
    with engine.reading() as session:
        assert session.scalar(select(func.count()).select_from(m.process_definition)) == 0


def test_deploying_needs_the_power(engine: Engine) -> None:
    with pytest.raises(Forbidden), engine.unit_of_work() as session:
        commands.deploy(session, clerk("A.handler"), [("called.bpmn", (DIAGRAMS / "called.bpmn").read_bytes())])


def test_failing_expression_is_an_incident_that_a_person_resolves(engine: Engine) -> None:
    bad = (DIAGRAMS / "called.bpmn").read_bytes().replace(b"=given * 2", b"=assert(given, given != null) * 2")
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("called.bpmn", bad)])
    key = start(engine, "called", {})
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key, {"result": "受理"})
    with engine.reading() as session:
        (incident,) = reads.incidents(session)
        assert incident.element_id == "s"
        assert reads.instance(session, key).incidents == 1
    with engine.unit_of_work() as session:
        commands.resolve_incident(session, SYSTEM, incident.key)
    with engine.reading() as session:
        assert len(reads.incidents(session)) == 1, "the cause was not mended: it fails again"


def test_eight_departments_at_the_same_moment(engine: Engine) -> None:
    """The main job: no error, no lost opinion, the join fires once."""
    deploy(engine, "parallel_review.bpmn")
    units = [f"U{i}" for i in range(8)]
    for _ in range(3):
        key = start(engine, "parallel_review", {"units": units})
        tasks = open_tasks(engine)
        barrier, failures = threading.Barrier(len(tasks)), []

        def work(task: Any, barrier: threading.Barrier = barrier, failures: list[Any] = failures) -> None:
            barrier.wait()
            try:
                complete(engine, clerk(task.candidate_groups[0]), task.key, {"opinion": task.candidate_groups[0]})
            except Exception as error:  # noqa: BLE001  # collected and asserted below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        (summary,) = open_tasks(engine)
        with engine.reading() as session:
            opinions = reads.variables(session, key)["opinions"]
        assert [o["opinion"] for o in opinions] == [f"{u}.handler" for u in units]
        complete(engine, clerk("LEAD.handler"), summary.key)


def _version(engine: Engine, key: int) -> int:
    with engine.reading() as session:
        return int(reads.instance(session, key).version)
