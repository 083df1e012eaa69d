"""Run one job whose handler does I/O: lease it, run the handler outside any transaction, then report in a transaction.

The lease is short and the process's heartbeat renews it while the handler runs (workers.py), so a job of a process that died is free
again after a minute at most, or as soon as its death is noticed. A job that kills its process again and again becomes an incident.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.environment import job_context
from engine.commands.work_jobs import complete_job, fail_job, free, throw_job_error
from engine.errors import Conflict, LianbanError, Suspended
from engine.jobs.registry import BpmnError, Handler, TaskDenied
from engine.policy import SYSTEM
from engine.runtime import Runtime, runtime_of
from engine.store import models as m
from engine.store import reads
from engine.unit_of_work import reading, unit_of_work

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
BACK_OFF = timedelta(seconds=10)
MAX_BACK_OFF = timedelta(hours=1)
MAX_DEATHS = 5
"""As often the process may die while it runs one job; then a person must look at the job first."""


def run_job(runtime: Runtime, key: int) -> None:
    """Do job `key` if it is still to do and this process has its handler; a failure is retried with back-off, then an incident."""
    with unit_of_work(runtime) as session:
        job = _lease(session, key)
    if job is None:
        return
    if job.deaths >= MAX_DEATHS:
        with _reporting(runtime, job) as session:
            fail_job(session, SYSTEM, key, retries=0, message=f"办理作业的进程已中断 {job.deaths} 次 (the worker died {job.deaths} times)")
        return
    with _held(runtime, key):
        _do(runtime, runtime.handlers.handlers[job.type], job)


def _do(runtime: Runtime, handler: Handler, job: Row[Any]) -> None:
    try:
        variables, corrections = _run(runtime, handler, job)
    except TaskDenied:
        with _reporting(runtime, job) as session:
            complete_job(session, SYSTEM, job.key, {}, denied=True)
        return
    except BpmnError as error:
        with _reporting(runtime, job) as session:
            throw_job_error(session, SYSTEM, job.key, error.code, error.message, error.variables)
        return
    except Exception as error:  # whatever a handler's I/O raises is retried and then shown as an incident
        log.exception("job failed", job_type=job.type, job=job.key)
        message = error.message() if isinstance(error, LianbanError) else f"{type(error).__name__}: {error}"
        with _reporting(runtime, job) as session:
            fail_job(session, SYSTEM, job.key, retries=job.retries - 1, message=message, back_off=back_off(job.attempts))
        return
    with _reporting(runtime, job) as session:
        complete_job(session, SYSTEM, job.key, variables, corrections=corrections)


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 10 s, 20 s, 40 s, ... an hour at most."""
    doublings = min(max(attempts - 1, 0), 20)
    return min(BACK_OFF * (1 << doublings), MAX_BACK_OFF)


@contextmanager
def _held(runtime: Runtime, key: int) -> Iterator[None]:
    """The heartbeat renews the lease of the job while the block runs."""
    runtime.leased.add(key)
    try:
        yield
    finally:
        runtime.leased.discard(key)


@contextmanager
def _reporting(runtime: Runtime, job: Row[Any]) -> Iterator[Session]:
    """A unit of work that reports on the job; when the case has gone on without it, or stands still, that is no error."""
    try:
        with unit_of_work(runtime) as session:
            yield session
    except Suspended:
        log.info("the case was suspended while the job ran; it will be done again", job=job.key)
        with unit_of_work(runtime) as session:
            mine = (m.job.c.key == job.key) & (m.job.c.state == "ACTIVATED") & (m.job.c.worker == job.worker)
            session.execute(m.job.update().where(mine).values(state="CREATED", worker=None, deadline=None))
    except Conflict:
        log.info("job was cancelled while it ran", job=job.key)


def _lease(session: Session, key: int) -> Row[Any] | None:
    """Take the job if it is free -> its row as it is now; None when there is nothing to do for this process."""
    runtime = runtime_of(session)
    statement = select(m.job, m.process_instance.c.suspended_at).join(m.process_instance, m.process_instance.c.key == m.job.c.instance_key)
    job = session.execute(statement.where(m.job.c.key == key, free()).with_for_update(of=m.job)).first()
    if job is None or job.suspended_at is not None or runtime.handlers.get(job.type) is None:
        return None
    values = {
        "state": "ACTIVATED",
        "worker": runtime.jobs.executor_id,
        "deadline": clock.wall_now() + LEASE,
        "attempts": job.attempts + 1,
        "deaths": job.deaths + (job.state == "ACTIVATED"),
    }
    session.execute(m.job.update().where(m.job.c.key == key).values(values))
    return session.execute(select(m.job).where(m.job.c.key == key)).one()


def _run(runtime: Runtime, handler: Handler, job: Row[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """-> the result variables, and what a task listener corrects."""
    with reading(runtime) as session:
        row = reads.instance(session, job.instance_key)
        context = job_context(session, row, job, SYSTEM.username, {})
        return handler.function(context) or {}, context.corrections
