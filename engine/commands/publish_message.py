"""Publish a message or broadcast a signal to whoever waits for it now, and (messages) to later subscribers until it expires."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine.commands.messages import DEFAULT_TTL, insert_message
from engine.errors import Invalid
from engine.policy import Actor, require
from engine.store import audit

MAX_TTL_SECONDS = 10 * 366 * 86_400


def publish_message(
    session: Session,
    actor: Actor,
    name: str,
    correlation_key: str,
    variables: Mapping[str, Any],
    *,
    ttl_seconds: int | None = None,
    message_id: str | None = None,
    business_id: str | None = None,
) -> int:
    """Publish -> the message's key. `ttl_seconds` 0: only for those who wait for it now; None: 30 days. `business_id`: of instances that
    the message starts.

    Needs the power `operate`; Invalid for an empty name or an impossible time to live, Conflict when a message that still lives has the
    same name, correlation key and message id.
    """
    require(actor, "operate")
    if not name:
        raise Invalid(reason="消息没有名称")
    if ttl_seconds is not None and not 0 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise Invalid(reason=f"消息有效期应为 0 至 {MAX_TTL_SECONDS} 秒")
    ttl = DEFAULT_TTL if ttl_seconds is None else timedelta(seconds=ttl_seconds)
    key = insert_message(
        session, actor, "message", name, correlation_key, dict(variables), ttl=ttl, message_id=message_id, business_id=business_id
    )
    audit.record(session, actor, "message.published", data={"name": name, "correlationKey": correlation_key, "messageKey": str(key)})
    return key


def broadcast_signal(session: Session, actor: Actor, name: str, variables: Mapping[str, Any]) -> int:
    """Broadcast to every instance that waits for the signal now -> its key. Needs the power `operate`."""
    require(actor, "operate")
    key = insert_message(session, actor, "signal", name, "", dict(variables))
    audit.record(session, actor, "signal.broadcast", data={"name": name, "signalKey": str(key)})
    return key
