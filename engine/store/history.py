"""The append-only history: what was where at any past instant of business time, and the history as moves read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from engine.changes import ElementEvent
from engine.store import models as m
from engine.store import reads
from engine.store.reads import ElementInstance


@dataclass(frozen=True, slots=True)
class PastTask:
    """A user task that was open at the instant. `key` leads to its row, which tells how it ended."""

    key: int
    token_id: int
    element_id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident that was not resolved at the instant."""

    key: int
    token_id: int
    element_id: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class PastState:
    """A process instance at an instant. `exists` is False before its start; `ended`: it had ended by then.

    `definition_key`: the version it ran on then; `elements`: the element instances that were live, in the order they were entered;
    `variables`: scope id (0: the process) -> name -> JSON value; `tasks` and `incidents`: what was open.
    """

    at: datetime
    exists: bool
    ended: bool
    definition_key: int
    elements: tuple[ElementInstance, ...] = ()
    variables: dict[int, dict[str, Any]] | None = None
    tasks: tuple[PastTask, ...] = ()
    incidents: tuple[PastIncident, ...] = ()


def state_at(session: Session, instance_key: int, at: datetime) -> PastState:
    """The instance as it was at the end of the instant `at` (aware, business time). NotFound when there never was one.

    Waiting boundary events and event subprocesses are no element instances, so they are not among the elements.
    """
    row = reads.instance(session, instance_key)
    if at < row.started_at:
        return PastState(at, exists=False, ended=False, definition_key=row.definition_key, variables={})
    live = tuple(each for each in reads.element_history(session, instance_key, at) if each.state == "ACTIVE")
    where = {each.token_id: each.element_id for each in live}
    return PastState(
        at,
        exists=True,
        ended=row.ended_at is not None and row.ended_at <= at,
        definition_key=definition_at(session, row, at),
        elements=live,
        variables=variables_at(session, instance_key, at),
        tasks=_tasks_at(session, instance_key, at, where),
        incidents=_incidents_at(session, instance_key, at, where),
    )


def definition_at(session: Session, row: Row[Any], at: datetime) -> int:
    """The process definition an instance (its whole row) ran on at an instant: the source of the first migration that came later and
    was not undone before then."""
    mig = m.instance_migration.c
    statement = select(mig.source_key, mig.target_key, mig.at, mig.undone_at).where(mig.instance_key == row.key).order_by(mig.key)
    moves: list[tuple[datetime, int]] = []
    first: int | None = None
    for source, target, moved_at, undone_at in session.execute(statement):
        first = source if first is None else first
        moves.append((moved_at, target))
        if undone_at is not None:
            moves.append((undone_at, source))
    current: int = row.definition_key if first is None else first
    for moved_at, key in sorted(moves, key=lambda move: move[0]):
        if moved_at <= at:
            current = key
    return current


def variables_at(session: Session, instance_key: int, at: datetime) -> dict[int, dict[str, Any]]:
    """Scope id -> name -> JSON value, without the engine's own names."""
    event = m.variable_event.c
    statement = select(event.scope_id, event.name, event.value).where(event.instance_key == instance_key, event.at <= at)
    statement = statement.order_by(event.version, event.scope_id, event.name)
    found: dict[int, dict[str, bytes]] = {}
    for scope, name, value in session.execute(statement):
        if value is not None:
            found.setdefault(scope, {})[name] = value
        elif name:
            found.get(scope, {}).pop(name, None)
        else:
            found.pop(scope, None)
    shown = {scope: {n: orjson.loads(v) for n, v in values.items() if not n.startswith("#")} for scope, values in found.items()}
    return {scope: values for scope, values in shown.items() if values}


@dataclass(frozen=True, slots=True)
class VariableChange:
    """One line of a variable's history: what it became when by whom. `value` is None and `removed` True when it went with its scope."""

    scope_id: int
    name: str
    value: Any
    removed: bool
    at: datetime
    by: str


def variable_history(session: Session, instance_key: int, name: str, scope_id: int = 0) -> list[VariableChange]:
    """Every value a variable had, oldest first."""
    event = m.variable_event.c
    statement = (
        select(event.value, event.at, event.by)
        .where(event.instance_key == instance_key, event.scope_id == scope_id, or_(event.name == name, event.name == ""))
        .order_by(event.version)
    )
    return [
        VariableChange(scope_id, name, None if value is None else orjson.loads(value), value is None, at, by)
        for value, at, by in session.execute(statement)
    ]


def _tasks_at(session: Session, instance_key: int, at: datetime, where: dict[int, str]) -> tuple[PastTask, ...]:
    """The rows of tasks say where they are now; where they were then, and whether they were (a migration may have been undone since),
    the element instances of that instant say: `where`."""
    task = m.user_task.c
    statement = (
        select(task.key, task.name, task.created_at)
        .where(task.instance_key == instance_key, task.created_at <= at, or_(task.completed_at.is_(None), task.completed_at > at))
        .order_by(task.created_at, task.key)
    )
    found = [(key, m.split_key(key)[1], name, made) for key, name, made in session.execute(statement)]
    return tuple(PastTask(key, token, where[token], name, made) for key, token, name, made in found if token in where)


