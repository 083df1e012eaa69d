"""Batches: queries and the small writes of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store import models as m
from engine.store.upserting import insert_row

REQUEST = "#request"
"""Among the stored parameters: the digest of the request that began the batch."""
OWN_NEWEST = 50
"""Where a repeated request looks for what it began: it comes within moments."""


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch and how far it is. `pending` counts what a cancelled batch has skipped no more."""

    key: int
    kind: str
    state: str
    reason: str
    parameters: dict[str, Any]
    created_at: datetime
    created_by: str
    ended_at: datetime | None
    total: int
    done: int
    failed: int
    skipped: int

    @property
    def pending(self) -> int:
        return self.total - self.done - self.failed - self.skipped

    @property
    def percent(self) -> int:
        """Of a hundred, rounded down: 100 means that nothing is left to do."""
        return 100 * (self.total - self.pending) // self.total if self.total else 100


def insert(
    session: Session,
    kind: str,
    parameters: dict[str, Any],
    reason: str,
    instance_keys: Sequence[int],
    by: str,
    now: datetime,
    wall: datetime,
) -> int:
    """A running batch over the instances, in this order -> its key."""
    values = {"kind": kind, "state": "RUNNING", "parameters": parameters, "reason": reason, "created_at": now, "created_by": by}
    key = insert_row(session, m.batch, {**values, "touched_at": wall})
    rows = [{"batch_key": key, "position": i, "instance_key": instance, "state": "PENDING"} for i, instance in enumerate(instance_keys)]
    session.connection().execute(m.batch_item.insert(), rows)
    return key


def of_request(session: Session, by: str, request: str) -> int | None:
    """The batch that this person began with that request, among the newest of theirs; None when there is none."""
    own = select(m.batch.c.key, m.batch.c.parameters).where(m.batch.c.created_by == by).order_by(m.batch.c.key.desc()).limit(OWN_NEWEST)
    return next((key for key, parameters in session.execute(own) if parameters.get(REQUEST) == request), None)


def row(session: Session, key: int, *, lock: bool = False) -> Row[Any]:
    """A batch's row; NotFound when there is none."""
    statement = select(m.batch).where(m.batch.c.key == key)
    found = session.execute(statement.with_for_update() if lock else statement).first()
    if found is None:
        raise NotFound(what="批处理", key=key)
    return found


def progress(session: Session, key: int) -> BatchProgress:
    """One batch with its counts. NotFound when there is none."""
    return _progress(session, [row(session, key)])[0]


def newest(session: Session, limit: int = 50) -> list[BatchProgress]:
    """The newest batches first."""
    return _progress(session, session.execute(select(m.batch).order_by(m.batch.c.key.desc()).limit(limit)).all())


def _progress(session: Session, batches: Sequence[Row[Any]]) -> list[BatchProgress]:
    item = m.batch_item.c
    statement = (
        select(item.batch_key, item.state, func.count())
        .where(item.batch_key.in_([batch.key for batch in batches]))
        .group_by(item.batch_key, item.state)
    )
    counts: dict[int, dict[str, int]] = {}
    for key, state, count in session.execute(statement):
        counts.setdefault(key, {})[state] = count
    return [_with_counts(batch, counts.get(batch.key, {})) for batch in batches]


def _with_counts(batch: Row[Any], counts: dict[str, int]) -> BatchProgress:
    return BatchProgress(
        key=batch.key,
        kind=batch.kind,
        state=batch.state,
        reason=batch.reason,
        parameters={name: value for name, value in batch.parameters.items() if name != REQUEST},
        created_at=batch.created_at,
        created_by=batch.created_by,
        ended_at=batch.ended_at,
        total=sum(counts.values()),
        done=counts.get("DONE", 0),
        failed=counts.get("FAILED", 0),
        skipped=counts.get("SKIPPED", 0),
    )


def items(session: Session, key: int, state: str | None = None, limit: int = 200, offset: int = 0) -> Sequence[Row[Any]]:
    """Items with their instance's business id and process id, in the order of the batch."""
    item, instance = m.batch_item, m.process_instance
    statement = (
        select(item, instance.c.business_id, instance.c.process_id)
        .join(instance, instance.c.key == item.c.instance_key, isouter=True)
        .where(item.c.batch_key == key)
        .order_by(item.c.position)
        .limit(limit)
        .offset(offset)
    )
    return session.execute(statement if state is None else statement.where(item.c.state == state)).all()


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Why items of a batch failed: the reason in Chinese and English, and how many it stopped."""

    code: str
    message: str
    message_en: str
    count: int


def failures(session: Session, key: int, limit: int = 20) -> list[FailureReason]:
    """The most frequent reasons first."""
    item = m.batch_item.c
    statement = (
        select(item.code, item.message, item.message_en, func.count().label("count"))
        .where(item.batch_key == key, item.state == "FAILED")
        .group_by(item.code, item.message, item.message_en)
        .order_by(func.count().desc(), item.message)
        .limit(limit)
    )
    return [FailureReason(code or "", zh or "", en or "", count) for code, zh, en, count in session.execute(statement)]


def take_next(session: Session, key: int) -> Any | None:
    """Lock the next pending item of a running batch: (position, instance_key, kind, parameters, reason, created_by), or None.

    An item that another worker has locked is passed over, so two workers of one batch never wait for each other, and never while they
    hold a root.
    """
    item, batch = m.batch_item, m.batch
    statement = (
        select(item.c.position, item.c.instance_key, batch.c.kind, batch.c.parameters, batch.c.reason, batch.c.created_by)
        .join(batch, batch.c.key == item.c.batch_key)
        .where(item.c.batch_key == key, item.c.state == "PENDING", batch.c.state == "RUNNING")
        .order_by(item.c.position)
        .limit(1)
        .with_for_update(of=item, skip_locked=True)
    )
    return session.execute(statement).first()


def close_item(
    session: Session, key: int, position: int, state: str, wall: datetime, code: str | None = None, messages: tuple[str, str] = ("", "")
) -> None:
    """The item is over, if it was not before (what follows a commit may fail after the item was done)."""
    item = m.batch_item.c
    values = {"state": state, "done_at": wall, "code": code, "message": messages[0] or None, "message_en": messages[1] or None}
    pending = update(m.batch_item).where(item.batch_key == key, item.position == position, item.state == "PENDING")
    session.execute(pending.values(**values))


def set_state(session: Session, key: int, state: str, wall: datetime, ended_at: datetime | None = None) -> None:
    """Change the batch's state; `ended_at` when that is its end."""
    session.execute(update(m.batch).where(m.batch.c.key == key).values(state=state, touched_at=wall, ended_at=ended_at))


def touch(session: Session, key: int, wall: datetime) -> None:
    """Note that the batch makes progress."""
    session.execute(update(m.batch).where(m.batch.c.key == key).values(touched_at=wall))


def skip_pending(session: Session, key: int, wall: datetime) -> None:
    """What has not begun will not be done."""
    item = m.batch_item.c
    session.execute(update(m.batch_item).where(item.batch_key == key, item.state == "PENDING").values(state="SKIPPED", done_at=wall))


def has_pending(session: Session, key: int) -> bool:
    """Is anything left to do (also what another worker has just taken)?"""
    item = m.batch_item.c
    return session.scalar(select(item.position).where(item.batch_key == key, item.state == "PENDING").limit(1)) is not None


def stalled(session: Session, wall: datetime, quiet: timedelta) -> list[int]:
    """Running batches without progress for a while: their worker died."""
    return list(session.scalars(select(m.batch.c.key).where(m.batch.c.state == "RUNNING", m.batch.c.touched_at <= wall - quiet)))
