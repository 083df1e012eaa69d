"""The working calendar as the installation knows it: the catalogue's own days, and over them the notices that were imported.

The only import allowed from outside. A notice is previewed, applied and can be taken back; each change gives the calendar a new version,
and every process takes it over with its next unit of work. Who keeps due dates (handlers.clock) recomputes them afterwards.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import Engine, clock
from engine.commands import calendar_changed, follow_calendar, roots_that_count
from engine.errors import Conflict, Invalid, NotFound
from engine.policy import SYSTEM, Actor, require
from engine.store import audit
from engine.workcalendar import FIRST_YEAR, LAST_YEAR, XINJIANG, OverlayDay, WorkCalendar
from handlers.calendar.models import CalendarDayRow, NoticeRow
from handlers.catalogue.service import catalogue_calendar
from handlers.directory import service as directory

MOST_ROWS = 120
"""A year's notice names some forty days; more is a wrong file."""
MOST_TEXT = 20_000
NOTICE_MONTH = 11
"""The State Council's notice of the next year comes in November; from then on doctor warns."""
COLUMNS = "date,kind,reason"


class NoticeInvalid(Invalid):
    """放假通知有误：{reason}

    The notice of days off is not valid: {reason}
    """

    code = "calendar_notice_invalid"


@dataclass(frozen=True, slots=True)
class Notice:
    """An imported notice. `active`: it holds now (neither taken back nor replaced by a later one of the same year)."""

    id: int
    year: int
    source: str
    imported_by: str
    imported_at: datetime
    undone_by: str
    undone_at: datetime | None
    days: int
    active: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a notice would change: its rows, and the days whose kind differs from the present calendar."""

    year: int
    source: str
    rows: tuple[OverlayDay, ...]
    becomes_off: tuple[date, ...]
    becomes_work: tuple[date, ...]
    calendar: WorkCalendar


def effective_calendar(session: Session) -> WorkCalendar:
    """The catalogue's calendar with every active notice over it; the latest notice of a year replaces everything known of that year."""
    calendar = catalogue_calendar()
    for notice in _active(session).values():
        calendar = calendar.with_notice(notice.year, _rows_of(session, notice))
    return calendar


def parse_notice(text: str, year: int, source: str) -> tuple[OverlayDay, ...]:
    """The days of a notice from lines `date,kind,reason` (kind: off or work; a first line with these names may stand there).

    Raises NoticeInvalid with the line number: other year, double or bad date, unknown kind, no source, too many lines.
    """
    if not FIRST_YEAR < year < LAST_YEAR:
        raise NoticeInvalid(reason=f"年份应在 {FIRST_YEAR + 1}-{LAST_YEAR - 1} 之间")
    if not source.strip() or len(source) > 200:
        raise NoticeInvalid(reason="请写明通知的文号或来源（200 字以内）")
    if len(text) > MOST_TEXT:
        raise NoticeInvalid(reason=f"内容超过 {MOST_TEXT} 字")
    found: dict[date, OverlayDay] = {}
    for number, cells in enumerate(csv.reader(StringIO(text.lstrip("\ufeff"))), 1):
        if not any(cell.strip() for cell in cells) or ",".join(cells[:3]).replace(" ", "") == COLUMNS:
            continue
        row = _parse_line([cell.strip() for cell in cells], number, year, source.strip())
        if row.date in found:
            raise NoticeInvalid(reason=f"第 {number} 行：{row.date} 出现了两次")
        found[row.date] = row
    if not found or len(found) > MOST_ROWS:
        raise NoticeInvalid(reason=f"应有 1 到 {MOST_ROWS} 天，实有 {len(found)} 天")
    return tuple(found[day] for day in sorted(found))


def _parse_line(cells: Sequence[str], number: int, year: int, source: str) -> OverlayDay:
    try:
        day = date.fromisoformat(cells[0])
    except ValueError:
        raise NoticeInvalid(reason=f"第 {number} 行：日期应写作 {year}-01-01") from None
    if day.year != year:
        raise NoticeInvalid(reason=f"第 {number} 行：{day} 不在 {year} 年")
    kind = cells[1] if len(cells) > 1 else ""
    if kind not in ("off", "work"):
        raise NoticeInvalid(reason=f"第 {number} 行：类别只能是 off（放假）或 work（上班）")
    reason = cells[2] if len(cells) > 2 else ""
    if not reason or len(reason) > 100:
        raise NoticeInvalid(reason=f"第 {number} 行：请写明事由（100 字以内）")
    checked: Literal["work", "off"] = "work" if kind == "work" else "off"
    return OverlayDay(XINJIANG, day, checked, reason, source)


