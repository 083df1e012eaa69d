"""Definitions: processes, decisions and forms by key, by id and binding; and what a deployment consists of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Row, Table, bindparam, case, func, select
from sqlalchemy.orm import Session

from engine.changes import Binding
from engine.errors import NotFound
from engine.store import models as m
from engine.store.clock_row import fetch_with_clock
from engine.store.prepared import Prepared

Kind = Literal["process", "decision", "form"]


@dataclass(frozen=True, slots=True)
class _KindTable:
    table: Table
    id_column: str


KINDS: dict[Kind, _KindTable] = {
    "process": _KindTable(m.process_definition, "process_id"),
    "decision": _KindTable(m.decision_definition, "decision_id"),
    "form": _KindTable(m.form_definition, "form_id"),
}


def latest(session: Session, kind: Kind, identifier: str) -> Row[Any] | None:
    """The newest version of a definition, or None."""
    table, column = KINDS[kind].table, KINDS[kind].table.c[KINDS[kind].id_column]
    return session.execute(select(table).where(column == identifier).order_by(table.c.version.desc()).limit(1)).first()


def latest_by(session: Session, kind: Kind, identifier: str, moment: datetime) -> Row[Any] | None:
    """The newest version that was deployed by a moment; the first of all when there was none yet; None when there is none at all."""
    table, column = KINDS[kind].table, KINDS[kind].table.c[KINDS[kind].id_column]
    in_time = case((m.deployment.c.deployed_at <= moment, table.c.version), else_=-table.c.version)
    statement = select(table).join(m.deployment, m.deployment.c.key == table.c.deployment_key).where(column == identifier)
    return session.execute(statement.order_by(in_time.desc()).limit(1)).first()


def by_key(session: Session, kind: Kind, key: int) -> Row[Any]:
    """A definition by its key; NotFound when there is none."""
    table = KINDS[kind].table
    row = session.execute(select(table).where(table.c.key == key)).first()
    if row is None:
        raise NotFound(what="定义", key=key)
    return row


def bound(
    session: Session, kind: Kind, identifier: str, binding: Binding, deployment_key: int, version_tag: str | None = None
) -> Row[Any] | None:
    """The version that a reference with this binding means, seen from a definition of `deployment_key`."""
    spec = KINDS[kind]
    if binding == "deployment":
        statement = (
            select(spec.table)
            .join(m.deployment_item, m.deployment_item.c.definition_key == spec.table.c.key)
            .where(
                m.deployment_item.c.deployment_key == deployment_key,
                m.deployment_item.c.kind == kind,
                m.deployment_item.c.id == identifier,
            )
        )
        return session.execute(statement).first()
    if binding == "versionTag":
        statement = (
            select(spec.table)
            .where(spec.table.c[spec.id_column] == identifier, spec.table.c.version_tag == version_tag)
            .order_by(spec.table.c.version.desc())
            .limit(1)
        )
        return session.execute(statement).first()
    return latest(session, kind, identifier)


def bound_key(
    session: Session, kind: Kind, identifier: str, binding: Binding, deployment_key: int, version_tag: str | None = None
) -> int | None:
    """The key alone of the version that a reference with this binding means: a form's body is long."""
    values = {"identifier": identifier, "deployment": deployment_key, "tag": version_tag, "kind": kind}
    rows = fetch_with_clock(session, _KEYS[kind, binding], values)
    return rows[0][0] if rows else None


def _key_query(kind: Kind, binding: Binding) -> Prepared:
    if binding == "deployment":
        item = m.deployment_item.c
        of_deployment = (item.deployment_key == bindparam("deployment"), item.kind == bindparam("kind"), item.id == bindparam("identifier"))
        return Prepared(select(item.definition_key).where(*of_deployment))
    table = KINDS[kind].table
    statement = select(table.c.key).where(table.c[KINDS[kind].id_column] == bindparam("identifier"))
    if binding == "versionTag":
        statement = statement.where(table.c.version_tag == bindparam("tag"))
    return Prepared(statement.order_by(table.c.version.desc()).limit(1))


_KEYS = {(kind, binding): _key_query(kind, binding) for kind in get_args(Kind) for binding in get_args(Binding)}


def identifiers(session: Session, kind: Kind) -> frozenset[str]:
    """All ids of a kind that have ever been deployed."""
    spec = KINDS[kind]
    return frozenset(session.scalars(select(spec.table.c[spec.id_column]).distinct()))


def latest_versions(session: Session, kind: Kind) -> Sequence[Row[Any]]:
    """The newest version of every definition of a kind, by name."""
    spec = KINDS[kind]
    newest = (
        select(spec.table.c[spec.id_column].label("id"), func.max(spec.table.c.version).label("version"))
        .group_by(spec.table.c[spec.id_column])
        .subquery()
    )
    statement = (
        select(spec.table)
        .join(newest, (newest.c.id == spec.table.c[spec.id_column]) & (newest.c.version == spec.table.c.version))
        .order_by(spec.table.c[spec.id_column])
    )
    return session.execute(statement).all()


def versions(session: Session, kind: Kind, identifier: str) -> Sequence[Row[Any]]:
    """All versions of one definition, newest first."""
    spec = KINDS[kind]
    return session.execute(select(spec.table).where(spec.table.c[spec.id_column] == identifier).order_by(spec.table.c.version.desc())).all()


def version_of_process(session: Session, process_id: str, version: int | None = None, version_tag: str | None = None) -> Row[Any]:
    """A process by its id and version or version tag, else its newest version. NotFound when there is none."""
    table = m.process_definition
    statement = select(table).where(table.c.process_id == process_id).order_by(table.c.version.desc()).limit(1)
    if version is not None:
        statement = statement.where(table.c.version == version)
    if version_tag is not None:
        statement = statement.where(table.c.version_tag == version_tag)
    row = session.execute(statement).first()
    if row is None:
        raise NotFound(what="流程", key=" ".join(str(part) for part in (process_id, version, version_tag) if part is not None))
    return row


def resource_content(session: Session, resource_key: int) -> bytes:
    """The deployed file, byte for byte."""
    content = session.scalar(select(m.resource.c.content).where(m.resource.c.key == resource_key))
    if content is None:
        raise NotFound(what="资源", key=resource_key)
    return bytes(content)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a process version is used: live instances, all instances ever, live instances with an incident."""

    active: int = 0
    total: int = 0
    incidents: int = 0


def usage(session: Session) -> dict[int, Usage]:
    """Process definition key -> its usage, for every version that was ever started."""
    live = m.process_instance.c.state == "ACTIVE"
    statement = select(
        m.process_instance.c.definition_key,
        func.sum(case((live, 1), else_=0)),
        func.count(),
        func.sum(case((live & (m.process_instance.c.incidents > 0), 1), else_=0)),
    ).group_by(m.process_instance.c.definition_key)
    return {key: Usage(int(active), int(total), int(broken)) for key, active, total, broken in session.execute(statement)}


def active_elements(session: Session, definition_key: int) -> dict[str, int]:
    """Element id -> how many user tasks of this process version are open there now."""
    statement = (
        select(m.user_task.c.element_id, func.count())
        .where(m.user_task.c.definition_key == definition_key, m.user_task.c.state == "CREATED")
        .group_by(m.user_task.c.element_id)
    )
    return dict(session.execute(statement).all())


def deployment_row(session: Session, key: int) -> Row[Any]:
    """Who deployed when; NotFound when there is none."""
    row = session.execute(select(m.deployment).where(m.deployment.c.key == key)).first()
    if row is None:
        raise NotFound(what="部署", key=key)
    return row
