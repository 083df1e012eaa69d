"""Delivers one message or signal to whoever waits for it, each consumer in its own transaction under its own root's lock.

A message goes to at most one instance of each process (Camunda 8: once per process and message), a signal to every instance that waits
for it at that moment. A start event takes it unless an instance that its correlation key started is active (message_starts.py).
`message_correlation` remembers who took it in the consumer's own transaction, so a delivery that is repeated, after
a crash or by two processes at once, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.message_starts import drop_hold, hold, is_taken, release
from engine.commands.root_run import RootRun
from engine.errors import LianbanError
from engine.policy import SYSTEM, Actor
from engine.runtime import Runtime
from engine.store import audit
from engine.store import models as m
from engine.unit_of_work import reading, unit_of_work

log = structlog.get_logger(__name__)


def deliver_message(runtime: Runtime, key: int) -> int:
    """Deliver message or signal `key` -> how many instances took it.

    Problems of one consumer are logged and never reach the sender, whose command has committed long ago. After a fault of the database
    the message stays NEW, and the sweep tries again.
    """
    with reading(runtime) as session:
        message = session.execute(select(m.message).where(m.message.c.key == key)).first()
        if message is None or message.state == "DELIVERED" or (message.state == "OPEN" and message.expires_at <= clock.now()):
            return 0
        targets = [("wait", row) for row in _waiting(session, message)] + [("start", row) for row in _starts(session, message)]
    outcomes = [_try(runtime, message, how, row) for how, row in targets]
    if message.state == "NEW" and None not in outcomes:
        with unit_of_work(runtime) as session:
            state = "OPEN" if message.kind == "message" else "DELIVERED"
            session.execute(m.message.update().where(m.message.c.key == key, m.message.c.state == "NEW").values(state=state))
    for how, row in targets:
        if how == "start" and _needs_key(message):
            release(runtime, row.process_id, message.correlation_key)
    return sum(outcome or 0 for outcome in outcomes)


def _needs_key(message: Row[Any]) -> bool:
    """Does the message start at most one active instance of a process at a time?"""
    return message.kind == "message" and bool(message.correlation_key)


def _waiting(session: Session, message: Row[Any]) -> list[Row[Any]]:
    """One wait an instance for a signal, one a process for a message: the longest waiting."""
    if message.kind == "signal":
        statement = select(m.signal_wait).where(
            m.signal_wait.c.name == message.name, m.signal_wait.c.instance_key.is_distinct_from(message.source_key)
        )
        return _first_of_each(session.execute(statement.order_by(m.signal_wait.c.key)).all(), "instance_key")
    consumed = select(m.message_correlation.c.consumer).where(m.message_correlation.c.message_key == message.key)
    statement = (
        select(m.message_subscription)
        .join(m.process_instance, m.process_instance.c.key == m.message_subscription.c.instance_key)
        .where(
            m.message_subscription.c.message_name == message.name,
            m.message_subscription.c.correlation_key == message.correlation_key,
            m.message_subscription.c.process_id.not_in(consumed),
            m.process_instance.c.suspended_at.is_(None),
        )
        .order_by(m.message_subscription.c.created_at, m.message_subscription.c.key)
    )
    return _first_of_each(session.execute(statement).all(), "process_id")


def _first_of_each(rows: Sequence[Row[Any]], column: str) -> list[Row[Any]]:
    first: dict[Any, Row[Any]] = {}
    for row in rows:
        first.setdefault(getattr(row, column), row)
    return list(first.values())


def _starts(session: Session, message: Row[Any]) -> list[Row[Any]]:
    """The start events of the latest versions that take it: when it is published, later only those that it was held for."""
    consumed = select(m.message_correlation.c.consumer).where(m.message_correlation.c.message_key == message.key)
    statement = (
        select(m.start_subscription, m.process_definition.c.process_id)
        .join(m.process_definition, m.process_definition.c.key == m.start_subscription.c.definition_key)
        .where(
            m.start_subscription.c.kind == message.kind,
            m.start_subscription.c.name == message.name,
            m.process_definition.c.process_id.not_in(consumed),
        )
        .order_by(m.process_definition.c.process_id)
    )
    if message.state != "NEW":
        held = select(m.held_message.c.process_id).where(m.held_message.c.message_key == message.key)
        statement = statement.where(m.process_definition.c.process_id.in_(held))
    return list(session.execute(statement).all())


def _try(runtime: Runtime, message: Row[Any], how: str, target: Row[Any], again: bool = True) -> int | None:
    """1 when the target took the message, 0 when it did not want it, None when the database failed."""
    sender = Actor(message.published_by, powers=SYSTEM.powers)
    try:
        with unit_of_work(runtime) as session:
            return _start(session, sender, message, target) if how == "start" else _correlate(session, sender, message, target)
    except IntegrityError:
        # at the same moment another process delivered it to this consumer (message_correlation allows one), or a message with the same
        # correlation key: the second look tells which
        return _try(runtime, message, how, target, again=False) if how == "start" and again else 0
    except LianbanError as error:
        log.warning("message not delivered", message=message.name, key=message.key, reason=error.message("en"))
        return 0
    except SQLAlchemyError:
        log.exception("message not delivered; the sweep will", message=message.name, key=message.key)
        return None


def _start(session: Session, actor: Actor, message: Row[Any], target: Row[Any]) -> int:
    if _was_taken(session, message, target.process_id):
        return 0
    single = _needs_key(message)
    if single and is_taken(session, target.process_id, message.correlation_key):
        hold(session, target.process_id, message.correlation_key, message.key)
        return 0
    run = RootRun(session, actor)
    key = run.start(
        target.definition_key,
        dict(message.variables),
        business_id=message.business_id,
        owner=message.owner,
        start_element=target.element_id,
        start_key=message.correlation_key if single else None,
    )
    _remember(session, message, target.process_id, target.process_id, key, key, target.element_id)
    if single:
        drop_hold(session, target.process_id, message.key)
    audit.record(
        session,
        actor,
        "instance.started",
        root_key=key,
        instance_key=key,
        business_id=message.business_id,
        data={"processId": target.process_id, "message": message.name},
    )
    run.finish()
    return 1


def _was_taken(session: Session, message: Row[Any], consumer: str) -> bool:
    taken = m.message_correlation.c
    return session.execute(select(taken.at).where(taken.message_key == message.key, taken.consumer == consumer)).first() is not None


def _correlate(session: Session, actor: Actor, message: Row[Any], target: Row[Any]) -> int:
    is_signal = message.kind == "signal"
    run = RootRun.locked(session, actor, target.instance_key, suspended_too=is_signal)
    table = m.message_subscription if message.kind == "message" else m.signal_wait
    if session.execute(select(table.c.key).where(table.c.key == target.key)).first() is None:
        return 0  # it went on while we waited for the lock
    if not is_signal:
        live = run.instance(target.instance_key)
        _remember(session, message, target.process_id, target.process_id, target.root_key, target.instance_key, target.element_id)
        live.correlate(target.token_id, dict(message.variables))
    else:
        row = run.row(target.instance_key)
        _remember(session, message, f"instance {row.key}", row.process_id, row.root_key, row.key, "")
        if row.suspended_at is not None:
            _defer(session, message, row.root_key, row.key)
            return 1
        run.instance(row.key).signal(message.name, dict(message.variables))
    run.finish()
    return 1


def _defer(session: Session, message: Row[Any], root_key: int, instance_key: int) -> None:
    """A suspended instance gets the signal when it is resumed: signals are not buffered anywhere else."""
    values = {"root_key": root_key, "instance_key": instance_key, "name": message.name, "variables": message.variables}
    session.execute(m.deferred_signal.insert().values(values))


def _remember(
    session: Session, message: Row[Any], consumer: str, process_id: str, root_key: int, instance_key: int, element_id: str
) -> None:
    session.execute(
        m.message_correlation.insert().values(
            message_key=message.key,
            consumer=consumer,
            process_id=process_id,
            root_key=root_key,
            instance_key=instance_key,
            element_id=element_id,
            at=clock.now(),
        )
    )
