"""Handlers with I/O: run after the commit, at least once, retried with back-off, then an incident; no process may die of them for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, clock, commands, open_engine
from engine.commands.run_job import MAX_DEATHS, back_off, run_job
from engine.jobs import BpmnError, HandlerRegistry, JobContext
from engine.policy import SYSTEM
from engine.settings import Settings
from tests.jobs import errands

PAST = timedelta(seconds=-1)


class Handler:
    """What the job does, set by each test; every call is noted."""

    def __init__(self) -> None:
        self.calls = 0
        self.act: Callable[[JobContext], dict[str, Any] | None] = lambda _job: {"answer": 42}

    def __call__(self, job: JobContext) -> dict[str, Any] | None:
        self.calls += 1
        return self.act(job)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def engine(database_url: str, tmp_path: Path, handler: Handler) -> Iterator[Engine]:
    registry = HandlerRegistry()
    registry.handler(errands.TYPE, transactional=False)(handler)
    opened = open_engine(Settings(database_url=database_url, jobs="inline", files_dir=tmp_path / "files"), registry)
    opened.create_schema()
    yield opened
    opened.close()


def _raise(error: Exception) -> Callable[[JobContext], None]:
    def act(_job: JobContext) -> None:
        raise error

    return act


def test_runs_after_the_commit_and_its_result_reaches_the_diagram(engine: Engine, handler: Handler) -> None:
    (key,) = errands.start(engine)
    assert handler.calls == 1
    assert (errands.state(engine, key), errands.job(engine, key).state) == ("COMPLETED", "COMPLETED")


def test_does_not_run_when_the_command_is_rolled_back(engine: Engine, handler: Handler) -> None:
    errands.start(engine)
    with pytest.raises(RuntimeError), engine.unit_of_work() as session:
        commands.start_instance(session, SYSTEM, "errand", {})
        raise RuntimeError
    assert handler.calls == 1


def test_failure_is_retried_after_a_growing_back_off_and_becomes_an_incident(engine: Engine, handler: Handler) -> None:
    handler.act = _raise(OSError("对方没有应答"))
    (key,) = errands.start(engine)
    for attempt in (1, 2):
        row = errands.job(engine, key)
        assert (row.state, row.attempts, row.retries) == ("CREATED", attempt, 3 - attempt)
        wait = row.not_before - clock.wall_now()
        assert back_off(attempt) - timedelta(seconds=9) < wait <= back_off(attempt)
        engine.sweep()
        assert handler.calls == attempt, "not before the back-off is over"
        errands.change_job(engine, row.key, not_before=clock.wall_now() + PAST)
        engine.sweep()
    (incident,) = errands.incidents(engine)
    assert (incident.kind, incident.message) == ("JOB_NO_RETRIES", "OSError: 对方没有应答")
    handler.act = lambda _job: {}
    with engine.unit_of_work() as session:
        commands.resolve_incident(session, SYSTEM, incident.key)
    assert (handler.calls, errands.state(engine, key)) == (4, "COMPLETED")


def test_back_off_doubles_up_to_an_hour() -> None:
    assert [back_off(n).total_seconds() for n in (1, 2, 3, 9, 10, 1000)] == [10, 20, 40, 2560, 3600, 3600]


def test_bpmn_error_takes_the_boundary_event(engine: Engine, handler: Handler) -> None:
    handler.act = _raise(BpmnError("refused", "缺材料"))
    (key,) = errands.start(engine)
    assert errands.ended_at(engine, key) == {"e_refused"}


def test_job_that_is_running_elsewhere_is_left_alone(engine: Engine, handler: Handler) -> None:
    nested: list[int] = []

    def act(job: JobContext) -> None:
        run_job(engine.runtime, errands.job(engine, job.instance_key).key)
        nested.append(handler.calls)

    handler.act = act
    errands.start(engine)
    assert nested == [1]


def test_result_of_a_case_that_was_cancelled_meanwhile_is_dropped(engine: Engine, handler: Handler) -> None:
    def act(job: JobContext) -> None:
        with engine.unit_of_work() as session:
            commands.cancel_instance(session, SYSTEM, job.instance_key, "撤件")

    handler.act = act
    (key,) = errands.start(engine)
    assert (errands.state(engine, key), errands.job(engine, key).state) == ("TERMINATED", "CANCELED")


def test_case_suspended_while_the_job_ran_does_it_again_when_resumed(engine: Engine, handler: Handler) -> None:
    handler.act = lambda job: errands.suspend(engine, job.instance_key)
    (key,) = errands.start(engine)
    assert errands.job(engine, key).state == "CREATED"
    engine.sweep()
    assert handler.calls == 1, "nothing runs while it is suspended"
    handler.act = lambda _job: {}
    errands.suspend(engine, key, False)
    engine.sweep()
    assert (handler.calls, errands.state(engine, key)) == (2, "COMPLETED")


def test_lost_job_is_found_by_the_sweep(engine: Engine, handler: Handler) -> None:
    engine.runtime.jobs.register("run_job", lambda _key: None)  # as after a crash between commit and job
    (key,) = errands.start(engine)
    engine.runtime.jobs.register("run_job", lambda job: run_job(engine.runtime, job))
    assert handler.calls == 0
    engine.sweep()
    assert (handler.calls, errands.state(engine, key)) == (1, "COMPLETED")


def test_job_that_kills_its_process_again_and_again_becomes_an_incident(engine: Engine, handler: Handler) -> None:
    class Killed(BaseException):
        """Stands for SIGKILL: nothing of ours runs any more."""

    handler.act = _raise(Killed())  # type: ignore[arg-type]
    with pytest.raises(Killed):
        errands.start(engine)
    with engine.reading() as session:
        key = int(session.execute(errands.select(errands.m.process_instance.c.key)).scalar_one())
    for deaths in range(1, MAX_DEATHS):
        row = errands.job(engine, key)
        assert (row.state, row.deaths, row.retries) == ("ACTIVATED", deaths - 1, 3), "a death costs no retry"
        errands.change_job(engine, row.key, deadline=clock.wall_now() + PAST)
        with pytest.raises(Killed):
            run_job(engine.runtime, row.key)
    row = errands.job(engine, key)
    errands.change_job(engine, row.key, deadline=clock.wall_now() + PAST)
    run_job(engine.runtime, row.key)
    (incident,) = errands.incidents(engine)
    assert handler.calls == MAX_DEATHS and "died 5 times" in incident.message
    handler.act = lambda _job: {}
    with engine.unit_of_work() as session:
        commands.resolve_incident(session, SYSTEM, incident.key)
    assert errands.state(engine, key) == "COMPLETED"
