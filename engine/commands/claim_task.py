"""Claim and release a user task (签收, 归还)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import clock, policy
from engine.commands.change_task import change_task
from engine.commands.complete_task import open_task
from engine.definitions import process_model
from engine.errors import Conflict, Suspended
from engine.policy import Actor
from engine.store import audit, reads
from engine.store import models as m
from engine.store.models import split_key


def claim_task(session: Session, actor: Actor, task_key: int) -> None:
    """Make the task the actor's own. Claiming one's own task again changes nothing.

    Raises NotFound, Forbidden (a colleague's, or not offered to the actor), Conflict (closed), Suspended.
    """
    _lock(session, task_key)
    task = open_task(session, task_key)
    policy.check(actor, "claim", reads.task_facts(session, task))
    if task.assignee is not None:
        return
    _assign(session, actor, task, actor.username, "claim")
    _record(session, actor, "task.claimed", task_key)


def unclaim_task(session: Session, actor: Actor, task_key: int) -> None:
    """Give a claimed task back to its candidates; Conflict when it was not claimed from a group (an applicant's task stays theirs)."""
    _lock(session, task_key)
    task = open_task(session, task_key)
    policy.check(actor, "unclaim", reads.task_facts(session, task))
    if not task.candidate_groups and not task.candidate_users:
        raise Conflict(reason="这项任务直接分派给您，不能归还")
    if task.assignee is None:
        return
    _assign(session, actor, task, None, "unclaim")
    _record(session, actor, "task.unclaimed", task_key)


def _assign(session: Session, actor: Actor, task: Row[Any], assignee: str | None, action: str) -> None:
    """Through the listeners of the element when it has any; else in the task's row alone."""
    element = process_model(session, task.definition_key).elements[task.element_id]
    if "assigning" in element.task_events:
        change_task(session, actor, task.key, "assigning", {"assignee": assignee}, action=action)
        return
    claimed_at = None if assignee is None else clock.now()
    session.execute(m.user_task.update().where(m.user_task.c.key == task.key).values(assignee=assignee, claimed_at=claimed_at))


def _lock(session: Session, task_key: int) -> None:
    if reads.lock_root(session, split_key(task_key)[0]).suspended_at is not None:
        raise Suspended()


def _record(session: Session, actor: Actor, action: str, task_key: int) -> None:
    task = reads.get_task(session, task_key)
    audit.record(
        session,
        actor,
        action,
        root_key=task.root_key,
        instance_key=task.instance_key,
        element_id=task.element_id,
        task_key=task_key,
        business_id=task.business_id,
        data={"name": task.name},
    )
