"""Writes a `Changes` as rows: one statement a table, all sent together, nothing read back. Runs inside the command's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.changes import Changes, JobOpened
from engine.store import models as m
from engine.store.models import element_key
from engine.store.prepared import Batch, Prepared, fetch
from engine.store.task_changes import write_task_changes
from engine.store.task_rows import Completion, OpenedForm, close_user_tasks, open_user_tasks
from engine.store.upserting import insert_row, upserting


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
    start_key: str | None = None


NEW_INSTANCE = (
    "parent_key",
    "parent_token",
    "definition_key",
    "process_id",
    "business_id",
    "owner",
    "state",
    "version",
    "header",
    "incidents",
    "started_at",
    "started_by",
    "start_key",
)
"""The columns of a new process instance, beside its key and its root's."""


def _inserting_instance(dialect: str) -> Insert:
    """One that has no root is its own, so its key is known to the statement that inserts it: the next of PostgreSQL's sequence, or the
    next after the largest, as SQLite gives them itself (whoever writes there is alone)."""
    table = m.process_instance
    number = func.nextval("process_instance_key_seq") if dialect == "postgresql" else func.coalesce(func.max(table.c.key), 0) + 1
    fresh = select(number.label("key")).subquery("fresh").c.key
    given = {name: bindparam(name, type_=table.c[name].type) for name in NEW_INSTANCE}
    root = func.coalesce(bindparam("root_key", type_=table.c.root_key.type), fresh)
    return table.insert().from_select(["key", "root_key", *given], select(fresh, root, *given.values())).returning(table.c.key)


_UPDATE_INSTANCE = Prepared(
    update(m.process_instance).where(m.process_instance.c.key == bindparam("instance")),
    "version",
    "header",
    "state",
    "incidents",
    "ended_at",
)
_INSERT_INSTANCE = Prepared(_inserting_instance)
_UPDATE_DUE = Prepared(update(m.process_instance).where(m.process_instance.c.key == bindparam("instance")), "next_due_at")
_OF_INSTANCE = m.token.c.instance_key == bindparam("instance")
_RENAME_TOKEN = Prepared(update(m.token).where(_OF_INSTANCE, m.token.c.token_id == bindparam("gone")), "token_id", "data")
_DELETE_TOKEN = Prepared(delete(m.token).where(_OF_INSTANCE, m.token.c.token_id == bindparam("gone")))
_DELETE_SCOPE = Prepared(
    delete(m.variable).where(m.variable.c.instance_key == bindparam("instance"), m.variable.c.scope_id == bindparam("gone"))
)
_WRITE_TOKEN = Prepared(upserting(m.token, ("instance_key", "token_id"), ("data",)))
_WRITE_VARIABLE = Prepared(upserting(m.variable, ("instance_key", "scope_id", "name"), ("value",)))
_INSERT_HISTORY = Prepared(m.element_event.insert())
_INSERT_VARIABLE_HISTORY = Prepared(m.variable_event.insert())
_INSERT_SUBSCRIPTION = Prepared(m.message_subscription.insert())
_INSERT_SIGNAL_WAIT = Prepared(m.signal_wait.insert())
_DELETE_SUBSCRIPTION = Prepared(delete(m.message_subscription).where(m.message_subscription.c.key == bindparam("gone")))
_DELETE_SIGNAL_WAIT = Prepared(delete(m.signal_wait).where(m.signal_wait.c.key == bindparam("gone")))


