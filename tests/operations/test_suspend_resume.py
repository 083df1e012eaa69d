"""挂起、恢复: a suspended case stands still whoever comes, and catches up when it is resumed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import Engine, clock, commands
from engine.errors import Conflict, Forbidden, Invalid, Suspended
from engine.policy import SYSTEM
from engine.store import models as m
from engine.store import reads
from tests.bpmn.support import END, ERROR, MESSAGE, SIGNAL, START, boundary, chain, doc, el, gate, service, timer, zeebe
from tests.operations.support import (
    ANNA,
    LINE,
    OPERATOR,
    audited,
    both_databases,
    complete,
    deploy,
    do,
    open_ids,
    open_task,
    process,
    start,
    state,
    task,
    version,
)


def suspend(engine: Engine, key: int) -> None:
    do(engine, commands.suspend_instance, OPERATOR, key, "特别程序")


def resume(engine: Engine, key: int) -> None:
    do(engine, commands.resume_instance, OPERATOR, key)


@both_databases
def test_nothing_is_done_while_it_is_suspended(engine: Engine) -> None:
    deploy(engine, process(LINE, returnPolicy="branch"))
    key = start(engine, business_id="p1")
    done = complete(engine, "a")
    suspend(engine, key)
    before, open_one = version(engine, key), open_task(engine, "b").key
    for command, arguments in (
        (commands.complete_task, (open_one, {})),
        (commands.claim_task, (open_one,)),
        (commands.withdraw_task, (done,)),
        (commands.add_sign, (open_one, "before", [commands.Asked("otto")])),
    ):
        with pytest.raises(Suspended, match="已暂停"):
            do(engine, command, ANNA, *arguments)
    with pytest.raises(Suspended):
        do(engine, commands.return_task, ANNA, open_one, "a", reason="退")
    with pytest.raises(Suspended):
        do(engine, commands.jump_to_element, OPERATOR, open_one, "c", reason="跳")
    do(engine, commands.save_draft, ANNA, open_one, {"opinion": "先写着"})
    assert open_ids(engine) == ["b"] and version(engine, key) == before
    resume(engine, key)
    complete(engine, "b")
    assert [e.data for e in audited(engine, "instance.suspended")] == [{"reason": "特别程序"}] and audited(engine, "instance.resumed")


def test_overdue_timers_fire_on_resumption_and_not_before(engine: Engine) -> None:
    body = START + task("a") + boundary("b", "a", timer("PT1H")) + task("late") + END + chain("s", "a", "e") + chain("b", "late", "e")
    deploy(engine, process(body))
    key = start(engine)
    suspend(engine, key)
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    assert engine.run_due() == 0 and engine.next_due() is None
    with engine.unit_of_work() as session:
        assert commands.advance(session, key) == 0
    assert open_ids(engine) == ["a"]
    resume(engine, key)
    assert open_ids(engine) == ["late"]


@both_databases
def test_messages_wait_and_arrive_after_it(engine: Engine) -> None:
    catch = el("intermediateCatchEvent", "w", MESSAGE)
    deploy(engine, process(START + catch + task("z") + END + chain("s", "w", "z", "e")))
    key = start(engine, variables={"key": "k"})
    suspend(engine, key)
    with engine.unit_of_work() as session:
        commands.publish_message(session, SYSTEM, "M1", "k", {"said": 1})
    engine.sweep()
    assert open_ids(engine) == []
    with engine.reading() as session:
        subscription = session.execute(select(m.message_subscription)).one()
    with pytest.raises(Suspended):
        do(engine, commands.correlate_subscription, OPERATOR, subscription.key, {})
    resume(engine, key)
    assert open_ids(engine) == ["z"]


def test_another_instance_of_the_process_may_take_the_message_meanwhile(engine: Engine) -> None:
    catch = el("intermediateCatchEvent", "w", MESSAGE)
    deploy(engine, process(START + catch + task("z") + END + chain("s", "w", "z", "e")))
    first, second = start(engine, variables={"key": "k"}), start(engine, variables={"key": "k"})
    suspend(engine, first)
    with engine.unit_of_work() as session:
        commands.publish_message(session, SYSTEM, "M1", "k", {})
    assert open_task(engine, "z").instance_key == second
    resume(engine, first)
    assert len(open_ids(engine)) == 1


@both_databases
def test_a_signal_is_kept_for_it(engine: Engine) -> None:
    catch = el("intermediateCatchEvent", "w", SIGNAL)
    deploy(engine, process(START + catch + task("z") + END + chain("s", "w", "z", "e")))
    key, other = start(engine), start(engine)
    suspend(engine, key)
    with engine.unit_of_work() as session:
        commands.broadcast_signal(session, SYSTEM, "S1", {})
    engine.sweep()
    assert [t.instance_key for t in _tasks(engine)] == [other]
    resume(engine, key)
    assert sorted(t.instance_key for t in _tasks(engine)) == [key, other]


@both_databases
def test_jobs_are_not_handed_out(engine: Engine) -> None:
    deploy(engine, process(START + service("o", "outside") + END + chain("s", "o", "e")))
    key = start(engine)
    suspend(engine, key)
    assert _activate(engine) == []
    resume(engine, key)
    (job,) = _activate(engine)
    suspend(engine, key)
    with pytest.raises(Suspended):
        do(engine, commands.complete_job, SYSTEM, job.key, {})
    resume(engine, key)
    do(engine, commands.complete_job, SYSTEM, job.key, {})
    assert state(engine, key) == "COMPLETED"


@both_databases
def test_the_whole_tree_of_called_processes_stands_still(engine: Engine) -> None:
    call = el("callActivity", "ca", zeebe('<zeebe:calledElement processId="child"/>'))
    parent = START + gate("f") + call + task("o") + gate("j") + END + chain("s", "f", "ca", "j", "e") + chain("f", "o", "j")
    deploy(engine, process(parent, "parent"), process(START + task("x") + END + chain("s", "x", "e"), "child"))
    key = start(engine, "parent")
    child = open_task(engine, "x").instance_key
    suspend(engine, child)
    for element in ("x", "o"):
        with pytest.raises(Suspended):
            complete(engine, element)
    with engine.reading() as session:
        assert all(reads.instance(session, each).suspended_at is not None for each in (key, child))
    resume(engine, child)
    complete(engine, "x")
    complete(engine, "o")
    assert state(engine, key) == "COMPLETED"


def test_it_may_be_cancelled_while_suspended(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    suspend(engine, key)
    do(engine, commands.cancel_instance, OPERATOR, key, "撤件")
    assert state(engine, key) == "TERMINATED"
    with pytest.raises(Conflict):
        resume(engine, key)


def test_who_may_and_when(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    with pytest.raises(Forbidden):
        do(engine, commands.suspend_instance, ANNA, key, "x")
    with pytest.raises(Invalid):
        do(engine, commands.suspend_instance, OPERATOR, key, " ")
    with pytest.raises(Conflict):
        resume(engine, key)
    suspend(engine, key)
    with pytest.raises(Conflict):
        suspend(engine, key)
    with pytest.raises(Forbidden):
        do(engine, commands.resume_instance, ANNA, key)


def test_an_incident_is_not_retried_meanwhile(engine: Engine) -> None:
    end = el("endEvent", "x", ERROR)
    deploy(engine, doc(START + task("a") + end + chain("s", "a", "x")))
    key = start(engine)
    complete(engine, "a")
    suspend(engine, key)
    with engine.reading() as session:
        incident = session.scalar(select(m.incident.c.key))
    with pytest.raises(Suspended):
        do(engine, commands.resolve_incident, OPERATOR, incident)
    assert clock.offset() == timedelta(0)


def _tasks(engine: Engine) -> list[Any]:
    with engine.reading() as session:
        return list(session.execute(select(m.user_task).where(m.user_task.c.state == "CREATED")).all())


def _activate(engine: Engine) -> list[Any]:
    with engine.unit_of_work() as session:
        return list(commands.activate_jobs(session, SYSTEM, "outside", worker="w", timeout=timedelta(minutes=1), limit=5))
