"""The working calendar changed: an instance's open user tasks and timers that count working days get the dates of the new calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.bpmn.kernel.working_days import FUNCTIONS, OpenTask
from engine.commands.root_run import RootRun
from engine.policy import Actor
from engine.store import audit, definitions, reads
from engine.store import models as m
from engine.store.models import split_key

ACTION = "task.due_moved"


def follow_calendar(session: Session, actor: Actor, root_key: int) -> int:
    """Move the due dates and timers of a root and of every instance below it -> due dates moved, each with its audit event.

    A due date that a person has set (task.updated) stays. Locks the root. Raises NotFound, Suspended.
    """
    run = RootRun.locked(session, actor, root_key, suspended_too=True)
    by_hand = _set_by_hand(session, root_key)
    count = 0
    for key in reads.active_below(session, root_key, root_key):
        rows = {split_key(row.key)[1]: row for row in reads.open_tasks_of_instance(session, key) if row.key not in by_hand}
        tasks = {token: OpenTask(row.created_at, row.due_date) for token, row in rows.items()}
        for token, due in run.instance(key).follow_calendar(tasks).items():
            row, count = rows[token], count + 1
            data = {"before": _iso(row.due_date), "after": _iso(due)}
            audit.record(
                session, actor, ACTION, root_key=root_key, instance_key=key, task_key=row.key, business_id=row.business_id, data=data
            )
    run.finish()
    return count


def roots_that_count(session: Session) -> list[int]:
    """The active roots with an instance whose diagram counts working days, oldest first."""
    instance, definition = m.process_instance.c, m.process_definition.c
    active = select(instance.definition_key).where(instance.state == "ACTIVE")
    used = session.execute(select(definition.key, definition.resource_key).where(definition.key.in_(active))).all()
    counting = [row.key for row in used if FUNCTIONS.encode() in definitions.resource_content(session, row.resource_key)]
    root = func.coalesce(instance.root_key, instance.key)
    statement = select(root).where(instance.state == "ACTIVE", instance.definition_key.in_(counting)).distinct().order_by(root)
    return [int(key) for key in session.scalars(statement)]


def _set_by_hand(session: Session, root_key: int) -> set[int]:
    """The tasks whose due date somebody has set: theirs is not the calendar's."""
    event = m.audit_event.c
    rows = session.execute(select(event.task_key, event.data).where(event.root_key == root_key, event.action == "task.updated"))
    return {int(key) for key, data in rows if key is not None and _names_due(data)}


def _names_due(data: Mapping[str, object]) -> bool:
    changes = data.get("changes")
    return isinstance(changes, Mapping) and "due_date" in changes


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
