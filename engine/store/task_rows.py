"""The rows of the user tasks that a step of an instance opens and closes, put into its batch of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, update

from engine.changes import Changes, UserTaskOpened
from engine.store import models as m
from engine.store.models import element_key
from engine.store.prepared import Batch, Prepared
from engine.store.upserting import upserting

if TYPE_CHECKING:
    from engine.store.changes import InstanceRow


@dataclass(frozen=True, slots=True)
class Completion:
    """Who completed which user task of the step with what; goes into the task's row."""

    token_id: int
    username: str
    submission: dict[str, Any]
    offered: bool
    """It has candidates."""
    has_drafts: bool


@dataclass(frozen=True, slots=True)
class OpenedForm:
    """The form version that an opened user task is bound to."""

    key: int | None


_INSERT_CANDIDATE = Prepared(m.user_task_candidate.insert())
_CLOSE_TASK = Prepared(
    update(m.user_task).where(m.user_task.c.key == bindparam("task")), "state", "completed_at", "completed_by", "submission"
)
_WRITE_TASK = Prepared(upserting(m.user_task, ("key",), ("state", "completed_at", "completed_by", "submission")))
_UNSET_TASK: dict[str, Any] = dict.fromkeys(column.name for column in m.user_task.columns)
_KNOWN_TASK: dict[str, Any] = _UNSET_TASK | {
    "element_id": "",
    "name": "",
    "candidate_groups": [],
    "candidate_users": [],
    "priority": 0,
    "properties": {},
}
"""A task whose row was read under the lock: of what is written only the columns of the conflict clause reach the row."""
_CLOSE_HELD_TASK = Prepared(update(m.user_task).where(m.user_task.c.key == bindparam("task")), "state", "completed_at")
_DELETE_CANDIDATES = Prepared(delete(m.user_task_candidate).where(m.user_task_candidate.c.task_key == bindparam("task")), apart=True)
_DELETE_DRAFTS = Prepared(delete(m.user_task_draft).where(m.user_task_draft.c.task_key == bindparam("task")))


def close_user_tasks(
    batch: Batch, row: InstanceRow, changes: Changes, now: datetime, completion: Completion | None
) -> list[dict[str, Any]]:
    """What ended. The task that was submitted comes back as a row that is written in one statement with those of the new tasks."""
    submitted, cancelled, held, candidates, drafts = [], [], [], [], []
    for closed in changes.closed_user_tasks:
        mine = completion if completion is not None and closed.completed and completion.token_id == closed.token_id else None
        task = element_key(row.key, closed.token_id)
        if mine is not None:
            submitted.append(_KNOWN_TASK | _place(row, closed.token_id, now) | _ending(mine, now))
        elif closed.completed:  # who submitted it stands in the row since then
            held.append({"task": task, "state": "COMPLETED", "completed_at": now})
        else:
            cancelled.append({"task": task, "state": "CANCELED", "completed_at": now, "completed_by": None, "submission": None})
        if mine is None or mine.offered or changes.changed_user_tasks:
            candidates.append({"task": task})
        if mine is None or mine.has_drafts:
            drafts.append({"task": task})
    batch.add(_CLOSE_TASK, cancelled)
    batch.add(_CLOSE_HELD_TASK, held)
    batch.add(_DELETE_CANDIDATES, candidates)
    batch.add(_DELETE_DRAFTS, drafts)
    return submitted


def _place(row: InstanceRow, token_id: int, now: datetime) -> dict[str, Any]:
    return {
        "key": element_key(row.key, token_id),
        "instance_key": row.key,
        "root_key": row.root_key,
        "definition_key": row.definition_key,
        "process_id": row.process_id,
        "created_at": now,
    }


def _ending(completion: Completion, now: datetime) -> dict[str, Any]:
    return {"state": "COMPLETED", "completed_at": now, "completed_by": completion.username, "submission": completion.submission}


def open_user_tasks(
    batch: Batch, row: InstanceRow, changes: Changes, now: datetime, forms: dict[int, OpenedForm], submitted: list[dict[str, Any]]
) -> None:
    """The tasks that a step opened with their candidates, and the one that was submitted (close_user_tasks)."""
    batch.add(_WRITE_TASK, submitted + [_task_row(row, task, now, forms) for task in changes.user_tasks])
    candidates = [
        {"task_key": element_key(row.key, task.token_id), "kind": kind, "name": name}
        for task in changes.user_tasks
        for kind, names in (("group", task.candidate_groups), ("user", task.candidate_users))
        for name in dict.fromkeys(names)
    ]
    batch.add(_INSERT_CANDIDATE, candidates)


def _task_row(row: InstanceRow, task: UserTaskOpened, now: datetime, forms: dict[int, OpenedForm]) -> dict[str, Any]:
    place = _place(row, task.token_id, now)
    return (
        _UNSET_TASK
        | place
        | {
            "element_id": task.element_id,
            "business_id": row.business_id,
            "owner": row.owner,
            "assignee": task.assignee,
            "state": "CREATED",
        }
        | from_diagram(task, forms)
    )


def from_diagram(task: UserTaskOpened, forms: Mapping[int, OpenedForm]) -> dict[str, Any]:
    """The columns that the diagram decides; `forms`: token id -> form. Not the assignee: somebody may have claimed the task."""
    return {
        "name": task.name,
        "candidate_groups": list(task.candidate_groups),
        "candidate_users": list(task.candidate_users),
        "due_date": task.due_date,
        "follow_up_date": task.follow_up_date,
        "priority": task.priority,
        "form_id": task.form_id,
        "form_key": forms[task.token_id].key if task.token_id in forms else None,
        "external_form": task.external_form,
        "properties": task.properties,
    }
