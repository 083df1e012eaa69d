"""Jobs that are done outside the command's transaction: by our own workers (handlers with I/O) and by outside workers with a lease."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.root_run import RootRun
from engine.errors import Conflict, NotFound
from engine.policy import Actor, require
from engine.store import models as m


def activate_jobs(session: Session, actor: Actor, job_type: str, *, worker: str, timeout: timedelta, limit: int) -> list[Row[Any]]:
    """Lease up to `limit` jobs of a type to a worker for `timeout`; a lease that ran out makes the job free again."""
    require(actor, "operate")
    now = clock.wall_now()
    free = or_(m.job.c.state == "CREATED", (m.job.c.state == "ACTIVATED") & (m.job.c.deadline <= now))
    statement = (
        select(m.job.c.key)
        .where(m.job.c.type == job_type, free, or_(m.job.c.not_before.is_(None), m.job.c.not_before <= now))
        .order_by(m.job.c.key)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = list(session.scalars(statement))
    if not keys:
        return []
    session.execute(m.job.update().where(m.job.c.key.in_(keys)).values(state="ACTIVATED", worker=worker, deadline=now + timeout))
    return list(session.execute(select(m.job).where(m.job.c.key.in_(keys)).order_by(m.job.c.key)).all())


def complete_job(session: Session, actor: Actor, job_key: int, variables: Mapping[str, Any]) -> None:
    """The work is done; its variables reach the diagram. Conflict when the job was already done or cancelled."""
    run, job = _locked(session, actor, job_key)
    session.execute(m.job.update().where(m.job.c.key == job_key).values(state="COMPLETED", deadline=None))
    run.instance(job.instance_key).complete_job(job.token_id, dict(variables))
    run.finish()


def fail_job(session: Session, actor: Actor, job_key: int, *, retries: int, message: str, back_off: timedelta = timedelta(0)) -> None:
    """The work failed. With retries left it becomes free again after `back_off`; with none it is an incident."""
    run, job = _locked(session, actor, job_key)
    left = max(retries, 0)
    not_before = clock.wall_now() + back_off
    state = "CREATED" if left else "FAILED"
    session.execute(
        m.job.update()
        .where(m.job.c.key == job_key)
        .values(state=state, retries=left, error_message=message, not_before=not_before, deadline=None, worker=None)
    )
    if not left:
        run.instance(job.instance_key).raise_incident(
            job.token_id, "JOB_NO_RETRIES", message, {"jobType": job.type, "jobKey": str(job_key)}
        )
        run.finish()


def throw_job_error(session: Session, actor: Actor, job_key: int, code: str, message: str, variables: Mapping[str, Any]) -> None:
    """The work ended in a BPMN error that the diagram may catch."""
    run, job = _locked(session, actor, job_key)
    session.execute(m.job.update().where(m.job.c.key == job_key).values(state="ERROR_THROWN", deadline=None))
    run.instance(job.instance_key).throw_error(job.token_id, code, message, dict(variables))
    run.finish()


def _locked(session: Session, actor: Actor, job_key: int) -> tuple[RootRun, Row[Any]]:
    require(actor, "operate")
    instance_key = session.scalar(select(m.job.c.instance_key).where(m.job.c.key == job_key))
    if instance_key is None:
        raise NotFound(what="作业", key=job_key)
    run = RootRun.locked(session, actor, instance_key)
    job = session.execute(select(m.job).where(m.job.c.key == job_key)).one()
    if job.state not in ("CREATED", "ACTIVATED"):
        raise Conflict(reason=f"作业 {job_key} 已结束")
    return run, job


def stalled(session: Session, job_types: frozenset[str], limit: int = 200) -> list[int]:
    """Jobs of our own types that nobody works on although they could be done now: the sweep runs them."""
    now = clock.wall_now()
    free = or_(m.job.c.state == "CREATED", (m.job.c.state == "ACTIVATED") & (m.job.c.deadline <= now))
    ready = or_(m.job.c.not_before.is_(None), m.job.c.not_before <= now)
    return list(session.scalars(select(m.job.c.key).where(m.job.c.type.in_(job_types), free, ready).limit(limit)))
