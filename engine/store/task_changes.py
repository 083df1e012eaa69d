"""Writes what listeners and assignments change of open user tasks, and who submitted one that waits for a listener's consent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, update

from engine.changes import Changes
from engine.store import models as m
from engine.store.models import element_key

if TYPE_CHECKING:
    from engine.store.changes import InstanceRow
    from engine.store.task_rows import Completion

CANDIDATES = {"candidate_groups": "group", "candidate_users": "user"}


def write_task_changes(connection: Connection, row: InstanceRow, changes: Changes, now: datetime, completion: Completion | None) -> None:
    """Attributes of changed tasks; a completion that the diagram has not taken yet is kept with its task, so that no approval is lost."""
    for changed in changes.changed_user_tasks:
        key = element_key(row.key, changed.token_id)
        values: dict[str, Any] = {name: list(value) if name in CANDIDATES else value for name, value in changed.attributes.items()}
        if "assignee" in values:
            values["claimed_at"] = None if values["assignee"] is None else now
        if values.get("state") == "CREATED":
            values |= {"completed_by": None, "submission": None}
        connection.execute(update(m.user_task).where(m.user_task.c.key == key).values(**values))
        for name, kind in CANDIDATES.items():
            if name in changed.attributes:
                _replace_candidates(connection, key, kind, changed.attributes[name])
    if completion is not None and all(closed.token_id != completion.token_id for closed in changes.closed_user_tasks):
        connection.execute(
            update(m.user_task)
            .where(m.user_task.c.key == element_key(row.key, completion.token_id))
            .values(completed_by=completion.username, submission=completion.submission)
        )


def _replace_candidates(connection: Connection, key: int, kind: str, names: tuple[str, ...]) -> None:
    table = m.user_task_candidate
    connection.execute(delete(table).where(table.c.task_key == key, table.c.kind == kind))
    if names:
        connection.execute(table.insert(), [{"task_key": key, "kind": kind, "name": name} for name in dict.fromkeys(names)])
