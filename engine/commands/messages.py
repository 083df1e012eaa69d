"""The message table: an outbox and a buffer. A message is a row of the sender's transaction; it is delivered after the commit, each
consumer in a transaction of its own, and stays for later subscribers until it expires."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.policy import Actor
from engine.runtime import runtime_of
from engine.store import models as m
from engine.store.changes import insert_row

DEFAULT_TTL = timedelta(days=30)


def insert_message(
    session: Session,
    actor: Actor,
    kind: Literal["message", "signal"],
    name: str,
    correlation_key: str,
    variables: dict[str, Any],
    *,
    business_id: str | None = None,
    owner: str | None = None,
    ttl: timedelta = DEFAULT_TTL,
    message_id: str | None = None,
    source_key: int | None = None,
) -> int:
    """Write the row and have it delivered after the commit -> the message's key."""
    now = clock.now()
    values = {
        "kind": kind,
        "name": name,
        "correlation_key": correlation_key,
        "message_id": message_id,
        "variables": variables,
        "business_id": business_id,
        "owner": owner,
        "published_by": actor.username,
        "source_key": source_key,
        "state": "NEW",
        "published_at": now,
        "expires_at": now + ttl,
    }
    key = insert_row(session, m.message, values)
    deliver_after_commit(session, key)
    return key


def deliver_after_commit(session: Session, key: int) -> None:
    """Deliver message `key` in this thread once the transaction has committed; a crash in between is made good by the sweep."""
    runtime = runtime_of(session)

    def deliver() -> None:
        from engine.commands.deliver_message import deliver_message

        deliver_message(runtime, key)

    session.info["after_commit"].append(deliver)


def undelivered(session: Session, limit: int = 200) -> list[int]:
    """Messages whose delivery a crash cut off, and open ones that meanwhile have a subscriber: what the sweep delivers."""
    new = select(m.message.c.key).where(m.message.c.state == "NEW")
    consumed = select(m.message_correlation.c.process_id).where(m.message_correlation.c.message_key == m.message.c.key)
    matched = (
        select(m.message.c.key)
        .join(
            m.message_subscription,
            (m.message_subscription.c.message_name == m.message.c.name)
            & (m.message_subscription.c.correlation_key == m.message.c.correlation_key),
        )
        .where(
            m.message.c.state == "OPEN",
            m.message.c.expires_at > clock.now(),
            m.message_subscription.c.process_id.not_in(consumed.correlate(m.message)),
        )
    )
    return list(session.scalars(new.union(matched).limit(limit)))
