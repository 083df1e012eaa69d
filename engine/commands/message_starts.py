"""At most one active instance of a process for each correlation key of the messages that start it (Camunda 8: message start events).

An instance that a message with a correlation key started has that key as its `start_key` until it ends; a unique index lets no second one
in, whatever the number of processes and whatever the version. A message that comes meanwhile is held, and as long as it lives the end of
the instance lets the oldest one start the next, of the latest version. A message without a correlation key starts as many as it likes.

Whoever holds a message and whoever ends the instance each look for the other after their own commit, so that one of them sees the other;
what a crash cuts off in between the sweep makes good.
"""

from __future__ import annotations

from contextvars import ContextVar

import structlog
from sqlalchemy import and_, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Conflict
from engine.runtime import Runtime, runtime_of
from engine.store import models as m
from engine.store.changes import InstanceRow
from engine.unit_of_work import reading

log = structlog.get_logger(__name__)

STARTED_AT_ONCE = 100
"""Held messages that one end lets start, if each instance ends at once; the rest is left to the sweep."""
_releasing: ContextVar[frozenset[tuple[str, str]]] = ContextVar("releasing", default=frozenset())


def is_taken(session: Session, process_id: str, correlation_key: str) -> bool:
    """Is an instance of the process active that a message with this correlation key started?"""
    instance = m.process_instance.c
    statement = select(instance.key).where(instance.process_id == process_id, instance.start_key == correlation_key)
    return session.execute(statement.limit(1)).first() is not None


def hold(session: Session, process_id: str, correlation_key: str, message_key: int) -> None:
    """Let the message wait until the process may be started with its correlation key."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"process_id": process_id, "correlation_key": correlation_key, "message_key": message_key}
    session.execute(dialect.insert(m.held_message).values(values).on_conflict_do_nothing())


def drop_hold(session: Session, process_id: str, message_key: int) -> None:
    """The message has started the process."""
    held = m.held_message.c
    session.execute(m.held_message.delete().where(held.process_id == process_id, held.message_key == message_key))


def startable(session: Session, limit: int, where: tuple[str, str] | None = None, without: frozenset[int] = frozenset()) -> list[int]:
    """Held messages that live and whose process may be started now, the oldest first: of all processes, or `where` (process id, key)."""
    held, message, instance = m.held_message.c, m.message.c, m.process_instance.c
    taken = exists().where(instance.process_id == held.process_id, instance.start_key == held.correlation_key)
    correlation = m.message_correlation.c
    consumed = exists().where(correlation.message_key == held.message_key, correlation.consumer == held.process_id)
    statement = (
        select(message.key)
        .join(m.held_message, held.message_key == message.key)
        .join(m.start_subscription, and_(m.start_subscription.c.kind == "message", m.start_subscription.c.name == message.name))
        .join(
            m.process_definition,
            and_(m.process_definition.c.key == m.start_subscription.c.definition_key, m.process_definition.c.process_id == held.process_id),
        )
        .where(message.state == "OPEN", message.expires_at > clock.now(), ~taken, ~consumed)
    )
    if where is not None:
        statement = statement.where(held.process_id == where[0], held.correlation_key == where[1])
    if without:
        statement = statement.where(message.key.not_in(without))
    return list(session.scalars(statement.order_by(message.key).limit(limit)))


def free_start_key(session: Session, row: InstanceRow) -> None:
    """The instance has ended: after the commit the next message with its correlation key may start one."""
    if row.start_key is None:
        return
    session.execute(m.process_instance.update().where(m.process_instance.c.key == row.key).values(start_key=None))
    release_after_commit(session, row.process_id, row.start_key)
    row.start_key = None


def carry_start_key(session: Session, row: InstanceRow, process_id: str) -> None:
    """The instance moves to another process: so does its claim to the correlation key. Raises Conflict when an instance there has it."""
    if row.start_key is None or process_id == row.process_id:
        return
    if is_taken(session, process_id, row.start_key):
        raise Conflict(reason=f"流程 {process_id} 已有同一关联键“{row.start_key}”启动的实例（one with the same correlation key is active）")
    release_after_commit(session, row.process_id, row.start_key)


def release_after_commit(session: Session, process_id: str, correlation_key: str) -> None:
    """Once the transaction has committed, let held messages of this correlation key start the process."""
    if (process_id, correlation_key) in _releasing.get():
        return  # an instance that ended at once: the loop that started it goes on
    runtime = runtime_of(session)
    session.info["after_commit"].append(lambda: release(runtime, process_id, correlation_key))


def release(runtime: Runtime, process_id: str, correlation_key: str) -> None:
    """Let held messages start the process one after the other, until one of their instances stays active or none is left."""
    from engine.commands.deliver_message import deliver_message  # it starts instances, and instances that end come back here

    where, already = (process_id, correlation_key), _releasing.get()
    if where in already:
        return  # the delivery that this loop asked for
    mark, tried = _releasing.set(already | {where}), frozenset[int]()
    try:
        while len(tried) < STARTED_AT_ONCE:
            with reading(runtime) as session:
                found = startable(session, 1, where, tried)
            if not found:
                return
            tried |= set(found)
            deliver_message(runtime, found[0])
    except SQLAlchemyError:  # whoever ended the instance has committed and must not fail for it
        log.exception("held messages not released; the sweep will", process=process_id)
    finally:
        _releasing.reset(mark)
