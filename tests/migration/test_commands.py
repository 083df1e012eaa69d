"""Migrating instances in the database: plan, trial, apply, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from engine import Engine, commands
from engine.bpmn.migration import Instructions, MigrationRefused
from engine.errors import Conflict, Forbidden, Invalid, Suspended
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from engine.store import reads
from tests.bpmn.support import END, MESSAGE, START, boundary, chain, doc, el, flow, gate, service, user, zeebe
from tests.migration.support import (
    CLERK,
    both_databases,
    complete,
    deploy,
    form,
    instance,
    migrate,
    open_tasks,
    rows,
    sequence,
    start,
    task,
    undo,
)


@both_databases
def test_the_instance_runs_on_the_new_definition_afterwards(engine: Engine) -> None:
    first = deploy(engine, sequence("a", "b"))
    key = start(engine, {"x": 1}, business_id="case-1")
    second = deploy(engine, sequence("a", "new", "b"))
    assert first != second
    before = open_tasks(engine, key)["a"]
    migrate(engine, key, second)
    after = open_tasks(engine, key)["a"]
    assert (before.key, before.definition_key, after.definition_key) == (after.key, first, second)
    complete(engine, key, "a")
    complete(engine, key, "new")
    complete(engine, key, "b")
    assert instance(engine, key).state == "COMPLETED" and instance(engine, key).definition_key == second
    with engine.reading() as session:
        (event,) = [e for e in reads.audit_of_business(session, "case-1") if e.action == "instance.migrated"]
    assert (event.data["fromKey"], event.data["toKey"]) == (str(first), str(second))


def test_migration_to_another_process(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    key = start(engine)
    other = deploy(engine, sequence("b", process_id="q"), process_id="q")
    migrate(engine, key, other, Instructions({"a": "b"}))
    assert open_tasks(engine, key)["b"].process_id == "q" and instance(engine, key).process_id == "q"


def test_who_may_not_operate_may_not_migrate(engine: Engine) -> None:
    source = deploy(engine, sequence("a"))
    key = start(engine)
    target = deploy(engine, sequence("a", "b"))
    nobody = Actor("nobody", powers=frozenset({"read_all"}))
    with engine.unit_of_work() as session:
        for act in (
            lambda: commands.migrate_instance(session, nobody, key, target),
            lambda: commands.undo_migration(session, nobody, key),
            lambda: commands.plan_migration(session, nobody, source, target),
            lambda: commands.try_migration(session, nobody, source, target),
            lambda: commands.create_batch(session, nobody, "cancel", [key], reason="x"),
        ):
            with pytest.raises(Forbidden):
                act()


def test_a_refused_migration_changes_nothing(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    key = start(engine)
    target = deploy(engine, sequence("z"))
    before = rows(engine, key)
    with pytest.raises(MigrationRefused) as caught:
        migrate(engine, key, target)
    assert [f.rule for f in caught.value.findings] == ["unmapped"] and "a" in caught.value.message("en")
    assert rows(engine, key) == before
    complete(engine, key, "a")
    assert instance(engine, key).state == "COMPLETED"


def test_an_ended_or_already_migrated_instance_is_a_conflict(engine: Engine) -> None:
    source = deploy(engine, sequence("a"))
    key = start(engine)
    target = deploy(engine, sequence("a", "b"))
    migrate(engine, key, target)
    with pytest.raises(Conflict):
        migrate(engine, key, target)
    complete(engine, key, "a")
    complete(engine, key, "b")
    with pytest.raises(Conflict):
        migrate(engine, key, source)


def test_a_suspended_instance_is_migrated_and_stays_suspended(engine: Engine) -> None:
    """Suspend, put the diagram right, migrate, resume: nobody works on the case meanwhile."""
    deploy(engine, sequence("a"))
    key = start(engine)
    with engine.unit_of_work() as session:
        commands.suspend_instance(session, SYSTEM, key, "修改流程")
    migrate(engine, key, deploy(engine, sequence("a", "b")))
    with pytest.raises(Suspended):
        complete(engine, key, "a")
    undo(engine, key)
    with engine.unit_of_work() as session:
        commands.resume_instance(session, SYSTEM, key)
    complete(engine, key, "a")
    assert instance(engine, key).state == "COMPLETED"


def test_the_request_body_of_camunda_8() -> None:
    pair = {"sourceElementId": "a", "targetElementId": "b"}
    assert commands.read_migration({"targetProcessDefinitionKey": "7", "mappingInstructions": [pair]}) == (
        7,
        Instructions({"a": "b"}, propose=False),
    )
    for body in (
        {},
        {"targetProcessDefinitionKey": "x", "mappingInstructions": []},
        {"targetProcessDefinitionKey": "7"},
        {"targetProcessDefinitionKey": "7", "mappingInstructions": [{"sourceElementId": "a"}]},
        {"targetProcessDefinitionKey": "7", "mappingInstructions": [pair, pair]},
        {"targetProcessDefinitionKey": "7", "mappingInstructions": ["a"]},
    ):
        with pytest.raises(Invalid):
            commands.read_migration(body)


# ---------------------------------------------------------------------- plan and trial
def test_the_plan_shows_the_difference(engine: Engine) -> None:
    source = deploy(engine, sequence("a", "b", "gone"))
    start(engine)
    target = deploy(engine, doc(START + user("a") + service("b", "x") + user("new") + END + chain("s", "a", "b", "new", "e")))
    with engine.reading() as session:
        found = commands.plan_migration(session, SYSTEM, source, target)
    statuses = {change.source or change.target: change.status for change in found.plan.elements}
    assert statuses == {"s": "same", "a": "changed", "b": "retyped", "gone": "removed", "e": "same", "new": "added"}
    assert found.plan.valid and (found.source.version, found.target.version) == (1, 2)
    assert found.instances == 1 and found.open_tasks == {"a": 1}
    assert {(f.rule, f.element_id) for f in found.plan.findings} == {("unmapped", "b"), ("unmapped", "gone")}


def test_the_same_definition_is_no_migration(engine: Engine) -> None:
    source = deploy(engine, sequence("a"))
    with engine.reading() as session, pytest.raises(Invalid):
        commands.plan_migration(session, SYSTEM, source, source)


@both_databases
def test_a_trial_says_for_each_instance_whether_it_works_and_changes_nothing(engine: Engine) -> None:
    source = deploy(engine, sequence("a", "b", "c"))
    stays, moves = start(engine, business_id="one"), start(engine, business_id="two")
    complete(engine, moves, "a")
    target = deploy(engine, sequence("a", "c"))
    before = rows(engine, stays), rows(engine, moves)
    with engine.reading() as session:
        trials = commands.try_migration(session, SYSTEM, source, target)
    assert [(t.instance_key, t.business_id, t.ok) for t in trials] == [(stays, "one", True), (moves, "two", False)]
    assert [f.element_id for f in trials[1].findings] == ["b"]
    assert (rows(engine, stays), rows(engine, moves)) == before
    with engine.reading() as session:
        assert session.scalar(select(func.count()).select_from(m.instance_migration)) == 0


def test_a_trial_runs_no_handler(engine: Engine) -> None:
    """A conditional boundary event that holds at once leads to a job: in a trial it is left alone."""
    source = deploy(engine, sequence("a"))
    key = start(engine, {"go": True})
    condition = "<conditionalEventDefinition><condition>=go</condition></conditionalEventDefinition>"
    body = START + user("a", "z") + service("work", "not_known_here") + END + chain("s", "a", "e") + chain("work", "z", "e")
    target = deploy(engine, doc(body + boundary("c", "a", condition) + flow("c", "work")))
    with engine.reading() as session:
        (trial,) = commands.try_migration(session, SYSTEM, source, target)
    assert trial.ok
    with engine.reading() as session:
        assert session.scalar(select(func.count()).select_from(m.job)) == 0
    migrate(engine, key, target)
    with engine.reading() as session:
        assert session.scalar(select(func.count()).select_from(m.job)) == 1
    with pytest.raises(Conflict, match="无法撤销"):
        undo(engine, key)


# ---------------------------------------------------------------------- what is open
@both_databases
def test_open_tasks_keep_people_and_form_unless_refreshed(engine: Engine) -> None:
    deploy(engine, task("OLD", "f1", "审查"), form("f1"))
    kept, refreshed = start(engine), start(engine)
    target = deploy(engine, task("NEW", "f2", "复核"), form("f2"))
    migrate(engine, kept, target)
    assert (open_tasks(engine, kept)["a"].form_id, open_tasks(engine, kept)["a"].candidate_groups) == ("f1", ["OLD"])
    migrate(engine, refreshed, target, Instructions(refresh_tasks=True))
    now = open_tasks(engine, refreshed)["a"]
    assert (now.form_id, now.name, now.candidate_groups, now.properties) == ("f2", "复核", ["NEW"], {"unit": "NEW"})
    with engine.unit_of_work() as session:
        commands.claim_task(session, CLERK, now.key)
    complete(engine, refreshed, "a", opinion="ok")


def test_a_claimed_task_stays_claimed(engine: Engine) -> None:
    deploy(engine, task("NEW", "f1", "审查"), form("f1"))
    key = start(engine)
    with engine.unit_of_work() as session:
        commands.claim_task(session, CLERK, open_tasks(engine, key)["a"].key)
    migrate(engine, key, deploy(engine, task("OTHER", "f1", "审查")), Instructions(refresh_tasks=True))
    assert open_tasks(engine, key)["a"].assignee == CLERK.username


@both_databases
def test_message_subscriptions_and_jobs_carry_the_new_element_ids(engine: Engine) -> None:
    def version(host: str, event: str, work: str, name: str) -> bytes:
        body = START + user(host) + service(work, "outside") + END + flow("s", host) + flow("s", work) + chain(host, "e") + chain(work, "e")
        return doc(body + el("boundaryEvent", event, MESSAGE, attachedToRef=host, name=name) + flow(event, "e"))

    deploy(engine, version("a", "m", "w", "旧"))
    key = start(engine, {"key": "K"})
    target = deploy(engine, version("a2", "m2", "w2", "新"))
    migrate(engine, key, target, Instructions({"a": "a2", "m": "m2", "w": "w2"}))
    with engine.reading() as session:
        (wait,) = session.execute(select(m.message_subscription)).all()
        (job,) = session.execute(select(m.job)).all()
    assert (wait.element_id, wait.element_name, job.element_id) == ("m2", "新", "w2")
    with engine.unit_of_work() as session:
        commands.publish_message(session, SYSTEM, "M1", "K", {})
    with engine.unit_of_work() as session:
        commands.complete_job(session, SYSTEM, job.key, {})
    assert instance(engine, key).state == "COMPLETED"


def test_an_incident_is_mended_by_a_new_version(engine: Engine) -> None:
    """Camunda: correcting mistakes in a process instance."""

    def version(condition: str) -> bytes:
        body = START + user("a", "b") + gate("x", "exclusive") + END + chain("s", "a", "x") + flow("x", "b", condition) + chain("b", "e")
        return doc(body)

    deploy(engine, version("misspelt"))
    key = start(engine, {"good": True}, business_id="case-1")
    complete(engine, key, "a")
    with engine.reading() as session:
        (incident,) = reads.incidents(session)
    migrate(engine, key, deploy(engine, version("good")))
    with engine.unit_of_work() as session:
        commands.resolve_incident(session, SYSTEM, incident.key)
    assert list(open_tasks(engine, key)) == ["b"] and instance(engine, key).incidents == 0


def test_a_called_instance_is_migrated_by_itself(engine: Engine) -> None:
    call = el("callActivity", "c", zeebe('<zeebe:calledElement processId="child"/>'))
    deploy(engine, sequence("one", process_id="child"), process_id="child")
    parent_source = deploy(engine, doc(START + call + END + chain("s", "c", "e")))
    key = start(engine)
    with engine.reading() as session:
        child = next(row.key for row in session.execute(select(m.process_instance)) if row.key != key)
    migrate(engine, child, deploy(engine, sequence("one", "two", process_id="child"), process_id="child"))
    migrate(engine, key, deploy(engine, doc(START + call + user("after") + END + chain("s", "c", "after", "e"))))
    assert instance(engine, key).definition_key != parent_source
    complete(engine, child, "one")
    complete(engine, child, "two")
    assert list(open_tasks(engine, key)) == ["after"]
