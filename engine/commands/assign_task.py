"""Assign a user task to a person, and change its dates, candidates or priority: for operators, through the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.change_task import change_task
from engine.commands.claim_task import claim_task
from engine.commands.complete_task import open_task
from engine.definitions import process_model
from engine.errors import Conflict, Invalid, Suspended
from engine.policy import Actor, require
from engine.store import audit, reads
from engine.store import models as m
from engine.store.models import split_key

CHANGEABLE = frozenset({"due_date", "follow_up_date", "candidate_users", "candidate_groups", "priority"})
DEFAULT_PRIORITY = 50


def assign_task(session: Session, actor: Actor, task_key: int, assignee: str, *, allow_override: bool = True) -> None:
    """Make the task the assignee's. For oneself it is a claim, with the claim's rules; for somebody else it needs the power `operate`.

    Raises NotFound, Forbidden, Conflict (the task has ended, or has an assignee and `allow_override` is False).
    """
    task = _locked(session, task_key)
    if not allow_override and task.assignee not in {None, assignee}:
        raise Conflict(reason="任务已由 {person} 签收", person=task.assignee)
    if assignee == actor.username and not actor.can("operate"):
        claim_task(session, actor, task_key)
        return
    require(actor, "operate")
    if "assigning" in _listened(session, task):
        change_task(session, actor, task_key, "assigning", {"assignee": assignee}, action="assign")
    else:
        session.execute(m.user_task.update().where(m.user_task.c.key == task_key).values(assignee=assignee, claimed_at=clock.now()))
    _record(session, actor, "task.assigned", task, {"assignee": assignee, "before": task.assignee})


def update_task(session: Session, actor: Actor, task_key: int, changes: Mapping[str, Any]) -> None:
    """Set some of CHANGEABLE; None clears a date or the candidates and sets the usual priority. Needs the power `operate`.

    Raises NotFound, Forbidden, Conflict (the task has ended), Invalid (nothing or something else to change).
    """
    require(actor, "operate")
    if not changes or not changes.keys() <= CHANGEABLE:
        raise Invalid(reason="可以修改的只有期限、跟进日期、候选人和优先级")
    task = _locked(session, task_key)
    empty: dict[str, Any] = {"candidate_users": [], "candidate_groups": [], "priority": DEFAULT_PRIORITY}
    values = {name: empty.get(name) if value is None else value for name, value in changes.items()}
    shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    if "updating" in _listened(session, task):
        change_task(session, actor, task_key, "updating", shown, action="update")
    else:
        _write(session, task_key, values)
    _record(session, actor, "task.updated", task, {"changes": shown})


def _listened(session: Session, task: Row[Any]) -> Collection[str]:
    """The events of the task that its element has listeners for: then the change waits for their consent."""
    return process_model(session, task.definition_key).elements[task.element_id].task_events


def _write(session: Session, task_key: int, values: dict[str, Any]) -> None:
    session.execute(m.user_task.update().where(m.user_task.c.key == task_key).values(values))
    for kind, name in (("user", "candidate_users"), ("group", "candidate_groups")):
        if name in values:
            _replace_candidates(session, task_key, kind, values[name])


def _locked(session: Session, task_key: int) -> Row[Any]:
    if reads.lock_root(session, split_key(task_key)[0]).suspended_at is not None:
        raise Suspended()
    return open_task(session, task_key)


def _replace_candidates(session: Session, task_key: int, kind: str, names: list[str]) -> None:
    table = m.user_task_candidate
    session.execute(delete(table).where(table.c.task_key == task_key, table.c.kind == kind))
    rows = [{"task_key": task_key, "kind": kind, "name": name} for name in dict.fromkeys(names)]
    if rows:
        session.execute(table.insert(), rows)


def _record(session: Session, actor: Actor, action: str, task: Row[Any], data: dict[str, Any]) -> None:
    audit.record(
        session,
        actor,
        action,
        root_key=task.root_key,
        instance_key=task.instance_key,
        element_id=task.element_id,
        task_key=task.key,
        business_id=task.business_id,
        data={"name": task.name, **data},
    )
