"""Commands that meet in the middle of each other's transactions: who waits, who is told, and that nobody deadlocks."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from engine import Engine, clock, commands, runtime
from engine.commands.run_job import LEASE
from engine.commands.workers import Watch
from engine.errors import Conflict
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from tests.jobs import errands

DIAGRAM = Path(__file__).parent / "diagrams" / "parallel_review.bpmn"
CLERK = Actor("clerk", frozenset({"A.handler"}))


@pytest.fixture
def task(engine: Engine) -> int:
    """The open task of a review."""
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
        commands.start_instance(session, SYSTEM, "parallel_review", {"units": ["A"]})
    with engine.reading() as session:
        return int(session.execute(select(m.user_task.c.key)).scalar_one())


def wait_for_lock(engine: Engine, running: Future[Any]) -> None:
    """Until the other command stands at a lock; on SQLite it waits for its turn to write, which nothing shows."""
    waiting = text("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")
    while engine.runtime.database.dialect.name == "postgresql" and not running.done():
        with engine.reading() as session:
            if session.scalar(waiting):
                return


def test_draft_that_comes_while_the_task_is_completed_is_refused_and_leaves_no_row(engine: Engine, task: int) -> None:
    def save() -> None:
        with engine.unit_of_work() as session:
            commands.save_draft(session, CLERK, task, {"opinion": "写到一半"})

    with ThreadPoolExecutor(1) as pool:
        with engine.unit_of_work() as session:
            commands.complete_task(session, CLERK, task, {"opinion": "同意"})
            saving = pool.submit(save)
            wait_for_lock(engine, saving)
        with pytest.raises(Conflict):
            saving.result(timeout=30)
    with engine.reading() as session:
        assert session.execute(select(m.user_task_draft)).all() == []


def test_completion_waits_for_a_draft_that_is_being_kept_and_removes_it(engine: Engine, task: int) -> None:
    def complete() -> None:
        with engine.unit_of_work() as session:
            commands.complete_task(session, CLERK, task, {"opinion": "同意"})

    with ThreadPoolExecutor(1) as pool:
        with engine.unit_of_work() as session:
            commands.save_draft(session, CLERK, task, {"opinion": "写到一半"})
            completing = pool.submit(complete)
            wait_for_lock(engine, completing)
        completing.result(timeout=30)
    with engine.reading() as session:
        assert session.execute(select(m.user_task_draft)).all() == []


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_heartbeat_does_not_wait_for_a_command_that_cancels_its_jobs(engine: Engine) -> None:
    keys = errands.start(engine, 2)
    jobs = [errands.job(engine, key).key for key in keys]
    soon = clock.wall_now() + timedelta(seconds=1)
    for key in jobs:
        errands.change_job(engine, key, state="ACTIVATED", worker=engine.runtime.jobs.executor_id, deadline=soon)
    engine.runtime.leased.update(jobs)
    watch = Watch(engine.runtime, dead_after=LEASE, alone=False)
    with engine.unit_of_work() as session, ThreadPoolExecutor(1) as pool:
        commands.cancel_instance(session, SYSTEM, keys[0], "撤件")
        pool.submit(watch.beat).result(timeout=30)
    with engine.reading() as session:
        states = dict(session.execute(select(m.job.c.key, m.job.c.state)).all())
    assert states == {jobs[0]: "CANCELED", jobs[1]: "ACTIVATED"}
    assert errands.job(engine, keys[1]).deadline > soon


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_writer_that_never_ends_keeps_others_waiting_for_a_while_only(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "WAIT_SECONDS", 0.05)

    def write() -> None:
        with engine.unit_of_work():
            pass

    with ThreadPoolExecutor(1) as pool:
        with engine.unit_of_work(), pytest.raises(WaitedTooLong):
            pool.submit(write).result(timeout=30)
        pool.submit(write).result(timeout=30)
