"""Timers: 1,000 due among 100,000 waiting instances, found and fired by the sweep, each in its own transaction, against the job engine
alone (DBOS running jobs that do nothing)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks._measure import Database, Row, databases, row
from engine import Engine, clock, commands
from engine.jobs.dbos_adapter import DbosJobs
from engine.policy import SYSTEM
from engine.store import models as m

DIAGRAM = Path(__file__).parent / "diagrams" / "timer.bpmn"
WAITING, DUE, JOBS = 100_000, 1_000, 200
PATIENCE = 300.0


def run() -> list[Row]:
    """Rows of the table in var/bench.json, on SQLite and PostgreSQL: milliseconds of one timer and of one job."""
    with databases() as both, _business_clock():
        return [_measure(database) for database in both]


def _measure(database: Database) -> Row:
    job = _seconds_per_job(database)
    engine = database.open()
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
        definition = session.scalars(select(m.process_definition.c.key)).one()
    _wait(engine, definition)
    for _ in range(DUE):
        with engine.unit_of_work() as session:
            commands.start_instance(session, SYSTEM, "bench_timer", {})
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(days=2))
    began = time.perf_counter()
    fired = engine.run_due()
    spent = time.perf_counter() - began
    assert fired == DUE
    engine.close()
    return row(
        f"1,000 timers due among 100,000 waiting, each, vs one job of the job engine alone ({database.label})", spent / DUE, job, 1.0
    )


def _wait(engine: Engine, definition: int) -> None:
    """Instances whose timers are due in a month, as rows."""
    later = clock.now() + timedelta(days=30)
    common = {"definition_key": definition, "process_id": "bench_timer", "started_at": clock.now(), "started_by": "bench"}
    for first in range(1, WAITING, 10_000):
        rows = [{**common, "key": key, "root_key": key, "next_due_at": later} for key in range(first, first + 10_000)]
        with engine.unit_of_work() as session:
            session.execute(insert(m.process_instance), rows)
    if engine.runtime.database.dialect.name == "postgresql":
        with engine.runtime.database.begin() as connection:
            connection.exec_driver_sql("SELECT setval('process_instance_key_seq', (SELECT max(key) FROM process_instance))")


def _seconds_per_job(database: Database) -> float:
    engine = database.open(jobs="dbos")
    jobs = engine.runtime.jobs
    assert isinstance(jobs, DbosJobs)
    jobs.migrate()
    left, done = iter(range(JOBS - 1, -1, -1)), threading.Event()

    def nothing(_key: int) -> None:
        if next(left) == 0:
            done.set()

    jobs.register("nothing", nothing)
    with engine.unit_of_work() as session:
        for key in range(JOBS):
            jobs.enqueue(session, "nothing", key)
    with ThreadPoolExecutor(1) as thread:
        began = time.perf_counter()
        thread.submit(jobs.start).result()
        assert done.wait(PATIENCE), "the job engine did not finish"
        spent = time.perf_counter() - began
        thread.submit(jobs.stop).result()
    engine.close()
    return spent / JOBS


@contextmanager
def _business_clock() -> Iterator[None]:
    before = clock.offset()
    yield
    clock.set_offset(before)
