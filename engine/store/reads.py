"""Queries over the engine's tables: what commands check and what screens show. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, Row, and_, bindparam, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from engine.changes import StoredState
from engine.errors import NotFound
from engine.policy import Actor, TaskFacts
from engine.store import clock_row
from engine.store import models as m
from engine.store.changes import InstanceRow
from engine.store.models import split_key
from engine.store.prepared import Prepared, fetch, fetch_together

_INSTANCE = (
    "key",
    "root_key",
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
    "next_due_at",
    "suspended_at",
    "start_key",
)


@dataclass(frozen=True, slots=True)
class LockedTask:
    """What completing a user task needs of it. `has_drafts`: somebody has saved a draft of its form."""

    root_key: int
    element_id: str
    name: str
    business_id: str | None
    owner: str | None
    state: str
    assignee: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    form_key: int | None
    properties: dict[str, str]
    completed_by: str | None
    has_drafts: bool


def _instance_columns(table: FromClause) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in _INSTANCE]


_CHILD = m.process_instance.alias("child")
_LOCK_ROOT = Prepared(
    select(*_instance_columns(m.process_instance), *clock_row.COLUMNS)
    .join(_CHILD, _CHILD.c.root_key == m.process_instance.c.key)
    .outerjoin(m.business_clock, true())
    .where(_CHILD.c.key == bindparam("instance"))
    .with_for_update(of=m.process_instance)
)
_LOCK_ONLY = Prepared(
    select(m.process_instance.c.key)
    .join(_CHILD, _CHILD.c.root_key == m.process_instance.c.key)
    .where(_CHILD.c.key == bindparam("instance"))
    .with_for_update(of=m.process_instance)
)
_TASK = [m.user_task.c[field.name] for field in fields(LockedTask) if field.name in m.user_task.columns]
_HAS_DRAFTS = exists().where(m.user_task_draft.c.task_key == m.user_task.c.key)
_TASK_AND_ROOT = Prepared(
    select(*_instance_columns(m.process_instance), *clock_row.COLUMNS, *_TASK, _HAS_DRAFTS)
    .join(m.process_instance, m.process_instance.c.key == m.user_task.c.root_key)
    .outerjoin(m.business_clock, true())
    .where(m.user_task.c.key == bindparam("task"))
)
_INSTANCE_BY_KEY = Prepared(select(*_instance_columns(m.process_instance)).where(m.process_instance.c.key == bindparam("instance")))
_TOKENS = Prepared(select(m.token.c.data).where(m.token.c.instance_key == bindparam("instance")).order_by(m.token.c.token_id))
_VARIABLES = Prepared(
    select(m.variable.c.scope_id, m.variable.c.name, m.variable.c.value).where(m.variable.c.instance_key == bindparam("instance"))
)
_TASK_BY_KEY = select(m.user_task).where(m.user_task.c.key == bindparam("task"))
# statements of the hot path are built once: building one costs more than running it


def lock_root(session: Session, instance_key: int) -> InstanceRow:
    """Lock the root of an instance and return the root's row. On SQLite the transaction is the lock (BEGIN IMMEDIATE)."""
    session.info["take_turn"](instance_key)
    rows = fetch(session.connection(), _LOCK_ROOT, {"instance": instance_key})
    if not rows:
        raise NotFound(what="流程实例", key=instance_key)
    *columns, seconds, calendar_version = rows[0]
    clock_row.settle(session, seconds, calendar_version)
    return InstanceRow(*columns)


def lock_task(session: Session, task_key: int) -> tuple[InstanceRow, InstanceRow, LockedTask]:
    """Lock the root of a user task: the rows of the root, of the task's process instance and of the task as they are under the lock."""
    connection, instance_key = session.connection(), split_key(task_key)[0]
    session.info["take_turn"](instance_key)
    queries: list[tuple[Prepared, dict[str, Any]]] = [(_TASK_AND_ROOT, {"task": task_key})]
    if connection.dialect.name == "postgresql":
        # one joined SELECT FOR UPDATE would show the task as it was before the wait for the lock: only locked rows are read again
        queries.insert(0, (_LOCK_ONLY, {"instance": instance_key}))
    rows = fetch_together(connection, queries)[-1]
    if not rows:
        raise NotFound(what="任务", key=task_key)
    row, count = rows[0], len(_INSTANCE)
    clock_row.settle(session, row[count], row[count + 1])
    root, task = InstanceRow(*row[:count]), LockedTask(*row[count + 2 :])
    return root, root if root.key == instance_key else instance_row(session, instance_key), task


