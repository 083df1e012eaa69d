"""Publish a message or broadcast a signal to whoever waits for it now, and (messages) to later subscribers until it expires."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.messages import DEFAULT_TTL, insert_message
from engine.errors import Conflict
from engine.policy import Actor, require
from engine.store import audit
from engine.store import models as m


def publish_message(
    session: Session,
    actor: Actor,
    name: str,
    correlation_key: str,
    variables: Mapping[str, Any],
    *,
    ttl_seconds: int | None = None,
    message_id: str | None = None,
) -> int:
    """Publish -> the message's key. Needs the power `operate`; Conflict when a live message has the same name, key and message id."""
    require(actor, "operate")
    if message_id is not None and _published(session, name, correlation_key, message_id):
        raise Conflict(reason=f"消息“{name}”的编号 {message_id} 已发布")
    ttl = DEFAULT_TTL if ttl_seconds is None else timedelta(seconds=ttl_seconds)
    key = insert_message(session, actor, "message", name, correlation_key, dict(variables), ttl=ttl, message_id=message_id)
    audit.record(session, actor, "message.published", data={"name": name, "correlationKey": correlation_key, "messageKey": str(key)})
    return key


def broadcast_signal(session: Session, actor: Actor, name: str, variables: Mapping[str, Any]) -> int:
    """Broadcast to every instance that waits for the signal now -> its key. Needs the power `operate`."""
    require(actor, "operate")
    key = insert_message(session, actor, "signal", name, "", dict(variables))
    audit.record(session, actor, "signal.broadcast", data={"name": name, "signalKey": str(key)})
    return key


def _published(session: Session, name: str, correlation_key: str, message_id: str) -> bool:
    statement = select(m.message.c.key).where(
        m.message.c.name == name,
        m.message.c.correlation_key == correlation_key,
        m.message.c.message_id == message_id,
        m.message.c.expires_at > clock.now(),
    )
    return session.scalar(statement) is not None
