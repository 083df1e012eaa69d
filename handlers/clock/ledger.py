"""The clock of a case in the database: events are only ever added, and the summary beside them is written in the same transaction.

Nothing is ever computed from the summary: every reading replays the events (`replayed`), and the summary must be equal to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import NotFound
from engine.runtime import runtime_of
from engine.workcalendar import WorkCalendar
from handlers.clock.events import (
    Accepted,
    Closed,
    Decided,
    Event,
    Extended,
    Limit,
    Paused,
    PauseKind,
    Received,
    Resumed,
    Served,
    Unit,
)
from handlers.clock.history import read_history
from handlers.clock.models import CaseClockRow, ClockEventRow
from handlers.clock.reading import ClockReading, read_clock, yellow_from
from handlers.clock.rules import limits_of
from handlers.lights import calendar_of

KINDS: dict[type[Event], str] = {
    Received: "received",
    Accepted: "accepted",
    Paused: "paused",
    Resumed: "resumed",
    Extended: "extended",
    Decided: "decided",
    Served: "served",
    Closed: "closed",
}
OPEN_STATES = ("received", "running", "paused", "decided")
"""The states in which something is still due."""
MOST_PREVIEWED = 2000
"""Open clocks that the preview of a notice looks at, the newest first."""


@dataclass(frozen=True, slots=True)
class CaseClock:
    """The clock of a case on a day: the reading against the promise (else the statute), and the statutory one beside it."""

    case_id: int
    item_code: str
    root_key: int
    limit: Limit | None
    statutory_limit: Limit | None
    events: tuple[Event, ...]
    reading: ClockReading
    statutory: ClockReading
    overdue_at: datetime | None
    calendar: WorkCalendar

    @property
    def is_late(self) -> bool:
        """Whether the limit has passed, on the day read or when it ended."""
        return self.overdue_at is not None or self.reading.light == "red"


def open_clock(session: Session, case_id: int, item_code: str, root_key: int, *, person: str, now: datetime) -> CaseClock:
    """Start a case's clock with the receipt; after hours or on a day off it counts from the next working day."""
    calendar, limits = calendar_of(session), limits_of(item_code)
    running, statutory = limits.running, limits.statutory
    row = CaseClockRow(
        case_id=case_id,
        item_code=item_code,
        root_key=root_key,
        limit_days=running.days if running else None,
        limit_unit=running.unit if running else "wd",
        statutory_days=statutory.days if statutory else None,
        statutory_unit=statutory.unit if statutory else "wd",
        overdue_at=None,
    )
    event = Received(calendar.clock_date(now))
    clock = _computed(row, (event,), calendar, now)
    _summarise(session, row, clock, now)
    session.add(row)
    _append(session, case_id, event, person, now)
    return clock


def record(session: Session, case_id: int, event: Event, *, person: str, now: datetime) -> CaseClock:
    """Add an event and bring the summary up to date. Raises ClockRefused, naming the article, when the law does not allow it."""
    row = _row(session, case_id)
    clock = _computed(row, (*events_of(session, case_id), event), calendar_of(session), now)
    _append(session, case_id, event, person, now)
    _summarise(session, row, clock, now)
    session.flush()
    return clock


def recompute(session: Session, case_id: int, now: datetime) -> bool:
    """Bring the summary up to date with today and the calendar -> whether a date moved."""
    row = _row(session, case_id)
    before = (row.due, row.projected_due, row.statutory_due, row.yellow, row.silent, row.serve_by, row.provisional)
    _summarise(session, row, _computed(row, events_of(session, case_id), calendar_of(session), now), now)
    session.flush()
    return before != (row.due, row.projected_due, row.statutory_due, row.yellow, row.silent, row.serve_by, row.provisional)


def mark_overdue(session: Session, case_id: int, now: datetime) -> CaseClock:
    """Register that the limit has passed (超期登记); nothing changes when it was registered already."""
    row = _row(session, case_id)
    row.overdue_at = row.overdue_at or now
    clock = _computed(row, events_of(session, case_id), calendar_of(session), now)
    _summarise(session, row, clock, now)
    session.flush()
    return clock