def instance_row(session: Session, key: int) -> InstanceRow:
    """The columns a step needs of any instance whose root is locked."""
    rows = fetch(session.connection(), _INSTANCE_BY_KEY, {"instance": key})
    if not rows:
        raise NotFound(what="流程实例", key=key)
    return InstanceRow(*rows[0])


def child_of(session: Session, parent_key: int, token_id: int) -> int | None:
    """The live instance that a call activity's token started."""
    return session.scalar(
        select(m.process_instance.c.key).where(
            m.process_instance.c.parent_key == parent_key,
            m.process_instance.c.parent_token == token_id,
            m.process_instance.c.state == "ACTIVE",
        )
    )


def active_below(session: Session, root_key: int, key: int) -> list[int]:
    """The active instances among `key` and those it called, directly or not, in the order they began."""
    statement = select(m.process_instance.c.key, m.process_instance.c.parent_key, m.process_instance.c.state)
    found, below = [], {key}
    for each, parent, state in session.execute(
        statement.where(m.process_instance.c.root_key == root_key).order_by(m.process_instance.c.key)
    ):
        if each in below or parent in below:
            below.add(each)
            if state == "ACTIVE":
                found.append(int(each))
    return found


def stored_state(session: Session, row: InstanceRow) -> StoredState:
    """The rows that an instance is rebuilt from."""
    of_instance = {"instance": row.key}
    tokens, variables = fetch_together(session.connection(), [(_TOKENS, of_instance), (_VARIABLES, of_instance)])
    return StoredState(row.header, [data for (data,) in tokens], [(scope, name, value) for scope, name, value in variables])


def token_rows(session: Session, key: int) -> list[bytes]:
    """Token rows in id order."""
    return [data for (data,) in fetch(session.connection(), _TOKENS, {"instance": key})]


def variable_rows(session: Session, key: int) -> list[tuple[int, str, bytes]]:
    """(scope id, name, JSON) of every variable."""
    return [(scope, name, value) for scope, name, value in fetch(session.connection(), _VARIABLES, {"instance": key})]


def instance(session: Session, key: int) -> Row[Any]:
    """A process instance's whole row; NotFound when there is none."""
    row = session.execute(select(m.process_instance).where(m.process_instance.c.key == key)).first()
    if row is None:
        raise NotFound(what="流程实例", key=key)
    return row


def instances_of_business(session: Session, business_id: str) -> Sequence[Row[Any]]:
    """All instances of one business id, oldest first, called ones included."""
    statement = select(m.process_instance).where(m.process_instance.c.business_id == business_id).order_by(m.process_instance.c.key)
    return session.execute(statement).all()


def variables(session: Session, key: int) -> dict[str, Any]:
    """The process-level variables of an instance as JSON values."""
    return {name: orjson.loads(value) for scope, name, value in variable_rows(session, key) if scope == 0}


def get_task(session: Session, key: int) -> Row[Any]:
    """A user task's whole row; NotFound when there is none."""
    row = session.execute(_TASK_BY_KEY, {"task": key}).first()
    if row is None:
        raise NotFound(what="任务", key=key)
    return row


def tasks_of_root(session: Session, root_key: int) -> Sequence[Row[Any]]:
    """All user tasks under a root, oldest first."""
    statement = select(m.user_task).where(m.user_task.c.root_key == root_key).order_by(m.user_task.c.created_at, m.user_task.c.key)
    return session.execute(statement).all()


def open_tasks_of_instance(session: Session, instance_key: int) -> Sequence[Row[Any]]:
    """The open user tasks of one process instance."""
    statement = select(m.user_task).where(m.user_task.c.instance_key == instance_key, m.user_task.c.state == "CREATED")
    return session.execute(statement).all()


