"""Messages: time to live, uniqueness, one consumer per process, delivery after the commit at least once (Camunda 8: messages)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from engine import Engine, commands
from engine.commands import deliver_message as delivery
from engine.commands.deliver_message import deliver_message
from engine.commands.messages import remove_expired
from engine.errors import Conflict, Forbidden, Invalid
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from engine.store import reads

DIAGRAM = Path(__file__).parent / "diagrams" / "waiting.bpmn"


def publish(engine: Engine, key: str = "p1", name: str = "arrived", **more: Any) -> int:
    with engine.unit_of_work() as session:
        return commands.publish_message(session, SYSTEM, name, key, {"from": key}, **more)


def wait(engine: Engine, process_id: str = "waiter", key: str = "p1") -> int:
    """An instance that waits for the message `arrived` with this correlation key -> its key."""
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
    with engine.unit_of_work() as session:
        return commands.start_instance(session, SYSTEM, process_id, {"caseId": key})


def state(engine: Engine, key: int) -> str:
    with engine.reading() as session:
        return str(reads.instance(session, key).state)


def count(engine: Engine, table: Any) -> int:
    with engine.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def lose_after_commit(engine: Engine) -> Any:
    """A unit of work whose process dies right after the commit: nothing that follows the commit is done."""
    opened = engine.unit_of_work()

    class Cut:
        def __enter__(self) -> Any:
            self.session = opened.__enter__()
            return self.session

        def __exit__(self, *error: Any) -> None:
            self.session.info["after_commit"].clear()
            opened.__exit__(*error)

    return Cut()


def test_time_to_live_zero_reaches_those_who_wait_now_and_nobody_later(engine: Engine) -> None:
    first = wait(engine)
    publish(engine, ttl_seconds=0)
    assert state(engine, first) == "COMPLETED"
    publish(engine, ttl_seconds=0)
    assert state(engine, wait(engine)) == "ACTIVE"


def test_buffered_message_expires_on_the_business_clock(engine: Engine) -> None:
    publish(engine, ttl_seconds=3600)
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    assert state(engine, wait(engine)) == "ACTIVE"
    with engine.unit_of_work() as session:
        assert remove_expired(session) == 1


def test_undelivered_message_is_not_cleared_away_although_its_time_is_over(engine: Engine) -> None:
    key = wait(engine)
    with lose_after_commit(engine) as session:
        commands.publish_message(session, SYSTEM, "arrived", "p1", {}, ttl_seconds=0)
    with engine.unit_of_work() as session:
        assert remove_expired(session) == 0
    engine.sweep()
    assert state(engine, key) == "COMPLETED"


def test_living_message_id_is_refused_and_free_again_when_its_message_has_expired(engine: Engine) -> None:
    publish(engine, message_id="n1", ttl_seconds=3600)
    with pytest.raises(Conflict):
        publish(engine, message_id="n1")
    publish(engine, message_id="n2")
    publish(engine, "p2", message_id="n1")
    publish(engine, name="left", message_id="n1")
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    publish(engine, message_id="n1")
    assert count(engine, m.message) == 4


def test_one_of_eight_simultaneous_publications_of_a_message_id_counts(engine: Engine) -> None:
    key = wait(engine)

    def send(_number: int) -> str:
        try:
            publish(engine, message_id="same")
        except Conflict:
            return "refused"
        return "published"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == ["published"] + ["refused"] * 7
    assert state(engine, key) == "COMPLETED" and count(engine, m.message_correlation) == 1


def test_message_goes_to_one_instance_of_each_process(engine: Engine) -> None:
    waiting = [wait(engine), wait(engine), wait(engine, "other_waiter"), wait(engine, "other_waiter")]
    publish(engine)
    assert [state(engine, key) for key in waiting] == ["COMPLETED", "ACTIVE", "COMPLETED", "ACTIVE"]


def test_each_of_many_messages_finds_one_of_many_instances_that_open_at_once(engine: Engine) -> None:
    wait(engine, key="warm")

    def act(number: int) -> None:
        if number % 2:
            publish(engine)
        else:
            with engine.unit_of_work() as session:
                commands.start_instance(session, SYSTEM, "waiter", {"caseId": "p1"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(24)))
    engine.sweep()
    assert count(engine, m.message_subscription) == 1, "only the one of the other key still waits"
    assert count(engine, m.message_correlation) == 12


def test_listener_that_stays_open_gets_every_buffered_message_in_order(engine: Engine) -> None:
    for _ in range(3):
        publish(engine, name="noted")
    key = wait(engine, "listener")
    with engine.reading() as session:
        assert reads.variables(session, key)["count"] == 3


@pytest.mark.parametrize("repeats", [1, 3])
def test_message_cut_off_after_the_commit_is_delivered_once_by_the_sweep(engine: Engine, repeats: int) -> None:
    key = wait(engine, "listener")
    with lose_after_commit(engine) as session:
        message = commands.publish_message(session, SYSTEM, "noted", "p1", {})
    with engine.reading() as session:
        assert reads.variables(session, key)["count"] == 0
    for _ in range(repeats):
        engine.sweep()
    assert deliver_message(engine.runtime, message) == 0
    with engine.reading() as session:
        assert reads.variables(session, key)["count"] == 1


def test_subscription_cut_off_after_the_commit_gets_its_message_by_the_sweep(engine: Engine) -> None:
    publish(engine)
    wait(engine, key="other")
    with lose_after_commit(engine) as session:
        key = commands.start_instance(session, SYSTEM, "waiter", {"caseId": "p1"})
    assert state(engine, key) == "ACTIVE"
    engine.sweep()
    assert state(engine, key) == "COMPLETED"


def test_signal_delivered_twice_reaches_an_instance_once_whatever_number_of_waits_it_has(engine: Engine) -> None:
    key = wait(engine, "signal_listener")
    with lose_after_commit(engine) as session:
        signal = commands.broadcast_signal(session, SYSTEM, "bell", {})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: deliver_message(engine.runtime, signal), range(4)))
    with engine.reading() as session:
        values = reads.variables(session, key)
        assert (values["first"], values["second"]) == (1, 1)
        started = session.scalar(select(func.count()).where(m.process_instance.c.process_id == "rung"))
    assert started == 1


def test_fault_of_the_database_while_delivering_does_not_fail_the_sender(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    key = wait(engine)

    def fault(*_: Any) -> int:
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_correlate", fault)
        publish(engine, ttl_seconds=0)
    assert state(engine, key) == "ACTIVE"
    engine.sweep()
    assert state(engine, key) == "COMPLETED"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_two_processes_that_answer_each_other_many_times_need_no_deep_stack(engine: Engine) -> None:
    wait(engine)
    with engine.unit_of_work() as session:
        key = commands.start_instance(session, SYSTEM, "ping", {"caseId": "p1", "turns": 60})
    assert state(engine, key) == "COMPLETED"


def test_suspended_instance_takes_its_message_when_it_is_resumed(engine: Engine) -> None:
    key = wait(engine)
    suspended = m.process_instance.update().where(m.process_instance.c.key == key)
    with engine.unit_of_work() as session:
        session.execute(suspended.values(suspended_at=func.now()))
    publish(engine)
    engine.sweep()
    assert state(engine, key) == "ACTIVE"
    with engine.unit_of_work() as session:
        session.execute(suspended.values(suspended_at=None))
    engine.sweep()
    assert state(engine, key) == "COMPLETED"


@pytest.mark.parametrize("wrong", [{"ttl_seconds": -1}, {"ttl_seconds": 10**12}, {"name": ""}])
def test_impossible_message_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        publish(engine, **wrong)
    assert count(engine, m.message) == 0


def test_only_operators_publish(engine: Engine) -> None:
    with pytest.raises(Forbidden), engine.unit_of_work() as session:
        commands.publish_message(session, Actor("nobody"), "arrived", "p1", {})