def clock_of(session: Session, case_id: int, now: datetime) -> CaseClock:
    """The clock of a case now, replayed from its events. NotFound without a clock."""
    return _computed(_row(session, case_id), events_of(session, case_id), calendar_of(session), now)


def clocks_of(session: Session, case_ids: Sequence[int], now: datetime) -> dict[int, CaseClock]:
    """The clocks of several cases with two statements; cases without a clock are left out."""
    rows = session.scalars(select(CaseClockRow).where(CaseClockRow.case_id.in_(case_ids))).all()
    events: dict[int, list[Event]] = {row.case_id: [] for row in rows}
    statement = select(ClockEventRow).where(ClockEventRow.case_id.in_(events)).order_by(ClockEventRow.id)
    for event in session.scalars(statement):
        events[event.case_id].append(_event(event))
    calendar = calendar_of(session)
    return {row.case_id: _computed(row, events[row.case_id], calendar, now) for row in rows}


def events_of(session: Session, case_id: int) -> tuple[Event, ...]:
    """The events of a case in the order in which they were recorded."""
    statement = select(ClockEventRow).where(ClockEventRow.case_id == case_id).order_by(ClockEventRow.id)
    return tuple(_event(row) for row in session.scalars(statement))


def basis(events: Sequence[Event]) -> date | None:
    """The day from which the window's five days run: the receipt, or the day on which all corrections were in (许可法 32)."""
    return read_history(events).basis


def stale_cases(session: Session, version: int) -> list[tuple[int, int]]:
    """(case, root) of the open clocks that were computed with another calendar."""
    statement = (
        select(CaseClockRow.case_id, CaseClockRow.root_key)
        .where(CaseClockRow.calendar_version != version, CaseClockRow.state.in_(OPEN_STATES))
        .order_by(CaseClockRow.case_id)
    )
    return [(row.case_id, row.root_key) for row in session.execute(statement)]


def stale_count(session: Session) -> int:
    """How many open clocks wait to be computed with the present calendar."""
    calendar_of(session)  # whoever has read the calendar knows its version
    return len(stale_cases(session, runtime_of(session).calendar_version))


def moved_by(session: Session, calendar: WorkCalendar, now: datetime, most: int = MOST_PREVIEWED) -> list[tuple[CaseClock, CaseClock]]:
    """The open clocks whose dates another calendar would move, as they are and as they would be; nothing is stored."""
    statement = select(CaseClockRow.case_id).where(CaseClockRow.state.in_(OPEN_STATES)).order_by(CaseClockRow.case_id.desc()).limit(most)
    present = clocks_of(session, list(session.scalars(statement)), now)
    found = []
    for clock in present.values():
        row = _row(session, clock.case_id)
        then = _computed(row, clock.events, calendar, now)
        if variable(then) != variable(clock):
            found.append((clock, then))
    return found


def variable(clock: CaseClock) -> dict[str, Any]:
    """What diagrams see as `clock`: instants as ISO text, null where nothing is due (a timer that reads null is not scheduled).

    due, yellow, overdue (= due), statutory_due, silent5, serve10: instants at the close of business (yellow: when the office opens).
    yellow_again: the same as yellow, but only for a clock that was extended when it was yellow already: a timer that has fired stays so.
    """
    reading, calendar = clock.reading, clock.calendar
    running = reading.state == "running"
    due = _closing(calendar, reading.due) if running else None
    yellow = calendar.opening(reading.yellow).isoformat() if running and reading.yellow else None
    return {
        "state": reading.state,
        "limit": clock.limit.days if clock.limit else None,
        "unit": clock.limit.unit if clock.limit else None,
        "due": due,
        "overdue": due if clock.overdue_at is None else None,
        "yellow": yellow,
        "yellow_again": yellow if _was_yellow(clock) else None,
        "statutory_due": _closing(calendar, clock.statutory.due) if clock.statutory.state == "running" else None,
        "silent5": _closing(calendar, reading.silent),
        "serve10": _closing(calendar, reading.serve_by),
        "provisional": reading.provisional,
    }