def _incidents_at(session: Session, instance_key: int, at: datetime, where: dict[int, str]) -> tuple[PastIncident, ...]:
    incident = m.incident.c
    statement = (
        select(incident.key, incident.token_id, incident.element_id, incident.kind, incident.message)
        .where(incident.instance_key == instance_key, incident.created_at <= at)
        .where(or_(incident.resolved_at.is_(None), incident.resolved_at > at))
        .order_by(incident.key)
    )
    rows = session.execute(statement)
    return tuple(PastIncident(key, token, where.get(token, element), kind, message) for key, token, element, kind, message in rows)


def element_events(session: Session, instance_key: int) -> list[ElementEvent]:
    """The whole element history of an instance in order, as moves (退回, 撤回) read it: element and flow ids are those of the definition it
    runs on now, so that what happened before a migration is found under its new name."""
    event = m.element_event.c
    columns = (event.id, event.token_id, event.kind, event.element_id, event.scope_id, event.predecessor, event.flow_id, event.into)
    statement = select(*columns).where(event.instance_key == instance_key).order_by(event.id)
    renames = _renames(session, instance_key)
    found = []
    for number, token, kind, element, scope, before, flow, into in session.execute(statement):
        for last, mapping in renames:
            if number <= last:
                element, flow = mapping.get(element) or element, mapping.get(flow) or flow  # noqa: PLW2901
        found.append(ElementEvent(token, kind, element, scope, before, flow, into))
    return found


def _renames(session: Session, instance_key: int) -> list[tuple[int, dict[str, str | None]]]:
    """The migrations that still hold, oldest first: (last event before, mapping)."""
    mig = m.instance_migration.c
    statement = select(mig.last_event, mig.mapping).where(mig.instance_key == instance_key, mig.undone_at.is_(None)).order_by(mig.key)
    return [(last, mapping) for last, mapping in session.execute(statement)]


def last_element_event(session: Session, instance_key: int) -> int:
    """The newest element event of an instance; 0 when there is none."""
    return session.scalar(select(func.max(m.element_event.c.id)).where(m.element_event.c.instance_key == instance_key)) or 0


def live_elements(session: Session, instance_key: int, last_event: int | None = None) -> dict[int, ElementEvent]:
    """Token id -> how it was entered (under its latest element id), of what was live after an event (None: now)."""
    event = m.element_event.c
    columns = (event.token_id, event.kind, event.element_id, event.scope_id, event.predecessor, event.flow_id, event.into)
    statement = select(*columns).where(event.instance_key == instance_key).order_by(event.id)
    if last_event is not None:
        statement = statement.where(event.id <= last_event)
    live: dict[int, ElementEvent] = {}
    for token, kind, element, scope, predecessor, flow_id, into in session.execute(statement):
        if kind == "entered":
            live[token] = ElementEvent(token, "entered", element, scope, predecessor, flow_id, into)
        elif kind == "migrated":
            live[token].element_id = element
        else:
            live.pop(token, None)
    return live


def record_undone(
    session: Session, instance_key: int, last_event: int, variables: list[dict[str, Any]], version: int, now: datetime, by: str
) -> None:
    """An instance goes back to how it was after `last_event` with these variable rows: append what that changes to both histories."""
    before, after = live_elements(session, instance_key, last_event), live_elements(session, instance_key)
    events = [ElementEvent(token, "terminated", gone.element_id, gone.scope_id) for token, gone in after.items() if token not in before]
    events += [revived for token, revived in before.items() if token not in after]
    events += [
        ElementEvent(token, "migrated", entry.element_id, entry.scope_id)
        for token, entry in before.items()
        if token in after and after[token].element_id != entry.element_id
    ]
    if events:
        rows = [{"instance_key": instance_key, "at": now, **asdict(event)} for event in events]
        session.connection().execute(m.element_event.insert(), rows)
    lines = _variable_differences(session, instance_key, variables)
    if lines:
        rows = [{"instance_key": instance_key, "version": version, "at": now, "by": by, **line} for line in lines]
        session.connection().execute(m.variable_event.insert(), rows)


def _variable_differences(session: Session, instance_key: int, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    present = {(scope, name): value for scope, name, value in reads.variable_rows(session, instance_key)}
    kept = {(row["scope_id"], row["name"]): row["value"] for row in wanted}
    gone = [{"scope_id": scope, "name": name, "value": None} for scope, name in present if (scope, name) not in kept]
    changed = [(place, value) for place, value in kept.items() if present.get(place) != value]
    return gone + [{"scope_id": scope, "name": name, "value": value} for (scope, name), value in changed]
