"""Suspend a case (挂起, 暂停): the root and everything it called stand still until resume_instance.

While suspended no task is completed, no timer fires, no job is handed out and no message is consumed; messages stay buffered, a signal is
kept for the resumption. People are told so (errors.Suspended). The work stays in the lists, marked. Cancelling stays possible.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import clock
from engine.commands.reasons import required_reason
from engine.commands.root_run import RootRun
from engine.errors import Conflict
from engine.policy import Actor, require
from engine.store import audit
from engine.store import models as m


def suspend_instance(session: Session, actor: Actor, instance_key: int, reason: str) -> None:
    """Suspend the root of an instance.

    Raises Forbidden (power `operate`), Invalid (no reason or a long one), NotFound, Conflict (ended, or suspended already).
    """
    require(actor, "operate")
    said = required_reason(reason, "暂停流程")
    run = RootRun.locked(session, actor, instance_key, suspended_too=True)
    root = run.row(run.row(instance_key).root_key)
    if root.state != "ACTIVE":
        raise Conflict(reason="流程已经结束")
    if root.suspended_at is not None:
        raise Conflict(reason="流程已经暂停")
    mark_tree(session, root.key, suspended=True)
    audit.record(
        session,
        actor,
        "instance.suspended",
        root_key=root.key,
        instance_key=root.key,
        business_id=root.business_id,
        data={"reason": said},
    )


def mark_tree(session: Session, root_key: int, *, suspended: bool) -> None:
    """Set or clear the mark on every live instance under a root."""
    tree = (m.process_instance.c.root_key == root_key) & (m.process_instance.c.state == "ACTIVE")
    session.execute(m.process_instance.update().where(tree).values(suspended_at=clock.now() if suspended else None))
