"""At most one active instance of a process for each correlation key of the messages that start it (Camunda 8: message start events)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import Engine, commands
from engine.bpmn.migration import Instructions
from engine.commands import message_starts
from engine.commands.messages import remove_expired
from engine.errors import Conflict
from engine.policy import SYSTEM
from engine.store import models as m

DIAGRAM = (Path(__file__).parent / "diagrams" / "message_start.bpmn").read_bytes()


def deploy(engine: Engine, content: bytes = DIAGRAM) -> None:
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("message_start.bpmn", content)])


def publish(engine: Engine, number: int = 1, key: str = "case-1", name: str = "applied", **more: Any) -> int:
    with engine.unit_of_work() as session:
        return commands.publish_message(session, SYSTEM, name, key, {"number": number, "waits": True}, **more)


def numbers(engine: Engine, process_id: str = "intake", active: bool = True) -> list[int]:
    """Which messages started an instance that is active (or any), in order."""
    instance, value = m.process_instance.c, m.variable.c
    statement = (
        select(value.value)
        .join(m.process_instance, instance.key == value.instance_key)
        .where(instance.process_id == process_id, value.name == "number", value.scope_id == 0)
    )
    if active:
        statement = statement.where(instance.state == "ACTIVE")
    with engine.reading() as session:
        return [int(found) for found in session.scalars(statement.order_by(instance.key))]


def instance(engine: Engine, process_id: str = "intake") -> int:
    c = m.process_instance.c
    with engine.reading() as session:
        return int(session.execute(select(c.key).where(c.process_id == process_id, c.state == "ACTIVE")).scalar_one())


def complete(engine: Engine, process_id: str = "intake") -> None:
    task = m.user_task.c
    with engine.unit_of_work() as session:
        key = session.execute(select(task.key).where(task.process_id == process_id, task.state == "CREATED")).scalar_one()
        commands.complete_task(session, SYSTEM, key, {})


def cancel(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, instance(engine), "测试")


def lose_after_commit(session: Any) -> None:
    """The process dies right after the commit."""
    session.info["after_commit"].clear()


@pytest.mark.parametrize("end", [complete, cancel])
def test_a_second_message_waits_until_the_first_instance_has_ended(engine: Engine, end: Any) -> None:
    deploy(engine)
    for number in (1, 2, 3):
        publish(engine, number)
    assert numbers(engine) == [1]
    end(engine)
    assert numbers(engine) == [2], "the oldest, and only one"
    end(engine)
    assert numbers(engine) == [3]
    end(engine)
    assert numbers(engine) == [] and numbers(engine, active=False) == [1, 2, 3]


def test_other_keys_no_key_and_other_processes_do_not_wait(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 1)
    publish(engine, 2, "case-2")
    publish(engine, 3, "")
    publish(engine, 4, "")
    assert numbers(engine) == [1, 2, 3, 4] and numbers(engine, "at_once") == [1, 2, 3, 4]


def test_the_key_counts_whatever_message_and_version_started_it(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 1)
    deploy(engine, DIAGRAM.replace("办理".encode(), "再办理".encode()))
    publish(engine, 2, name="urged")
    assert numbers(engine) == [1]
    complete(engine)
    assert numbers(engine) == [2]
    with engine.reading() as session:
        names = session.scalars(select(m.user_task.c.name).where(m.user_task.c.process_id == "intake").order_by(m.user_task.c.key))
        assert list(names) == ["办理", "再办理"], "the next one is of the latest version"


def test_a_held_message_expires_and_one_without_time_to_live_is_not_held(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 1)
    publish(engine, 2, ttl_seconds=0)
    publish(engine, 3, ttl_seconds=3600)
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    complete(engine)
    assert numbers(engine) == []
    with engine.unit_of_work() as session:
        remove_expired(session)
        assert session.scalar(select(func.count()).select_from(m.held_message)) == 0


def test_a_version_without_the_message_start_takes_no_held_message(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 1)
    publish(engine, 2)
    without = DIAGRAM.replace(b'messageEventDefinition id="i_applied_d" messageRef="m_applied"', b'signalEventDefinition signalRef="bell"')
    deploy(engine, without.replace(b'<bpmn:message id="m_applied"', b'<bpmn:signal id="bell" name="bell" /><bpmn:message id="m_applied"'))
    complete(engine)
    assert numbers(engine) == []


def test_messages_that_a_process_missed_before_its_deployment_do_not_start_it(engine: Engine) -> None:
    publish(engine, 1)
    deploy(engine)
    publish(engine, 2)
    complete(engine)
    engine.sweep()
    assert numbers(engine, active=False) == [2]


def test_instances_that_end_at_once_need_no_deep_stack(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_starts, "STARTED_AT_ONCE", 8)
    deploy(engine)
    publish(engine, 0)
    for number in range(1, 13):
        with engine.unit_of_work() as session:
            commands.publish_message(session, SYSTEM, "applied", "case-1", {"number": number, "waits": False})
    complete(engine, "at_once")
    assert numbers(engine, "at_once", active=False) == list(range(9)), "as many as one end lets start"
    engine.sweep()
    assert numbers(engine, "at_once", active=False) == list(range(13)), "the sweep lets the rest start"


def test_an_end_cut_off_after_the_commit_is_made_good_by_the_sweep(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 1)
    publish(engine, 2)
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, instance(engine), "测试")
        lose_after_commit(session)
    assert numbers(engine) == []
    engine.sweep()
    engine.sweep()
    assert numbers(engine) == [2]


def test_of_many_simultaneous_messages_one_starts_and_each_gets_its_turn(engine: Engine) -> None:
    deploy(engine)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: publish(engine, number), range(8)))
    assert len(numbers(engine)) == 1
    for _ in range(8):
        assert len(numbers(engine)) == 1
        complete(engine)
    assert numbers(engine) == [] and sorted(numbers(engine, active=False)) == list(range(8))


def test_a_message_that_comes_while_the_instance_ends_is_never_lost(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 0)
    with ThreadPoolExecutor(4) as pool:
        for number in range(1, 7):
            end, message = pool.submit(complete, engine), pool.submit(publish, engine, number)
            end.result()
            message.result()
            assert numbers(engine) == [number]


def test_migration_to_another_process_takes_the_key_along(engine: Engine) -> None:
    deploy(engine)
    publish(engine, 1, name="urged")
    publish(engine, 2, name="urged")
    with engine.unit_of_work() as session:
        target = session.scalars(select(m.process_definition.c.key).where(m.process_definition.c.process_id == "at_once")).one()
        plan = Instructions({"i_work": "o_work"}, propose=False)
        moved = instance(engine)
        commands.migrate_instance(session, SYSTEM, moved, target, plan)
    assert numbers(engine, "at_once") == [1] and numbers(engine) == [2], "the key is free in the process it has left"
    publish(engine, 3)
    assert numbers(engine, "at_once") == [1], "and taken in the process it is in"
    with pytest.raises(Conflict), engine.unit_of_work() as session:
        commands.undo_migration(session, SYSTEM, moved)
    complete(engine, "at_once")
    assert numbers(engine, "at_once") == [3]


def test_what_was_held_and_has_started_is_not_looked_at_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_starts, "STARTED_AT_ONCE", 1)
    deploy(engine)
    for number in range(4):
        publish(engine, number, name="urged")
    for number in range(4):
        assert numbers(engine) == [number]
        complete(engine)
    with engine.reading() as session:
        assert session.scalar(select(func.count()).select_from(m.held_message)) == 0
        assert message_starts.startable(session, 10) == []


def test_a_held_message_that_a_waiting_instance_takes_starts_nothing_more(engine: Engine) -> None:
    """A message goes to one instance of each process, whether it starts it or reaches it."""
    catch = (
        b'<bpmn:userTask id="i_work" name="\xe5\x8a\x9e\xe7\x90\x86">',
        b'<bpmn:receiveTask id="i_work" name="w" messageRef="m_applied">',
    )
    source = DIAGRAM.replace(*catch).replace(b"<bpmn:extensionElements><zeebe:userTask /></bpmn:extensionElements>", b"", 1)
    source = source.replace(b"</bpmn:userTask>", b"</bpmn:receiveTask>", 1)
    key = b'<bpmn:message id="m_applied" name="applied"><bpmn:extensionElements><zeebe:subscription correlationKey="=&quot;case-1&quot;" />'
    deploy(engine, source.replace(b'<bpmn:message id="m_applied" name="applied" />', key + b"</bpmn:extensionElements></bpmn:message>"))
    publish(engine, 1, name="urged")
    publish(engine, 2)
    assert numbers(engine) == [] and numbers(engine, active=False) == [2], "it reached the one that waited"
    engine.sweep()
    assert numbers(engine, active=False) == [2]