def tasks_of_business(session: Session, business_id: str) -> Sequence[Row[Any]]:
    """All user tasks of a business id, oldest first."""
    statement = select(m.user_task).where(m.user_task.c.business_id == business_id).order_by(m.user_task.c.created_at, m.user_task.c.key)
    return session.execute(statement).all()


def task_facts(session: Session, task: Row[Any] | LockedTask) -> TaskFacts:
    """What policy needs to know of a task; asks for earlier doers only when the diagram separates tasks."""
    separate = frozenset(s.strip() for s in task.properties.get("separateFrom", "").split(",") if s.strip())
    doers: dict[str, set[str]] = {}
    if separate:
        statement = select(m.user_task.c.element_id, m.user_task.c.completed_by).where(
            m.user_task.c.root_key == task.root_key, m.user_task.c.element_id.in_(separate), m.user_task.c.state == "COMPLETED"
        )
        for element, username in session.execute(statement):
            if username is not None:
                doers.setdefault(element, set()).add(username)
    return TaskFacts(
        assignee=task.assignee,
        candidate_groups=frozenset(task.candidate_groups),
        candidate_users=frozenset(task.candidate_users),
        owner=task.owner,
        separate_from=separate,
        doers={element: frozenset(names) for element, names in doers.items()},
    )


def is_candidate(actor: Actor) -> ColumnElement[bool]:
    """SQL twin of the candidate rule in engine.policy: the unassigned tasks offered to this person's groups or to the person."""
    names = or_(
        and_(m.user_task_candidate.c.kind == "group", m.user_task_candidate.c.name.in_(actor.groups)) if actor.groups else false(),
        and_(m.user_task_candidate.c.kind == "user", m.user_task_candidate.c.name == actor.username),
    )
    return exists().where(m.user_task_candidate.c.task_key == m.user_task.c.key, names)


def may_complete(actor: Actor) -> ColumnElement[bool]:
    """SQL twin of `policy.refusal(actor, "complete", task) is None` without the separation rule, which needs the doers of each case."""
    own = actor.owns | {actor.username}
    owners_task = and_(m.user_task.c.owner.is_not(None), m.user_task.c.assignee == m.user_task.c.owner)
    by_owner = true() if actor.can("represent_owner") else m.user_task.c.owner.in_(own)
    foreign = or_(m.user_task.c.owner.is_(None), m.user_task.c.owner.not_in(own))
    candidate = or_(m.user_task.c.assignee == actor.username, and_(m.user_task.c.assignee.is_(None), is_candidate(actor)))
    return or_(and_(owners_task, by_owner), and_(~func.coalesce(owners_task, false()), foreign, candidate))


@dataclass(frozen=True, slots=True)
class ElementInstance:
    """One passage through an element: `state` is ACTIVE, COMPLETED, TERMINATED or MERGED; `ended_at` is None while active."""

    token_id: int
    element_id: str
    scope_id: int
    predecessor: int | None
    flow_id: str | None
    state: str
    entered_at: datetime
    ended_at: datetime | None


def element_history(session: Session, instance_key: int, until: datetime | None = None) -> list[ElementInstance]:
    """Every element instance of a process instance, in the order of entering; `until` shows the state at a past instant."""
    statement = select(m.element_event).where(m.element_event.c.instance_key == instance_key).order_by(m.element_event.c.id)
    if until is not None:
        statement = statement.where(m.element_event.c.at <= until)
    entered: dict[int, Row[Any]] = {}
    ended: dict[int, Row[Any]] = {}
    renamed: dict[int, str] = {}
    for row in session.execute(statement):
        if row.kind == "entered":
            entered.setdefault(row.token_id, row)
            ended.pop(row.token_id, None)  # an undone migration revives what it had cancelled
        elif row.kind == "migrated":
            renamed[row.token_id] = row.element_id
        else:
            ended[row.token_id] = row
    return [
        ElementInstance(
            token_id=row.token_id,
            element_id=renamed.get(row.token_id, row.element_id),
            scope_id=row.scope_id,
            predecessor=row.predecessor,
            flow_id=row.flow_id,
            state=ended[row.token_id].kind.upper() if row.token_id in ended else "ACTIVE",
            entered_at=row.at,
            ended_at=ended[row.token_id].at if row.token_id in ended else None,
        )
        for row in entered.values()
    ]


