"""The rows of an instance that name its definition or its elements: rewritten by a migration, kept aside for its undoing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import LargeBinary, Row, Table, bindparam, case, delete, select, update
from sqlalchemy.orm import Session

from engine.changes import JobOpened, SubscriptionOpened, UserTaskOpened
from engine.store import models as m
from engine.store.changes import InstanceRow
from engine.store.database import Instant
from engine.store.models import element_key
from engine.store.task_rows import OpenedForm, from_diagram

OPEN_TASK = ("CREATED", "COMPLETING")
OPEN_JOB = ("CREATED", "ACTIVATED", "FAILED")


# ---------------------------------------------------------------------- what a migration rewrites
def rewrite(session: Session, row: InstanceRow, definition_key: int, process_id: str, renamed: Mapping[str, str]) -> None:
    """Put the instance and what is open in it under the new definition and the new element ids. Ended tasks keep theirs."""
    key = row.key
    row.definition_key, row.process_id = definition_key, process_id
    session.execute(
        update(m.process_instance).where(m.process_instance.c.key == key).values(definition_key=definition_key, process_id=process_id)
    )
    task, job, wait, incident = m.user_task, m.job, m.message_subscription, m.incident
    values = {"definition_key": definition_key, "process_id": process_id, "element_id": _new_id(task, renamed)}
    session.execute(update(task).where(task.c.instance_key == key, task.c.state.in_(OPEN_TASK)).values(**values))
    session.execute(update(wait).where(wait.c.instance_key == key).values(process_id=process_id, element_id=_new_id(wait, renamed)))
    if renamed:
        open_jobs = update(job).where(job.c.instance_key == key, job.c.state.in_(OPEN_JOB))
        session.execute(open_jobs.values(element_id=_new_id(job, renamed)))
        active = update(incident).where(incident.c.instance_key == key, incident.c.state == "ACTIVE")
        session.execute(active.values(element_id=_new_id(incident, renamed)))


def _new_id(table: Table, renamed: Mapping[str, str]) -> Any:
    """One expression for all renames, so that two elements may swap their names."""
    return case(dict(renamed), value=table.c.element_id, else_=table.c.element_id) if renamed else table.c.element_id


def refresh_waits(session: Session, instance_key: int, waits: list[SubscriptionOpened]) -> None:
    """What people see of the message subscriptions that were kept, and whether they interrupt."""
    if waits:
        statement = update(m.message_subscription).where(m.message_subscription.c.key == bindparam("wait"))
        session.connection().execute(
            statement,
            [
                {
                    "wait": element_key(instance_key, wait.token_id),
                    "element_id": wait.element_id,
                    "element_name": wait.element_name,
                    "interrupting": wait.interrupting,
                    "properties": wait.properties,
                }
                for wait in waits
            ],
        )


def refresh_tasks(session: Session, instance_key: int, tasks: list[UserTaskOpened], forms: Mapping[int, OpenedForm]) -> None:
    """Open tasks take everything from the new diagram; whoever has claimed one keeps it."""
    if not tasks:
        return
    connection = session.connection()
    keys = [element_key(instance_key, task.token_id) for task in tasks]
    claimed = set(session.scalars(select(m.user_task.c.key).where(m.user_task.c.key.in_(keys), m.user_task.c.claimed_at.is_not(None))))
    statement = update(m.user_task).where(m.user_task.c.key == bindparam("task"))
    for key, task in zip(keys, tasks, strict=True):
        values = {"task": key, **from_diagram(task, forms)}
        if key not in claimed:
            values["assignee"] = task.assignee
        connection.execute(statement, values)
    connection.execute(delete(m.user_task_candidate).where(m.user_task_candidate.c.task_key.in_(keys)))
    candidates = [
        {"task_key": key, "kind": kind, "name": name}
        for key, task in zip(keys, tasks, strict=True)
        for kind, names in (("group", task.candidate_groups), ("user", task.candidate_users))
        for name in dict.fromkeys(names)
    ]
    if candidates:
        connection.execute(m.user_task_candidate.insert(), candidates)


def refresh_jobs(session: Session, instance_key: int, jobs: list[JobOpened]) -> list[tuple[int, str]]:
    """Pending jobs that nobody works on take type, priority, headers and variables from the new diagram -> (key, type) of each."""
    changed = []
    for job in jobs:
        statement = (
            update(m.job)
            .where(m.job.c.instance_key == instance_key, m.job.c.token_id == job.token_id, m.job.c.state == "CREATED")
            .values(type=job.type, priority=job.priority, headers=job.headers, variables=job.variables)
            .returning(m.job.c.key)
        )
        changed += [(int(key), job.type) for key in session.scalars(statement)]
    return changed


# ---------------------------------------------------------------------- keeping rows aside
Backup = dict[str, list[dict[str, Any]]]
_INSTANCE = ("definition_key", "process_id", "header", "next_due_at", "incidents", "version")


def backup(session: Session, instance_key: int) -> bytes:
    """Everything a migration may change, as JSON."""
    instance = m.process_instance
    columns = [instance.c[name] for name in _INSTANCE]
    open_task = (m.user_task.c.instance_key == instance_key) & m.user_task.c.state.in_(OPEN_TASK)
    tasks = session.execute(select(m.user_task).where(open_task)).all()
    keys = [task.key for task in tasks]
    rows: dict[str, list[Any]] = {
        "process_instance": list(session.execute(select(*columns).where(instance.c.key == instance_key)).all()),
        "user_task": list(tasks),
        "user_task_candidate": _all(session, m.user_task_candidate, m.user_task_candidate.c.task_key.in_(keys)),
        "job": _all(session, m.job, (m.job.c.instance_key == instance_key) & m.job.c.state.in_(OPEN_JOB)),
        "incident": _all(session, m.incident, (m.incident.c.instance_key == instance_key) & (m.incident.c.state == "ACTIVE")),
    }
    for table in (m.token, m.variable, m.message_subscription, m.signal_wait):
        rows[table.name] = _all(session, table, table.c.instance_key == instance_key)
    return orjson.dumps(
        {name: [_freeze(row) for row in found] for name, found in rows.items()}, default=_text, option=orjson.OPT_NON_STR_KEYS
    )


def unpack(raw: bytes) -> Backup:
    """A backup's rows with their database types."""
    tables = m.metadata.tables
    return {name: [_thaw(tables[name], row) for row in rows] for name, rows in orjson.loads(raw).items()}