def preview(session: Session, text: str, year: int, source: str) -> Preview:
    """What applying the notice would change; nothing is stored. Raises NoticeInvalid."""
    rows = parse_notice(text, year, source)
    now = effective_calendar(session)
    then = now.with_notice(year, rows)
    days = [date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)]
    changed = [day for day in days if now.is_workday(day) != then.is_workday(day)]
    return Preview(
        year=year,
        source=source.strip(),
        rows=rows,
        becomes_off=tuple(day for day in changed if now.is_workday(day)),
        becomes_work=tuple(day for day in changed if not now.is_workday(day)),
        calendar=then,
    )


def apply_notice(session: Session, actor: Actor, text: str, year: int, source: str) -> Notice:
    """Import a notice: it replaces what was known of the year, and every open clock is recomputed. Administrators only.

    When the notice that holds says the very same (a second click, a repeated request), that one stands.
    """
    require(actor, "administer")
    rows = parse_notice(text, year, source)
    directory.lock_user(session, actor.username)
    holds = _active(session).get(year)
    if holds is not None and holds.source == source.strip() and tuple(_rows_of(session, holds)) == rows:
        return _notice(holds, len(rows), active=True)
    notice = NoticeRow(
        region=XINJIANG, year=year, source=source.strip(), imported_by=actor.username, imported_at=clock.now(), undone_by="", undone_at=None
    )
    session.add(notice)
    session.flush()
    session.add_all(CalendarDayRow(notice_id=notice.id, date=row.date, kind=row.kind, reason=row.reason) for row in rows)
    session.flush()
    _changed(session, actor, "calendar.notice_applied", notice)
    return _notice(notice, len(rows), active=True)


def undo_notice(session: Session, actor: Actor, notice_id: int) -> None:
    """Take a notice back; the one before it (or the catalogue) holds again. Administrators only. Conflict when another has taken it back:
    the same person's second click changes nothing."""
    require(actor, "administer")
    notice = session.get(NoticeRow, notice_id, with_for_update=True)
    if notice is None:
        raise NotFound(what="放假通知", key=notice_id)
    if notice.undone_at is not None and notice.undone_by == actor.username:
        return
    if notice.undone_at is not None:
        raise Conflict(reason="这份通知已经撤销")
    notice.undone_by, notice.undone_at, notice.followed = actor.username, clock.now(), False
    session.flush()
    _changed(session, actor, "calendar.notice_undone", notice)


def _changed(session: Session, actor: Actor, action: str, notice: NoticeRow) -> None:
    calendar_changed(session)
    audit.record(session, actor, action, data={"notice": notice.id, "year": notice.year, "source": notice.source})


def notices(session: Session) -> list[Notice]:
    """Every imported notice, newest first."""
    active = {row.id for row in _active(session).values()}
    rows = session.scalars(select(NoticeRow).order_by(NoticeRow.id.desc())).all()
    return [_notice(row, len(_rows_of(session, row)), active=row.id in active) for row in rows]


def _notice(row: NoticeRow, days: int, *, active: bool) -> Notice:
    return Notice(row.id, row.year, row.source, row.imported_by, row.imported_at, row.undone_by, row.undone_at, days, active)


def _active(session: Session) -> dict[int, NoticeRow]:
    """Year -> the notice that holds: the latest that was not taken back."""
    rows = session.scalars(select(NoticeRow).where(NoticeRow.undone_at.is_(None), NoticeRow.region == XINJIANG).order_by(NoticeRow.id))
    return {row.year: row for row in rows}


def _rows_of(session: Session, notice: NoticeRow) -> list[OverlayDay]:
    rows = session.scalars(select(CalendarDayRow).where(CalendarDayRow.notice_id == notice.id).order_by(CalendarDayRow.date))
    return [OverlayDay(notice.region, r.date, "work" if r.kind == "work" else "off", r.reason, notice.source) for r in rows]


def follow_notices(engine: Engine) -> int:
    """Move the due dates and timers that count working days to the present calendar, one root at a time, each in a transaction of its own
    -> due dates moved. Nothing to do when every notice was followed; after a crash in between the next sweep begins again.
    """
    with engine.reading() as session:
        pending = list(session.scalars(select(NoticeRow.id).where(NoticeRow.followed.is_(False))))
        roots = roots_that_count(session) if pending else []
    moved = 0
    for root_key in roots:
        with engine.unit_of_work() as session:
            moved += _follow(session, root_key)
    if pending:
        with engine.unit_of_work() as session:
            session.execute(update(NoticeRow).where(NoticeRow.id.in_(pending)).values(followed=True))
    return moved


def _follow(session: Session, root_key: int) -> int:
    try:
        return follow_calendar(session, SYSTEM, root_key)
    except NotFound:
        return 0  # it has ended meanwhile


def missing_year(calendar: WorkCalendar, today: date) -> int | None:
    """The first year without an official notice that matters now: this year, from November on the next one too. None: all is known."""
    needed = [today.year] + ([today.year + 1] if today.month >= NOTICE_MONTH else [])
    return next((year for year in needed if calendar.provisional(date(year, 1, 1))), None)
