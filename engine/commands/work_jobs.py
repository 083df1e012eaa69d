"""Jobs that are done outside the command's transaction: by outside workers with a lease, and by our own (run_job.py).

A job is CREATED, then ACTIVATED while a worker holds its lease; a lease that runs out makes it free again, so work is done at least once.
Whoever reports first counts: later reports are a Conflict. Nothing is activated under a suspended root.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session

from engine import clock
from engine.changes import NO_RETRIES
from engine.commands.root_run import RootRun
from engine.errors import Conflict, Invalid, NotFound
from engine.policy import Actor, require
from engine.runtime import runtime_of
from engine.store import models as m

MAX_AT_ONCE = 1_000
MAX_TIMEOUT = timedelta(days=7)
MAX_NAME = 100
MAX_RETRIES = 1_000
MAX_BACK_OFF = timedelta(days=366)


def activate_jobs(session: Session, actor: Actor, job_type: str, *, worker: str, timeout: timedelta, limit: int) -> list[Row[Any]]:
    """Lease up to `limit` (at most 1,000) free jobs of a type to `worker` for `timeout` (at most 7 days) -> their rows, those with the
    highest priority first, then the oldest.

    Jobs that another command is touching at this moment are left out, so nobody waits. Needs the power `operate`; raises Invalid.
    """
    require(actor, "operate")
    _check(limit > 0, f"一次领取的作业数应大于 0，不是 {limit}")
    _check(timedelta(0) < timeout <= MAX_TIMEOUT, "租约时长应大于 0，不超过 7 天")
    _check(len(worker) <= MAX_NAME, f"工作者名称不超过 {MAX_NAME} 个字符")
    statement = (
        select(m.job.c.key)
        .join(m.process_instance, m.process_instance.c.key == m.job.c.instance_key)
        .where(m.job.c.type == job_type, free(), m.process_instance.c.suspended_at.is_(None))
        .order_by(m.job.c.priority.desc(), m.job.c.key)
        .limit(min(limit, MAX_AT_ONCE))
        .with_for_update(of=m.job, skip_locked=True)
    )
    keys = list(session.scalars(statement))
    if not keys:
        return []
    deadline = clock.wall_now() + timeout
    session.execute(m.job.update().where(m.job.c.key.in_(keys)).values(state="ACTIVATED", worker=worker, deadline=deadline))
    in_order = select(m.job).where(m.job.c.key.in_(keys)).order_by(m.job.c.priority.desc(), m.job.c.key)
    return list(session.execute(in_order).all())


def extend_job(
    session: Session,
    actor: Actor,
    job_key: int,
    *,
    timeout: timedelta | None = None,
    retries: int | None = None,
    priority: int | None = None,
) -> None:
    """Move the end of an activated job's lease to `timeout` from now, or set the retries that are left, or the priority
    (Camunda 8: update a job).

    Raises Invalid, NotFound, Conflict (the job has ended; its lease cannot be extended because nobody holds it), Forbidden.
    """
    require(actor, "operate")
    _check(any(value is not None for value in (timeout, retries, priority)), "请给出租约时长、剩余次数或优先级")
    _check(timeout is None or timedelta(0) < timeout <= MAX_TIMEOUT, "租约时长应大于 0，不超过 7 天")
    _check(retries is None or 0 < retries <= MAX_RETRIES, f"剩余次数应为 1 至 {MAX_RETRIES}")
    job = session.execute(select(m.job).where(m.job.c.key == job_key).with_for_update()).first()
    if job is None:
        raise NotFound(what="作业", key=job_key)
    if job.state not in ("CREATED", "ACTIVATED", "FAILED"):
        raise Conflict(reason=f"作业 {job_key} 已结束")
    values: dict[str, Any] = {}
    if timeout is not None:
        if job.state != "ACTIVATED":
            raise Conflict(reason=f"作业 {job_key} 没有被领取，不能延长租约")
        values["deadline"] = clock.wall_now() + timeout
    if retries is not None:
        values["retries"] = retries
    if priority is not None:
        values["priority"] = priority
    session.execute(m.job.update().where(m.job.c.key == job_key).values(values))


def release_job(session: Session, actor: Actor, job_key: int) -> None:
    """Give a lease back before it ends: another worker may take the job at once. Raises NotFound, Forbidden; a free job stays free."""
    require(actor, "operate")
    if session.scalar(select(m.job.c.key).where(m.job.c.key == job_key)) is None:
        raise NotFound(what="作业", key=job_key)
    held = and_(m.job.c.key == job_key, m.job.c.state == "ACTIVATED")
    session.execute(m.job.update().where(held).values(state="CREATED", worker=None, deadline=None))


def complete_job(
    session: Session,
    actor: Actor,
    job_key: int,
    variables: Mapping[str, Any],
    *,
    denied: bool = False,
    denied_reason: str | None = None,
    corrections: Mapping[str, Any] | None = None,
) -> None:
    """The work is done; its variables reach the diagram. Conflict when the job was already done or cancelled.

    A task listener may have `denied` its transition (`denied_reason` is kept for people), or give `corrections` of the task's attributes
    (engine.bpmn.elements.task_listeners).
    """
    run, job = _locked(session, actor, job_key)
    _end(session, job_key, "COMPLETED", denied=denied or None, denied_reason=denied_reason if denied else None)
    if _outlives_its_task(job):
        return
    run.instance(job.instance_key).complete_job(job.token_id, dict(variables), denied=denied, corrections=corrections)
    run.finish()


def fail_job(session: Session, actor: Actor, job_key: int, *, retries: int, message: str, back_off: timedelta = timedelta(0)) -> None:
    """The work failed. With retries left it becomes free again after `back_off` (at most a year); with none it is an incident."""
    _check(timedelta(0) <= back_off <= MAX_BACK_OFF, "重试间隔应为 0 至 366 天")
    _check(retries <= MAX_RETRIES, f"剩余次数不超过 {MAX_RETRIES}")
    run, job = _locked(session, actor, job_key)
    left = max(retries, 0)
    not_before = clock.wall_now() + back_off
    session.execute(
        m.job.update()
        .where(m.job.c.key == job_key)
        .values(
            state="CREATED" if left else "FAILED",
            retries=left,
            error_message=message,
            not_before=not_before,
            deadline=None,
            worker=None,
        )
    )
    if left:
        runtime = runtime_of(session)
        if runtime.handlers.get(job.type) is not None:
            runtime.jobs.enqueue_at(session, "run_job", job_key, not_before)
        return
    if _outlives_its_task(job):
        return  # the failed job itself shows it
    details = {"jobType": job.type, "jobKey": str(job_key)}
    run.instance(job.instance_key).raise_incident(job.token_id, NO_RETRIES[job.kind], message, details)
    run.finish()


def throw_job_error(session: Session, actor: Actor, job_key: int, code: str, message: str, variables: Mapping[str, Any]) -> None:
    """The work ended in a BPMN error that the diagram may catch."""
    run, job = _locked(session, actor, job_key)
    _end(session, job_key, "ERROR_THROWN", error_code=code, error_message=message)
    if _outlives_its_task(job):
        return
    run.instance(job.instance_key).throw_error(job.token_id, code, message, dict(variables))
    run.finish()


def free() -> ColumnElement[bool]:
    """A job that a worker may take now: created, or leased by somebody who did not report in time; its back-off is over."""
    now = clock.wall_now()
    return and_(
        or_(m.job.c.state == "CREATED", (m.job.c.state == "ACTIVATED") & (m.job.c.deadline <= now)),
        or_(m.job.c.not_before.is_(None), m.job.c.not_before <= now),
    )


def stalled(session: Session, job_types: frozenset[str], limit: int = 200) -> list[int]:
    """Jobs of our own types that nobody works on although they could be done now: the sweep has them run, by priority and age."""
    statement = (
        select(m.job.c.key)
        .join(m.process_instance, m.process_instance.c.key == m.job.c.instance_key)
        .where(m.job.c.type.in_(job_types), free(), m.process_instance.c.suspended_at.is_(None))
    )
    return list(session.scalars(statement.order_by(m.job.c.priority.desc(), m.job.c.key).limit(limit)))


def _locked(session: Session, actor: Actor, job_key: int) -> tuple[RootRun, Row[Any]]:
    require(actor, "operate")
    instance_key = session.scalar(select(m.job.c.instance_key).where(m.job.c.key == job_key))
    if instance_key is None:
        raise NotFound(what="作业", key=job_key)
    run = RootRun.locked(session, actor, instance_key)
    job = session.execute(select(m.job).where(m.job.c.key == job_key).with_for_update()).one()
    if job.state not in ("CREATED", "ACTIVATED"):
        raise Conflict(reason=f"作业 {job_key} 已结束")
    return run, job


def _outlives_its_task(job: Row[Any]) -> bool:
    """The job of a canceling listener: its user task, and perhaps its instance, are gone."""
    return bool(job.listener_event == "canceling")


def _end(session: Session, job_key: int, state: str, **more: Any) -> None:
    values = {"state": state, "deadline": None, "ended_at": clock.wall_now(), **more}
    session.execute(m.job.update().where(m.job.c.key == job_key).values(values))


def _check(right: bool, reason: str) -> None:
    if not right:
        raise Invalid(reason=reason)