def _all(session: Session, table: Table, condition: Any) -> list[Row[Any]]:
    return list(session.execute(select(table).where(condition)).all())


def _freeze(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


def _text(value: object) -> str:
    """Rows of state are JSON already; keep their text."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode()
    raise TypeError(type(value).__name__)


def _thaw(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    def value(name: str) -> Any:
        column, written = table.c[name], row[name]
        if written is None:
            return None
        if isinstance(column.type, LargeBinary):
            return written.encode()
        return datetime.fromisoformat(written) if isinstance(column.type, Instant) else written

    return {name: value(name) for name in row}


# ---------------------------------------------------------------------- bringing rows back
def bring_back(session: Session, instance_key: int, kept: Backup, header: bytes, now: datetime) -> None:
    """Put the rows of a backup back. `header`: the instance's header with the token counter of now, so that no id is used twice.

    Tasks, jobs and incidents opened since are closed; a claim made since stays.
    """
    connection = session.connection()
    for table in (m.token, m.variable, m.message_subscription, m.signal_wait):
        connection.execute(delete(table).where(table.c.instance_key == instance_key))
        if kept[table.name]:
            connection.execute(table.insert(), kept[table.name])
    _bring_back_tasks(session, instance_key, kept, now)
    _bring_back_jobs(session, instance_key, kept, now)
    _bring_back_incidents(session, instance_key, kept, now)
    (instance,) = kept["process_instance"]
    statement = update(m.process_instance).where(m.process_instance.c.key == instance_key)
    version = m.process_instance.c.version + 1
    session.execute(statement.values(**{**instance, "header": header, "version": version}))


def _bring_back_tasks(session: Session, instance_key: int, kept: Backup, now: datetime) -> None:
    connection, task = session.connection(), m.user_task
    keys = [row["key"] for row in kept["user_task"]]
    since = (task.c.instance_key == instance_key) & task.c.state.in_(OPEN_TASK) & task.c.key.not_in(keys)
    connection.execute(update(task).where(since).values(state="CANCELED", completed_at=now))
    claims = {
        key: (who, at)
        for key, who, at in session.execute(select(task.c.key, task.c.assignee, task.c.claimed_at).where(task.c.key.in_(keys)))
    }
    for row in kept["user_task"]:
        who, at = claims[row["key"]]
        claim = {"assignee": who, "claimed_at": at} if at is not None else {}
        connection.execute(update(task).where(task.c.key == row["key"]).values(**{**row, **claim}))
    connection.execute(delete(m.user_task_candidate).where(m.user_task_candidate.c.task_key.in_(keys)))
    if kept["user_task_candidate"]:
        connection.execute(m.user_task_candidate.insert(), kept["user_task_candidate"])


def _bring_back_jobs(session: Session, instance_key: int, kept: Backup, now: datetime) -> None:
    job = m.job
    keys = [row["key"] for row in kept["job"]]
    since = (job.c.instance_key == instance_key) & job.c.state.in_(OPEN_JOB) & job.c.key.not_in(keys)
    session.execute(update(job).where(since).values(state="CANCELED", ended_at=now))
    for row in kept["job"]:
        content = {name: row[name] for name in ("element_id", "type", "headers", "variables")}
        session.execute(update(job).where(job.c.key == row["key"]).values(**content))
        revived = {"state": "CREATED" if row["state"] == "ACTIVATED" else row["state"], "ended_at": None, "worker": None, "deadline": None}
        session.execute(update(job).where(job.c.key == row["key"], job.c.state == "CANCELED").values(**revived))


def _bring_back_incidents(session: Session, instance_key: int, kept: Backup, now: datetime) -> None:
    incident = m.incident
    keys = [row["key"] for row in kept["incident"]]
    since = (incident.c.instance_key == instance_key) & (incident.c.state == "ACTIVE") & incident.c.key.not_in(keys)
    session.execute(update(incident).where(since).values(state="RESOLVED", resolved_at=now))
    for row in kept["incident"]:
        values = {"element_id": row["element_id"], "state": "ACTIVE", "resolved_at": None, "resolved_by": None}
        session.execute(update(incident).where(incident.c.key == row["key"]).values(**values))