def subscriptions_of_business(session: Session, business_id: str) -> Sequence[Row[Any]]:
    """Messages that the instances of a business id wait for now."""
    statement = select(m.message_subscription).where(m.message_subscription.c.business_id == business_id)
    return session.execute(statement.order_by(m.message_subscription.c.created_at)).all()


def subscription(session: Session, key: int) -> Row[Any]:
    """One message subscription; NotFound when nobody waits any more."""
    row = session.execute(select(m.message_subscription).where(m.message_subscription.c.key == key)).first()
    if row is None:
        raise NotFound(what="等待的消息", key=key)
    return row


def decisions_of_business(session: Session, business_id: str) -> Sequence[Row[Any]]:
    """Evaluated decisions with their traces, oldest first."""
    statement = select(m.decision_evaluation).where(m.decision_evaluation.c.business_id == business_id)
    return session.execute(statement.order_by(m.decision_evaluation.c.key)).all()


def decisions_of_root(session: Session, root_key: int) -> Sequence[Row[Any]]:
    """Evaluated decisions under one root, oldest first."""
    statement = select(m.decision_evaluation).where(m.decision_evaluation.c.root_key == root_key)
    return session.execute(statement.order_by(m.decision_evaluation.c.key)).all()


def incidents(session: Session, *, business_id: str | None = None, active_only: bool = True) -> Sequence[Row[Any]]:
    """Incidents with their instance's business id, newest first."""
    statement = select(m.incident, m.process_instance.c.business_id, m.process_instance.c.process_id).join(
        m.process_instance, m.process_instance.c.key == m.incident.c.instance_key
    )
    if business_id is not None:
        statement = statement.where(m.process_instance.c.business_id == business_id)
    if active_only:
        statement = statement.where(m.incident.c.state == "ACTIVE")
    return session.execute(statement.order_by(m.incident.c.key.desc())).all()


def incidents_of_instance(session: Session, instance_key: int) -> Sequence[Row[Any]]:
    """The unresolved incidents of one process instance."""
    return session.execute(select(m.incident).where(m.incident.c.instance_key == instance_key, m.incident.c.state == "ACTIVE")).all()


def audit_of_business(session: Session, business_id: str) -> Sequence[Row[Any]]:
    """The audit trail of a business id, oldest first."""
    statement = select(m.audit_event).where(m.audit_event.c.business_id == business_id).order_by(m.audit_event.c.id)
    return session.execute(statement).all()


def last_event_id(session: Session) -> int:
    """The newest audit event's id: when it moves, pages that watch ask again."""
    return session.scalar(select(func.max(m.audit_event.c.id))) or 0


def draft(session: Session, task_key: int, username: str) -> Row[Any] | None:
    """What a person typed into a task's form and saved without submitting."""
    statement = select(m.user_task_draft).where(m.user_task_draft.c.task_key == task_key, m.user_task_draft.c.username == username)
    return session.execute(statement).first()


def due_instances(session: Session, now: datetime, limit: int = 200) -> list[int]:
    """Live instances with a timer that is due, most overdue first."""
    statement = (
        select(m.process_instance.c.key)
        .where(
            m.process_instance.c.next_due_at <= now,
            m.process_instance.c.state == "ACTIVE",
            m.process_instance.c.suspended_at.is_(None),
        )
        .order_by(m.process_instance.c.next_due_at)
        .limit(limit)
    )
    return list(session.scalars(statement))


def next_due(session: Session) -> datetime | None:
    """When the next timer of all is due."""
    statement = select(func.min(m.process_instance.c.next_due_at)).where(
        m.process_instance.c.state == "ACTIVE", m.process_instance.c.suspended_at.is_(None)
    )
    found: datetime | None = session.scalar(statement)
    return found


def next_start(session: Session) -> datetime | None:
    """When the next timer start event of all is due."""
    found: datetime | None = session.scalar(select(func.min(m.start_timer.c.due_at)))
    return found


def instance_of_key(key: int) -> int:
    """The process instance a user task's, job host's or subscription's key belongs to."""
    return split_key(key)[0]
