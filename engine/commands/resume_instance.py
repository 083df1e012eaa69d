"""Resume a suspended case (激活, 恢复): what became due or arrived meanwhile happens now, in this order: signals, overdue timers; messages
and jobs follow after the commit, as always."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.messages import offer_after_commit
from engine.commands.reasons import checked_reason
from engine.commands.root_run import RootRun
from engine.commands.suspend_instance import mark_tree
from engine.commands.work_jobs import free
from engine.errors import Conflict
from engine.policy import Actor, require
from engine.runtime import runtime_of
from engine.store import audit, reads
from engine.store import models as m


def resume_instance(session: Session, actor: Actor, instance_key: int, reason: str = "") -> None:
    """Let the root of an instance go on.

    Raises Forbidden (power `operate`), Invalid (a long reason), NotFound, Conflict (not suspended, or ended meanwhile).
    """
    require(actor, "operate")
    said = checked_reason(reason)
    run = RootRun.locked(session, actor, instance_key, suspended_too=True)
    root = run.row(run.row(instance_key).root_key)
    if root.state != "ACTIVE":
        raise Conflict(reason="流程已经结束")
    if root.suspended_at is None:
        raise Conflict(reason="流程没有暂停")
    mark_tree(session, root.key, suspended=False)
    run.forget_suspension()
    audit.record(
        session,
        actor,
        "instance.resumed",
        root_key=root.key,
        instance_key=root.key,
        business_id=root.business_id,
        data={"reason": said} if said else {},
    )
    _deliver_signals(session, run, root.key)
    _fire_overdue(session, run, root.key)
    run.finish()
    _offer_messages(session, root.key)
    _enqueue_jobs(session, root.key)


def _deliver_signals(session: Session, run: RootRun, root_key: int) -> None:
    table = m.deferred_signal
    for row in session.execute(select(table).where(table.c.root_key == root_key).order_by(table.c.key)).all():
        if reads.instance_row(session, row.instance_key).state == "ACTIVE" and run.instance(row.instance_key).state == "ACTIVE":
            run.instance(row.instance_key).signal(row.name, dict(row.variables))
    session.execute(delete(table).where(table.c.root_key == root_key))


def _fire_overdue(session: Session, run: RootRun, root_key: int) -> None:
    now = clock.now()
    for key in reads.active_below(session, root_key, root_key):
        due = reads.instance_row(session, key).next_due_at
        if due is not None and due <= now and run.instance(key).state == "ACTIVE":
            run.instance(key).fire_due(now)


def _offer_messages(session: Session, root_key: int) -> None:
    table = m.message_subscription
    statement = select(table.c.process_id, table.c.message_name, table.c.correlation_key).where(table.c.root_key == root_key).distinct()
    for process_id, name, correlation_key in session.execute(statement).all():
        offer_after_commit(session, process_id, name, correlation_key)


def _enqueue_jobs(session: Session, root_key: int) -> None:
    runtime = runtime_of(session)
    jobs = session.execute(select(m.job.c.key, m.job.c.type).where(m.job.c.root_key == root_key, free()).order_by(m.job.c.key))
    for key, job_type in jobs.all():
        if runtime.handlers.get(job_type) is not None:
            runtime.jobs.enqueue(session, "run_job", key)
