"""Writes a `Changes` as rows: one executemany per table, nothing read back. Runs inside the command's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Insert, Table, bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.changes import Changes, JobOpened, UserTaskOpened
from engine.store import models as m
from engine.store.models import element_key


@dataclass(slots=True)
class InstanceRow:
    """The columns of a process instance that a step needs; `version` and `state` are kept up to date while the command runs."""

    key: int
    root_key: int
    parent_key: int | None
    parent_token: int | None
    definition_key: int
    process_id: str
    business_id: str | None
    owner: str | None
    state: str
    version: int
    header: bytes
    incidents: int
    next_due_at: datetime | None = None
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """Who completed which user task of the step with what; goes into the task's row."""

    token_id: int
    username: str
    submission: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenedForm:
    """The form version that an opened user task is bound to."""

    key: int | None


_IDS: BindParameter[list[int]] = bindparam("ids", expanding=True)
_UPDATE_INSTANCE = update(m.process_instance).where(m.process_instance.c.key == bindparam("instance"))
_DELETE_TOKENS = delete(m.token).where(m.token.c.instance_key == bindparam("instance"), m.token.c.token_id.in_(_IDS))
_DELETE_SCOPES = delete(m.variable).where(m.variable.c.instance_key == bindparam("instance"), m.variable.c.scope_id.in_(_IDS))
_CLOSE_TASK = update(m.user_task).where(m.user_task.c.key == bindparam("task"))
_TASKS: BindParameter[list[int]] = bindparam("tasks", expanding=True)
_DELETE_CANDIDATES = delete(m.user_task_candidate).where(m.user_task_candidate.c.task_key.in_(_TASKS))
_DELETE_DRAFTS = delete(m.user_task_draft).where(m.user_task_draft.c.task_key.in_(_TASKS))
# statements of the hot path are built once: building one costs more than running it


def write(
    session: Session, row: InstanceRow, changes: Changes, now: datetime, completion: Completion | None, forms: dict[int, OpenedForm]
) -> None:
    """Write all rows of one step of one instance. `forms`: token id -> the form an opened task uses."""
    connection = session.connection()
    row.version += 1
    row.state = changes.state
    row.incidents += len(changes.incidents) - len(changes.resolved_incidents)
    row.header = changes.header
    row.next_due_at = changes.next_due_at
    connection.execute(
        _UPDATE_INSTANCE,
        {
            "instance": row.key,
            "version": row.version,
            "header": changes.header,
            "state": changes.state,
            "next_due_at": changes.next_due_at,
            "incidents": row.incidents,
            "ended_at": None if changes.state == "ACTIVE" else now,
        },
    )
    _write_tokens(connection, row.key, changes)
    _write_variables(connection, row.key, changes)
    _write_history(connection, row.key, changes, now)
    _close_user_tasks(connection, row, changes, now, completion)
    _open_user_tasks(connection, row, changes, now, forms)
    _write_waits(connection, row, changes, now)
    _write_incidents(connection, row, changes, now)
    _write_decisions(connection, row, changes, now)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], keys: tuple[str, ...], values: tuple[str, ...]) -> None:
    """INSERT ... ON CONFLICT (keys) DO UPDATE for all rows; both databases know the clause."""
    connection.execute(_upsert_statement(connection.dialect.name, table, keys, values), rows)