def write(
    session: Session,
    row: InstanceRow,
    changes: Changes,
    now: datetime,
    by: str,
    completion: Completion | None,
    forms: dict[int, OpenedForm],
) -> None:
    """Write all rows of one step of one instance that `by` caused. `forms`: token id -> the form an opened task uses."""
    now = now.astimezone(UTC)  # once, not for every row
    row.version += 1
    row.state = changes.state
    row.incidents += len(changes.incidents) - len(changes.resolved_incidents)
    row.header = changes.header
    batch = Batch()
    values = {
        "instance": row.key,
        "version": row.version,
        "header": changes.header,
        "state": changes.state,
        "incidents": row.incidents,
        "ended_at": None if changes.state == "ACTIVE" else now,
    }
    batch.add(_UPDATE_INSTANCE, [values])
    if row.next_due_at != changes.next_due_at:
        row.next_due_at = changes.next_due_at
        batch.add(_UPDATE_DUE, [{"instance": row.key, "next_due_at": changes.next_due_at}])
    _write_tokens(batch, row.key, changes)
    _write_variables(batch, row, changes, now, by)
    _write_history(batch, row.key, changes, now)
    submitted = close_user_tasks(batch, row, changes, now, completion)
    open_user_tasks(batch, row, changes, now, forms, submitted)
    _write_waits(batch, row, changes, now)
    connection = session.connection()
    if changes.changed_user_tasks or completion is not None:
        write_task_changes(connection, row, changes, now, completion)
    batch.send(connection)
    _close_jobs(connection, row, changes)
    _write_incidents(connection, row, changes, now)
    _write_decisions(connection, row, changes, now)


def _write_tokens(batch: Batch, key: int, changes: Changes) -> None:
    """A row that is no longer needed becomes that of a new token: the usual step is one UPDATE instead of a DELETE and an INSERT."""
    fresh = [token for token in changes.tokens if token >= changes.first_new_token]
    renamed = dict(zip(changes.removed_tokens, fresh, strict=False))
    written = set(renamed.values())
    batch.add(
        _RENAME_TOKEN,
        [{"instance": key, "gone": gone, "token_id": token, "data": changes.tokens[token]} for gone, token in renamed.items()],
    )
    batch.add(_DELETE_TOKEN, [{"instance": key, "gone": gone} for gone in changes.removed_tokens if gone not in renamed])
    rows = [{"instance_key": key, "token_id": token, "data": data} for token, data in changes.tokens.items() if token not in written]
    batch.add(_WRITE_TOKEN, rows)


def _write_variables(batch: Batch, row: InstanceRow, changes: Changes, now: datetime, by: str) -> None:
    """The variables as they are now, and one line of their history for each that changed (a scope that is gone: one line without name)."""
    key = row.key
    batch.add(_DELETE_SCOPE, [{"instance": key, "gone": scope} for scope in changes.removed_scopes])
    rows = [{"instance_key": key, "scope_id": scope, "name": name, "value": value} for (scope, name), value in changes.variables.items()]
    batch.add(_WRITE_VARIABLE, rows)
    gone: list[dict[str, Any]] = [{"instance_key": key, "scope_id": scope, "name": "", "value": None} for scope in changes.removed_scopes]
    batch.add(_INSERT_VARIABLE_HISTORY, [{**each, "version": row.version, "at": now, "by": by} for each in (*gone, *rows)])


def _write_history(batch: Batch, key: int, changes: Changes, now: datetime) -> None:
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
    batch.add(_INSERT_HISTORY, rows)


def _write_waits(batch: Batch, row: InstanceRow, changes: Changes, now: datetime) -> None:
    batch.add(_DELETE_SUBSCRIPTION, [{"gone": element_key(row.key, token)} for token in changes.closed_subscriptions])
    batch.add(_DELETE_SIGNAL_WAIT, [{"gone": element_key(row.key, token)} for token in changes.closed_signal_waits])
    subscriptions = [
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
    ]
    batch.add(_INSERT_SUBSCRIPTION, subscriptions)
    waits = [
        {"key": element_key(row.key, token), "instance_key": row.key, "root_key": row.root_key, "token_id": token, "name": name}
        for token, name in changes.signal_waits
    ]
    batch.add(_INSERT_SIGNAL_WAIT, waits)


def _close_jobs(connection: Connection, row: InstanceRow, changes: Changes) -> None:
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


def insert_instance(session: Session, values: dict[str, Any]) -> int:
    """Insert a process instance (NEW_INSTANCE and `root_key`, all of them) -> its key. One without a root is its own root."""
    return int(fetch(session.connection(), _INSERT_INSTANCE, values)[0][0])


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
        "priority": opened.priority,
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
