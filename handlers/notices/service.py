"""Messages to people inside the system. The only import allowed from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import NotFound
from engine.policy import Actor
from handlers.notices.models import NoticeRow

PAGE = 30


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one person."""

    id: int
    project_id: int | None
    case_id: int | None
    event: str
    title: str
    body: str
    at: datetime
    read_at: datetime | None


def send(
    session: Session,
    recipients: Iterable[str],
    event: str,
    title: str,
    body: str,
    *,
    project_id: int | None = None,
    case_id: int | None = None,
) -> int:
    """Write one message for each of the people -> how many."""
    names = sorted(set(recipients))
    now = clock.now()
    session.add_all(
        NoticeRow(recipient=name, project_id=project_id, case_id=case_id, event=event, title=title[:200], body=body, at=now)
        for name in names
    )
    session.flush()
    return len(names)


def inbox(session: Session, actor: Actor, *, unread_only: bool = False, page: int = 1) -> list[Notice]:
    """The person's own messages, newest first, 30 to a page."""
    statement = select(NoticeRow).where(NoticeRow.recipient == actor.username)
    if unread_only:
        statement = statement.where(NoticeRow.read_at.is_(None))
    rows = session.scalars(statement.order_by(NoticeRow.id.desc()).limit(PAGE).offset((max(page, 1) - 1) * PAGE))
    return [Notice(r.id, r.project_id, r.case_id, r.event, r.title, r.body, r.at, r.read_at) for r in rows]


def unread_count(session: Session, actor: Actor) -> int:
    """How many of the person's messages were not opened yet."""
    statement = select(func.count()).where(NoticeRow.recipient == actor.username, NoticeRow.read_at.is_(None))
    return session.scalar(statement) or 0


def mark_read(session: Session, actor: Actor, notice_id: int) -> None:
    """The person opened a message; NotFound for somebody else's."""
    row = session.get(NoticeRow, notice_id)
    if row is None or row.recipient != actor.username:
        raise NotFound(what="消息", key=notice_id)
    row.read_at = row.read_at or clock.now()


def mark_all_read(session: Session, actor: Actor) -> None:
    """The person has seen all messages."""
    unread = update(NoticeRow).where(NoticeRow.recipient == actor.username, NoticeRow.read_at.is_(None))
    session.execute(unread.values(read_at=clock.now()))
