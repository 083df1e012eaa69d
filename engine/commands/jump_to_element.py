"""Jump to any element (跳转): for analysts and administrators, with a reason, audited."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from engine.bpmn import Activation
from engine.commands.reasons import required_reason
from engine.commands.root_run import RootRun
from engine.policy import Actor, require
from engine.store import audit
from engine.store.models import split_key


def jump_to_element(
    session: Session,
    actor: Actor,
    element_instance_key: int,
    element_id: str,
    *,
    reason: str,
    mode: Literal["branch", "all"] = "branch",
) -> None:
    """Move an element instance (a user task's key, or any other) to another element of the same process instance.

    "branch": only this one moves; a join of the parallel block that it leaves goes on waiting for it. "all": every other element instance
    of the process instance goes too. Subprocesses around the target are opened as a modification does.
    Raises Forbidden (power `operate` or `deploy`), Invalid (no reason or a long one, an element nothing can jump to), NotFound, Conflict,
    Suspended.
    """
    require(actor, "operate", "deploy")
    said = required_reason(reason, "跳转")
    instance_key, token_id = split_key(element_instance_key)
    run = RootRun.locked(session, actor, instance_key)
    row = run.row(instance_key)
    source = run.instance(instance_key).jump(token_id, Activation(element_id), everything=mode == "all")
    audit.record(
        session,
        actor,
        "instance.jumped",
        root_key=row.root_key,
        instance_key=instance_key,
        element_id=source,
        business_id=row.business_id,
        data={"from": source, "to": element_id, "mode": mode, "reason": said},
    )
    run.finish()
