"""The audit trail: who did what when, append only. Part of the command's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.policy import Actor
from engine.store import models as m
from engine.store.prepared import Prepared, run

_INSERT = Prepared(m.audit_event.insert())
OWN_NEWEST = 50
"""Where a repeated request looks for what it did: it comes within moments."""


def record(
    session: Session,
    actor: Actor,
    action: str,
    *,
    root_key: int | None = None,
    instance_key: int | None = None,
    element_id: str | None = None,
    task_key: int | None = None,
    business_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event. `action` is a stable word such as "task.completed"; `data` small JSON facts, never form bodies."""
    values = {
        "at": clock.wall_now(),
        "business_at": clock.now(),
        "actor": actor.username,
        "action": action,
        "root_key": root_key,
        "instance_key": instance_key,
        "element_id": element_id,
        "task_key": task_key,
        "business_id": business_id,
        "data": data or {},
    }
    run(session.connection(), _INSERT, values)
    if business_id is not None:
        session.info["changed"].add(business_id)


def has_request(session: Session, actor: Actor, root_key: int, request: str) -> bool:
    """Whether this person has changed the instance by this very request (the digest kept as `data.request`). To be asked in turn."""
    event = m.audit_event.c
    own = select(event.data).where(event.root_key == root_key, event.actor == actor.username).order_by(event.id.desc()).limit(OWN_NEWEST)
    return any(data.get("request") == request for data in session.scalars(own))
