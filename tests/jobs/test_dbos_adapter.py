"""DBOS behind the port: a job of a committed transaction runs, of a rolled-back one never; delayed jobs; inputs are JSON."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from engine import Engine, clock, open_engine
from engine.jobs.dbos_adapter import DbosJobs
from engine.settings import Settings


@pytest.fixture
def running(database_url: str) -> Iterator[tuple[Engine, list[int], threading.Event]]:
    engine = open_engine(Settings(database_url=database_url, jobs="dbos"))
    engine.create_schema()
    jobs = engine.runtime.jobs
    assert isinstance(jobs, DbosJobs)
    jobs.migrate()
    done: list[int] = []
    ran = threading.Event()

    def note(key: int) -> None:
        done.append(key)
        ran.set()

    jobs.register("note", note)
    # in a thread of its own: a browser test of the same process leaves Playwright's event loop in this one, which DBOS refuses
    with ThreadPoolExecutor(1) as thread:
        thread.submit(engine.start).result()
        yield engine, done, ran
        thread.submit(engine.close).result()


def test_job_runs_after_its_transaction_committed(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, done, ran = running
    with engine.unit_of_work() as session:
        engine.runtime.jobs.enqueue(session, "note", 7)
        assert not ran.wait(0.5), "nothing may run before the commit"
    assert ran.wait(20)
    assert done == [7]


def test_job_of_a_rolled_back_transaction_never_exists(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, done, ran = running

    class Undo(Exception):
        pass

    with pytest.raises(Undo), engine.unit_of_work() as session:
        engine.runtime.jobs.enqueue(session, "note", 8)
        raise Undo
    with engine.unit_of_work() as session:
        engine.runtime.jobs.enqueue(session, "note", 9)
    assert ran.wait(20)
    assert done == [9]


def test_delayed_job_runs_once_although_asked_for_twice(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, done, ran = running
    due = clock.wall_now() + timedelta(seconds=1)
    for _ in range(2):
        with engine.unit_of_work() as session:
            engine.runtime.jobs.enqueue_at(session, "note", 3, due)
    assert ran.wait(20)
    assert clock.wall_now() >= due
    assert done == [3]


def test_inputs_are_stored_as_json_not_pickled(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, _, ran = running
    with engine.unit_of_work() as session:
        engine.runtime.jobs.enqueue(session, "note", 11)
    assert ran.wait(20)
    table = "dbos.workflow_status" if engine.runtime.database.dialect.name == "postgresql" else "workflow_status"
    with engine.reading() as session:
        stored = session.execute(text(f"SELECT serialization, application_version FROM {table}")).all()
    assert {(row.serialization, row.application_version) for row in stored} == {("portable_json", "1")}


def _table(engine: Engine) -> str:
    return "dbos.workflow_status" if engine.runtime.database.dialect.name == "postgresql" else "workflow_status"


def test_pending_jobs_of_a_dead_process_run_again_here(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, done, ran = running
    with engine.unit_of_work() as session:
        engine.runtime.jobs.enqueue(session, "note", 21)
    assert ran.wait(20)
    assert engine.runtime.jobs.recover(["nobody", "dead"]) == 0
    _wait_until_ended(engine)
    ran.clear()
    with engine.unit_of_work() as session:  # as a process leaves it that was killed while it ran the job
        session.execute(text(f"UPDATE {_table(engine)} SET status = 'PENDING', executor_id = 'dead', output = NULL, completed_at = NULL"))
    assert engine.runtime.jobs.recover(["nobody", "dead"]) == 1
    assert ran.wait(20)
    assert done == [21, 21]


def test_ended_jobs_are_forgotten_after_a_while(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, _, ran = running
    with engine.unit_of_work() as session:
        engine.runtime.jobs.enqueue(session, "note", 31)
        engine.runtime.jobs.enqueue_at(session, "note", 32, clock.wall_now() + timedelta(days=90))
    assert ran.wait(20)
    _wait_until_ended(engine)
    assert engine.runtime.jobs.clean_up(timedelta(hours=1)) == 0
    assert engine.runtime.jobs.clean_up(timedelta(seconds=-5)) == 1
    with engine.reading() as session:
        assert [row.status for row in session.execute(text(f"SELECT status FROM {_table(engine)}"))] == ["DELAYED"]


def test_same_job_asked_for_by_several_sweeps_of_one_minute_runs_once(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, done, ran = running
    for _ in range(3):
        with engine.unit_of_work() as session:
            engine.runtime.jobs.enqueue(session, "note", 41, once="29010001")
    assert ran.wait(20)
    _wait_until_ended(engine)
    assert done == [41]


def _wait_until_ended(engine: Engine) -> None:
    pause = threading.Event()
    for _ in range(400):
        with engine.reading() as session:
            states = {row.status for row in session.execute(text(f"SELECT status FROM {_table(engine)}"))}
        if not states & {"ENQUEUED", "PENDING"}:
            return
        pause.wait(0.05)
    raise AssertionError("a job did not end")


def test_stop_says_whether_a_job_is_left_to_whoever_takes_over(running: tuple[Engine, list[int], threading.Event]) -> None:
    engine, _, ran = running
    jobs = engine.runtime.jobs
    with engine.unit_of_work() as session:
        jobs.enqueue(session, "note", 41)
        jobs.enqueue_at(session, "note", 42, clock.wall_now() + timedelta(days=90))
    assert ran.wait(20)
    _wait_until_ended(engine)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(jobs.stop).result(), "what waits in the queue is anybody's"
        with engine.unit_of_work() as session:  # as when the job did not end in time
            mine = f"UPDATE {_table(engine)} SET status = 'PENDING', executor_id = :me, output = NULL WHERE status = 'SUCCESS'"
            session.execute(text(mine), {"me": jobs.executor_id})
        assert not thread.submit(jobs.stop).result()