@cache
def _upsert_statement(dialect: str, table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> Insert:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    upserting: Insert = statement.on_conflict_do_update(index_elements=keys, set_={v: statement.excluded[v] for v in values})
    return upserting


def _write_tokens(connection: Connection, key: int, changes: Changes) -> None:
    if changes.removed_tokens:
        connection.execute(_DELETE_TOKENS, {"instance": key, "ids": changes.removed_tokens})
    if changes.tokens:
        rows = [{"instance_key": key, "token_id": token, "data": data} for token, data in changes.tokens.items()]
        upsert(connection, m.token, rows, ("instance_key", "token_id"), ("data",))


def _write_variables(connection: Connection, key: int, changes: Changes) -> None:
    if changes.removed_scopes:
        connection.execute(_DELETE_SCOPES, {"instance": key, "ids": changes.removed_scopes})
    if changes.variables:
        rows = [
            {"instance_key": key, "scope_id": scope, "name": name, "value": value} for (scope, name), value in changes.variables.items()
        ]
        upsert(connection, m.variable, rows, ("instance_key", "scope_id", "name"), ("value",))


def _write_history(connection: Connection, key: int, changes: Changes, now: datetime) -> None:
    if changes.history:
        rows = [
            {
                "instance_key": key,
                "token_id": event.token_id,
                "kind": event.kind,
                "element_id": event.element_id,
                "scope_id": event.scope_id,
                "predecessor": event.predecessor,
                "flow_id": event.flow_id,
                "into": event.into,
                "at": now,
            }
            for event in changes.history
        ]
        connection.execute(m.element_event.insert(), rows)


def _close_user_tasks(connection: Connection, row: InstanceRow, changes: Changes, now: datetime, completion: Completion | None) -> None:
    if not changes.closed_user_tasks:
        return
    rows = []
    for closed in changes.closed_user_tasks:
        mine = completion is not None and closed.completed and completion.token_id == closed.token_id
        rows.append(
            {
                "task": element_key(row.key, closed.token_id),
                "state": "COMPLETED" if closed.completed else "CANCELED",
                "completed_at": now,
                "completed_by": completion.username if mine and completion else None,
                "submission": completion.submission if mine and completion else None,
            }
        )
    connection.execute(_CLOSE_TASK, rows)
    keys = {"tasks": [r["task"] for r in rows]}
    connection.execute(_DELETE_CANDIDATES, keys)
    connection.execute(_DELETE_DRAFTS, keys)


def _open_user_tasks(connection: Connection, row: InstanceRow, changes: Changes, now: datetime, forms: dict[int, OpenedForm]) -> None:
    if not changes.user_tasks:
        return
    connection.execute(m.user_task.insert(), [_task_row(row, task, now, forms) for task in changes.user_tasks])
    candidates = [
        {"task_key": element_key(row.key, task.token_id), "kind": kind, "name": name}
        for task in changes.user_tasks
        for kind, names in (("group", task.candidate_groups), ("user", task.candidate_users))
        for name in dict.fromkeys(names)
    ]
    if candidates:
        connection.execute(m.user_task_candidate.insert(), candidates)


def _task_row(row: InstanceRow, task: UserTaskOpened, now: datetime, forms: dict[int, OpenedForm]) -> dict[str, Any]:
    return {
        "key": element_key(row.key, task.token_id),
        "instance_key": row.key,
        "root_key": row.root_key,
        "definition_key": row.definition_key,
        "process_id": row.process_id,
        "element_id": task.element_id,
        "name": task.name,
        "business_id": row.business_id,
        "owner": row.owner,
        "assignee": task.assignee,
        "candidate_groups": list(task.candidate_groups),
        "candidate_users": list(task.candidate_users),
        "due_date": task.due_date,
        "follow_up_date": task.follow_up_date,
        "priority": task.priority,
        "form_id": task.form_id,
        "form_key": forms[task.token_id].key if task.token_id in forms else None,
        "external_form": task.external_form,
        "properties": task.properties,
        "state": "CREATED",
        "created_at": now,
    }


def _write_waits(connection: Connection, row: InstanceRow, changes: Changes, now: datetime) -> None:
    for table, tokens in (
        (m.message_subscription, changes.closed_subscriptions),
        (m.signal_wait, changes.closed_signal_waits),
    ):
        if tokens:
            connection.execute(delete(table).where(table.c.key.in_([element_key(row.key, token) for token in tokens])))
    if changes.subscriptions:
        connection.execute(
            m.message_subscription.insert(),
            [
                {
                    "key": element_key(row.key, s.token_id),
                    "instance_key": row.key,
                    "root_key": row.root_key,
                    "process_id": row.process_id,
                    "token_id": s.token_id,
                    "element_id": s.element_id,
                    "element_name": s.element_name,
                    "message_name": s.message_name,
                    "correlation_key": s.correlation_key,
                    "business_id": row.business_id,
                    "interrupting": s.interrupting,
                    "properties": s.properties,
                    "created_at": now,
                }
                for s in changes.subscriptions
            ],
        )
    if changes.signal_waits:
        connection.execute(
            m.signal_wait.insert(),
            [
                {"key": element_key(row.key, t), "instance_key": row.key, "root_key": row.root_key, "token_id": t, "name": n}
                for t, n in changes.signal_waits
            ],
        )
    if changes.closed_jobs:
        connection.execute(
            update(m.job)
            .where(
                m.job.c.instance_key == row.key,
                m.job.c.token_id.in_(changes.closed_jobs),
                m.job.c.state.not_in(("COMPLETED", "CANCELED", "ERROR_THROWN")),
            )
            .values(state="CANCELED", ended_at=clock.wall_now())
        )


def insert_row(session: Session, table: Table, values: dict[str, Any]) -> int:
    """Insert one row -> the key the database gave it."""
    return int(session.execute(table.insert().values(values).returning(table.c.key)).scalar_one())


def write_job(session: Session, row: InstanceRow, opened: JobOpened, now: datetime) -> int:
    """Insert one job that a worker will do -> its key."""
    values = {
        "instance_key": row.key,
        "root_key": row.root_key,
        "token_id": opened.token_id,
        "element_id": opened.element_id,
        "type": opened.type,
        "kind": opened.kind,
        "listener_event": opened.listener_event,
        "retries": opened.retries,
        "headers": opened.headers,
        "variables": opened.variables,
        "created_at": now,
    }
    return insert_row(session, m.job, values)


def _write_incidents(connection: Connection, row: InstanceRow, changes: Changes, now: datetime) -> None:
    if changes.resolved_incidents:
        connection.execute(
            update(m.incident)
            .where(
                m.incident.c.instance_key == row.key,
                m.incident.c.token_id.in_(changes.resolved_incidents),
                m.incident.c.state == "ACTIVE",
            )
            .values(state="RESOLVED", resolved_at=now)
        )
    if changes.incidents:
        connection.execute(
            m.incident.insert(),
            [
                {
                    "instance_key": row.key,
                    "root_key": row.root_key,
                    "token_id": i.token_id,
                    "element_id": i.element_id,
                    "kind": i.kind,
                    "message": i.message,
                    "details": i.details,
                    "created_at": now,
                }
                for i in changes.incidents
            ],
        )


def _write_decisions(connection: Connection, row: InstanceRow, changes: Changes, now: datetime) -> None:
    if changes.decisions:
        connection.execute(
            m.decision_evaluation.insert(),
            [
                {
                    "instance_key": row.key,
                    "root_key": row.root_key,
                    "business_id": row.business_id,
                    "token_id": d.token_id,
                    "element_id": d.element_id,
                    "decision_id": d.decision_id,
                    "decision_key": d.decision_key,
                    "output": d.output,
                    "trace": d.trace,
                    "at": now,
                }
                for d in changes.decisions
            ],
        )


def forget_subscriptions_of_definition(session: Session, process_id: str) -> None:
    """Only the latest version of a process starts by messages and signals; earlier ones lose their start subscriptions."""
    older = m.process_definition.alias()
    session.execute(
        delete(m.start_subscription).where(
            m.start_subscription.c.definition_key.in_(older.select().with_only_columns(older.c.key).where(older.c.process_id == process_id))
        )
    )
