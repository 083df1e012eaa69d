"""Cancel a root process instance and everything it called."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.commands.reasons import required_reason
from engine.commands.root_run import RootRun
from engine.errors import Conflict
from engine.policy import Actor, require
from engine.store import audit


def cancel_instance(session: Session, actor: Actor, instance_key: int, reason: str) -> None:
    """Terminate it; history, documents and opinions stay.

    Raises Forbidden, Invalid (no reason or a long one), Conflict (ended, or a called instance).
    """
    require(actor, "operate")
    said = required_reason(reason, "终止流程")
    run = RootRun.locked(session, actor, instance_key, suspended_too=True)
    row = run.row(instance_key)
    if row.parent_key is not None:
        raise Conflict(reason="被调用的流程随主流程终止，请终止主流程")
    if row.state != "ACTIVE":
        raise Conflict(reason="流程已经结束")
    run.instance(instance_key).cancel()
    audit.record(
        session,
        actor,
        "instance.cancelled",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={"reason": said},
    )
    run.finish()