def _was_yellow(clock: CaseClock) -> bool:
    """Whether the yellow light was on when the limit was extended."""
    at = next((index for index, event in enumerate(clock.events) if isinstance(event, Extended)), None)
    if at is None or clock.limit is None:
        return False
    remaining = read_clock(clock.limit, clock.events[:at], clock.calendar, clock.events[at].on).remaining
    return remaining is not None and remaining <= yellow_from(clock.limit.days)


def _closing(calendar: WorkCalendar, day: date | None) -> str | None:
    return calendar.closing(day).isoformat() if day is not None else None


# ---------------------------------------------------------------------- rows
def _row(session: Session, case_id: int) -> CaseClockRow:
    row = session.get(CaseClockRow, case_id)
    if row is None:
        raise NotFound(what="办件时钟", key=case_id)
    return row


def _limit(days: int | None, unit: str) -> Limit | None:
    checked: Unit = "cd" if unit == "cd" else "wd"
    return Limit(days, checked) if days is not None else None


def _computed(row: CaseClockRow, events: Sequence[Event], calendar: WorkCalendar, now: datetime) -> CaseClock:
    limit, statutory = _limit(row.limit_days, row.limit_unit), _limit(row.statutory_days, row.statutory_unit)
    today = max(now.astimezone(CHINA).date(), *(event.on for event in events))
    return CaseClock(
        case_id=row.case_id,
        item_code=row.item_code,
        root_key=row.root_key,
        limit=limit,
        statutory_limit=statutory,
        events=tuple(events),
        reading=read_clock(limit, events, calendar, today),
        statutory=read_clock(statutory, events, calendar, today, statutory=True),
        overdue_at=row.overdue_at,
        calendar=calendar,
    )


def _summarise(session: Session, row: CaseClockRow, clock: CaseClock, now: datetime) -> None:
    reading, times = clock.reading, clock.reading.times
    row.state, row.light = reading.state, "red" if clock.is_late else reading.light
    row.elapsed, row.remaining = reading.elapsed, reading.remaining
    row.due, row.projected_due, row.statutory_due = reading.due, reading.projected_due, clock.statutory.due
    row.yellow, row.silent, row.serve_by, row.provisional = reading.yellow, reading.silent, reading.serve_by, reading.provisional
    row.approval_days, row.span_days, row.correction_days = times.approval, times.span, times.correction
    row.special_days, row.waiting_days = times.special, times.waiting
    row.read_at, row.calendar_version = now, runtime_of(session).calendar_version


def _append(session: Session, case_id: int, event: Event, person: str, now: datetime) -> None:
    row = ClockEventRow(case_id=case_id, kind=KINDS[type(event)], on=event.on, at=now, person=person)
    if isinstance(event, Accepted):
        row.deemed = event.deemed
    elif isinstance(event, Paused):
        row.pause_kind, row.procedure, row.legal = event.kind, event.procedure, event.legal
        row.planned, row.document = event.planned, event.document
    elif isinstance(event, Extended):
        row.days, row.approved_by, row.document = event.days, event.approved_by, event.document
    elif isinstance(event, Closed):
        row.reason = event.reason
    session.add(row)


def _event(row: ClockEventRow) -> Event:
    if row.kind == "received":
        return Received(row.on)
    if row.kind == "accepted":
        return Accepted(row.on, row.deemed)
    if row.kind == "paused":
        kind: PauseKind = "correction" if row.pause_kind == "correction" else "special"
        return Paused(row.on, kind, row.document, row.planned, row.procedure, row.legal)
    if row.kind == "resumed":
        return Resumed(row.on)
    if row.kind == "extended":
        return Extended(row.on, row.days, row.approved_by, row.document)
    if row.kind == "decided":
        return Decided(row.on)
    return Served(row.on) if row.kind == "served" else Closed(row.on, row.reason)
