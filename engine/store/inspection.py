"""What an operator looks at: when an instance changed, who wrote its variables last, its decisions, and the operations log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, select, union
from sqlalchemy.orm import Session

from engine.store import models as m
from engine.store.search import Source

MAX_MOMENTS = 1_000
"""A slider has no more places than that; of a longer history the newest are offered."""


def moments(session: Session, instance_key: int) -> list[datetime]:
    """The instants (business time) at which tokens or variables of an instance changed, oldest first; the newest MAX_MOMENTS of them."""
    element, variable = m.element_event.c, m.variable_event.c
    changed = union(
        select(element.at.label("at")).where(element.instance_key == instance_key),
        select(variable.at.label("at")).where(variable.instance_key == instance_key),
    ).subquery()
    found = session.scalars(select(changed.c.at).order_by(changed.c.at.desc()).limit(MAX_MOMENTS)).all()
    return list(reversed(found))


@dataclass(frozen=True, slots=True)
class LastChange:
    """When a variable got the value it has, by whose command, and how often it was written in all."""

    at: datetime
    by: str
    times: int


def last_changes(session: Session, instance_key: int) -> dict[tuple[int, str], LastChange]:
    """(scope id, name) -> its last change, of every variable an instance ever had."""
    event = m.variable_event.c
    newest = (
        select(event.scope_id, event.name, func.max(event.version).label("version"), func.count().label("times"))
        .where(event.instance_key == instance_key)
        .group_by(event.scope_id, event.name)
        .subquery()
    )
    same = and_(event.version == newest.c.version, event.scope_id == newest.c.scope_id, event.name == newest.c.name)
    statement = (
        select(event.scope_id, event.name, event.at, event.by, newest.c.times).join(newest, same).where(event.instance_key == instance_key)
    )
    return {(scope, name): LastChange(at, by, times) for scope, name, at, by, times in session.execute(statement)}


def decisions_of_instance(session: Session, instance_key: int) -> Sequence[Row[Any]]:
    """Decisions evaluated by one process instance with their traces, newest first."""
    statement = select(m.decision_evaluation).where(m.decision_evaluation.c.instance_key == instance_key)
    return session.execute(statement.order_by(m.decision_evaluation.c.key.desc())).all()


AUDIT_EVENTS = Source(
    statement=select(m.audit_event),
    fields={
        "id": m.audit_event.c.id,
        "at": m.audit_event.c.at,
        "actor": m.audit_event.c.actor,
        "action": m.audit_event.c.action,
        "process_instance_key": m.audit_event.c.instance_key,
        "root_process_instance_key": m.audit_event.c.root_key,
        "business_id": m.audit_event.c.business_id,
    },
    keys=(m.audit_event.c.id,),
)
"""The audit trail. `at` is wall time: when the person really did it."""
