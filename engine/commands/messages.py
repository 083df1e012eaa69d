"""The message table: an outbox and a buffer. A message is a row of the sender's transaction; it is delivered after the commit, each
consumer in a transaction of its own, and stays for later subscribers until it expires.

Publisher and subscriber each look for the other after their own commit, so that one of them sees the other whatever the order. What a
crash cuts off between commit and delivery stays NEW, and the sweep delivers it. Time to live is business time (Camunda 8: with zero only
those get the message who wait for it now). While a message lives its name, correlation key and message id belong to it alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import ColumnElement, Insert, and_, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.message_starts import startable
from engine.errors import Conflict
from engine.policy import Actor
from engine.runtime import Runtime, runtime_of
from engine.store import models as m
from engine.store.upserting import insert_row
from engine.unit_of_work import reading

log = structlog.get_logger(__name__)

DEFAULT_TTL = timedelta(days=30)
CLEAN_UP_AT_ONCE = 1_000
OFFERED_AT_ONCE = 100


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
    """Write the row and have it delivered after the commit -> the message's key.

    Raises Conflict when a message with the same name, correlation key and message id still lives.
    """
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
    key = insert_row(session, m.message, values) if message_id is None else _insert_unique(session, values)
    deliver_after_commit(session, key)
    return key


def _insert_unique(session: Session, values: dict[str, Any]) -> int:
    same = and_(*(m.message.c[name] == values[name] for name in ("name", "correlation_key", "message_id")))
    session.execute(delete(m.message).where(same, _expired()))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement: Insert = dialect.insert(m.message).values(values).on_conflict_do_nothing()
    key = session.scalar(statement.returning(m.message.c.key))
    if key is None:
        raise Conflict(reason=f"消息“{values['name']}”的编号 {values['message_id']} 已发布")
    return int(key)


def deliver_after_commit(session: Session, key: int) -> None:
    """Deliver message `key` in this thread once the transaction has committed; a crash in between is made good by the sweep."""
    runtime = runtime_of(session)
    session.info["after_commit"].append(lambda: _deliver(runtime, key))


def offer_after_commit(session: Session, process_id: str, name: str, correlation_key: str) -> None:
    """Once the transaction has committed, give its new subscription of `process_id` the messages that wait for it, oldest first."""
    runtime = runtime_of(session)

    def offer() -> None:
        try:
            with reading(runtime) as later:
                keys = _buffered(later, process_id, name, correlation_key)
        except SQLAlchemyError:
            log.exception("messages not offered; the sweep will", message=name)
            return
        for key in keys:
            _deliver(runtime, key)

    session.info["after_commit"].append(offer)


def _deliver(runtime: Runtime, key: int) -> None:
    from engine.commands.deliver_message import deliver_message  # it steps instances, and instances send messages

    try:
        deliver_message(runtime, key)
    except SQLAlchemyError:  # the sender has committed and must not fail for it
        log.exception("message not delivered; the sweep will", key=key)


def _buffered(session: Session, process_id: str, name: str, correlation_key: str) -> list[int]:
    consumed = select(m.message_correlation.c.message_key).where(m.message_correlation.c.consumer == process_id)
    statement = (
        select(m.message.c.key)
        .where(
            m.message.c.kind == "message",
            m.message.c.name == name,
            m.message.c.correlation_key == correlation_key,
            m.message.c.state == "OPEN",
            m.message.c.expires_at > clock.now(),
            m.message.c.key.not_in(consumed),
        )
        .order_by(m.message.c.key)
        .limit(OFFERED_AT_ONCE)
    )
    return list(session.scalars(statement))


def undelivered(session: Session, limit: int = 200) -> list[int]:
    """Messages whose delivery a crash cut off, and open ones that meanwhile have a subscriber or may start a process: what the sweep
    delivers."""
    new = select(m.message.c.key).where(m.message.c.state == "NEW")
    consumed = select(m.message_correlation.c.consumer).where(m.message_correlation.c.message_key == m.message.c.key)
    matched = (
        select(m.message.c.key)
        .join(
            m.message_subscription,
            (m.message_subscription.c.message_name == m.message.c.name)
            & (m.message_subscription.c.correlation_key == m.message.c.correlation_key),
        )
        .join(m.process_instance, m.process_instance.c.key == m.message_subscription.c.instance_key)
        .where(
            m.message.c.kind == "message",
            m.message.c.state == "OPEN",
            m.message.c.expires_at > clock.now(),
            m.message_subscription.c.process_id.not_in(consumed.correlate(m.message)),
            m.process_instance.c.suspended_at.is_(None),
        )
    )
    return sorted({*session.scalars(new.union(matched).limit(limit)), *startable(session, limit)})


def remove_expired(session: Session) -> int:
    """Delete messages whose time is over, some at a time -> how many. Those that were never delivered stay for the sweep."""
    keys = list(session.scalars(select(m.message.c.key).where(_expired()).order_by(m.message.c.key).limit(CLEAN_UP_AT_ONCE)))
    if keys:
        session.execute(delete(m.message).where(m.message.c.key.in_(keys)))
    return len(keys)


def _expired() -> ColumnElement[bool]:
    return and_(m.message.c.expires_at <= clock.now(), m.message.c.state != "NEW")
