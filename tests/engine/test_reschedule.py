"""Timers over values that the host keeps: evaluated again in the transaction that changes them, in called instances too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import Engine, clock, commands
from engine.errors import Invalid, NotFound
from engine.jobs.registry import JobContext
from engine.policy import SYSTEM
from engine.store import models as m
from engine.store import reads
from tests.engine.test_commands import clerk, complete, deploy, open_tasks, start, state


def moment(days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


def due(engine: Engine, key: int) -> datetime | None:
    with engine.reading() as session:
        return session.scalar(select(m.process_instance.c.next_due_at).where(m.process_instance.c.key == key))


def reschedule(engine: Engine, key: int, clock_value: dict[str, Any]) -> None:
    with engine.unit_of_work() as session:
        commands.reschedule(session, SYSTEM, key, {"clock": clock_value})


def begin(engine: Engine, handler: Any) -> tuple[int, int]:
    """-> keys of the root and of the instance it called, whose overdue timer is twenty days away."""
    engine.runtime.handlers.handler("test.pause", transactional=True)(handler)
    deploy(engine, "bound_clock.bpmn")
    key = start(engine, "item", {"clock": {"due": moment(20)}})
    return key, open_tasks(engine)[0].instance_key


def test_a_called_instance_follows_the_root_s_clock_null_unschedules_and_the_past_fires(engine: Engine) -> None:
    key, child = begin(engine, lambda _: {})
    first = due(engine, child)
    reschedule(engine, key, {"due": moment(30)})
    moved = due(engine, child)
    assert first is not None and moved is not None and timedelta(days=9) < moved - first < timedelta(days=11)
    reschedule(engine, key, {"due": None})
    assert due(engine, child) is None and engine.run_due() == 0
    reschedule(engine, key, {"due": moment(-1)})
    assert engine.run_due() == 1
    with engine.reading() as session:
        assert "e_overdue" in {e.element_id for e in reads.element_history(session, child)}
        assert reads.incidents(session) == []


def test_only_instances_with_the_named_values_follow(engine: Engine) -> None:
    """One root may carry several cases: each instance has the clock of its own."""
    key, child = begin(engine, lambda _: {})
    before = due(engine, child)
    for where, moved in (({"caseId": "7"}, False), ({"clock": {"due": moment(3)}}, False)):
        with engine.unit_of_work() as session:
            commands.reschedule(session, SYSTEM, key, {"clock": {"due": moment(30)}}, where=where)
        assert (due(engine, child) != before) is moved
    with engine.reading() as session:
        own = reads.variables(session, child)["clock"]
    with engine.unit_of_work() as session:
        commands.reschedule(session, SYSTEM, key, {"clock": {"due": moment(30)}}, where={"clock": own})
    assert due(engine, child) != before


def test_a_handler_reschedules_its_own_instance_in_the_same_transaction(engine: Engine) -> None:
    def pause(job: JobContext) -> dict[str, Any]:
        commands.reschedule(job.session, SYSTEM, job.root_key, {"clock": {"due": None}})
        return {}

    key, child = begin(engine, pause)
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key)
    assert due(engine, child) is None
    with engine.reading() as session:
        assert reads.variables(session, child)["clock"] == {"due": None} == reads.variables(session, key)["clock"]
    reschedule(engine, key, {"due": moment(-1)})
    engine.run_due()
    assert state(engine, key) == "COMPLETED"


def test_what_a_failing_handler_rescheduled_is_undone_with_it(engine: Engine) -> None:
    def broken(job: JobContext) -> dict[str, Any]:
        commands.reschedule(job.session, SYSTEM, job.root_key, {"clock": {"due": None}})
        raise Invalid(reason="no")

    key, child = begin(engine, broken)
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key)
    with engine.reading() as session:
        assert reads.variables(session, child)["clock"]["due"] is not None
        assert reads.variables(session, key)["clock"]["due"] is not None
        assert [i.kind for i in reads.incidents(session)] == ["JOB_NO_RETRIES"]


def test_an_ended_instance_is_left_alone_and_an_unknown_one_is_not_found(engine: Engine) -> None:
    key, _ = begin(engine, lambda _: {})
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, key, reason="test")
    reschedule(engine, key, {"due": None})
    assert state(engine, key) == "TERMINATED"
    with pytest.raises(NotFound):
        reschedule(engine, 999_999, {})
