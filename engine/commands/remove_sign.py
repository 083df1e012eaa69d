"""Take an added signature away again (减签): whoever asked for it, or an operator. The asking task goes on when it was the last one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import policy
from engine.commands.add_sign import Asked
from engine.commands.complete_task import open_task
from engine.commands.reasons import checked_reason
from engine.commands.root_run import RootRun
from engine.errors import Conflict, Forbidden
from engine.policy import Actor
from engine.store import audit, reads
from engine.store.models import split_key


def remove_sign(session: Session, actor: Actor, task_key: int, *, asked: Asked | None = None, reason: str = "") -> None:
    """Close a signer's open task `task_key`; or with `asked`, drop the request to sign after the open task `task_key`.

    Raises NotFound, Forbidden (not asked for by the actor), Conflict (signed already, not a signature, not asked),
    Invalid (a long reason), Suspended.
    """
    said = checked_reason(reason)
    instance_key, token_id = split_key(task_key)
    run = RootRun.locked(session, actor, instance_key)
    task = open_task(session, task_key)
    live = run.instance(instance_key)
    if asked is not None:
        policy.check(actor, "complete", reads.task_facts(session, task))
        live.forget_after(token_id, asked.user, asked.group)
    else:
        _check(actor, task)
        live.remove_sign(token_id)
    audit.record(
        session,
        actor,
        "task.sign_removed",
        root_key=task.root_key,
        instance_key=instance_key,
        element_id=task.element_id,
        task_key=task_key,
        business_id=task.business_id,
        data={"name": task.name, "who": str(asked) if asked is not None else _signer(task), "reason": said},
    )
    run.finish()


def _check(actor: Actor, task: Row[Any]) -> None:
    if "sign" not in task.properties:
        raise Conflict(reason=f"“{task.name}”不是加签任务")
    if task.properties.get("signBy") != actor.username and not actor.can("operate"):
        raise Forbidden(reason="只有加签人本人可以减签")


def _signer(task: Row[Any]) -> str:
    return task.assignee or "、".join(task.candidate_groups)
