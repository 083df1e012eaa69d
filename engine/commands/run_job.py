"""Run one job whose handler does I/O: lease it, run the handler outside any transaction, then report in a transaction."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.environment import job_context
from engine.commands.work_jobs import complete_job, fail_job, throw_job_error
from engine.errors import Conflict, LianbanError
from engine.jobs.registry import BpmnError, Handler
from engine.policy import SYSTEM
from engine.runtime import Runtime
from engine.store import models as m
from engine.store import reads
from engine.unit_of_work import reading, unit_of_work

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
BACK_OFF = timedelta(seconds=10)


def run_job(runtime: Runtime, key: int) -> None:
    """Do job `key` if it is still to do and this process has its handler; a failure is retried with back-off, then an incident."""
    with unit_of_work(runtime) as session:
        job = _lease(session, key)
    handler = runtime.handlers.get(job.type) if job is not None else None
    if job is None or handler is None:
        return
    try:
        variables = _run(runtime, handler, job)
    except BpmnError as error:
        with unit_of_work(runtime) as session:
            throw_job_error(session, SYSTEM, key, error.code, error.message, error.variables)
        return
    except Exception as error:  # whatever a handler's I/O raises is retried and then shown as an incident
        log.exception("job failed", job_type=job.type, job=key)
        message = error.message() if isinstance(error, LianbanError) else f"{type(error).__name__}: {error}"
        with unit_of_work(runtime) as session:
            fail_job(session, SYSTEM, key, retries=job.retries - 1, message=message, back_off=BACK_OFF)
        return
    try:
        with unit_of_work(runtime) as session:
            complete_job(session, SYSTEM, key, variables)
    except Conflict:
        log.info("job was cancelled while it ran", job=key)


def _lease(session: Session, key: int) -> Row[Any] | None:
    now = clock.wall_now()
    job = session.execute(select(m.job).where(m.job.c.key == key).with_for_update()).first()
    if job is None or not (job.state == "CREATED" or (job.state == "ACTIVATED" and job.deadline <= now)):
        return None
    session.execute(m.job.update().where(m.job.c.key == key).values(state="ACTIVATED", worker=socket.gethostname(), deadline=now + LEASE))
    return job


def _run(runtime: Runtime, handler: Handler, job: Row[Any]) -> dict[str, object]:
    with reading(runtime) as session:
        row = reads.instance(session, job.instance_key)
        context = job_context(session, row, job, SYSTEM.username, {})
        return handler.function(context) or {}
