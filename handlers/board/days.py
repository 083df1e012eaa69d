"""Used working days: the days on which an office held a case, counted once however many cases run in parallel (domain §3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.workcalendar import WorkCalendar
from handlers.cases.service import Case, case_history

SPECIAL_BEGINS, SPECIAL_ENDS = 9, 10


def held_days(session: Session, calendar: WorkCalendar, cases: Iterable[Case], today: date) -> set[date]:
    """Working days x with acceptance < x <= decision (or today) of any of the cases, without their special procedures.

    The day of acceptance does not count (民法典 第二百零一条); each day counts once.
    """
    days: set[date] = set()
    for case in cases:
        if case.accepted_at is None:
            continue
        end = _day(case.decided_at) if case.decided_at else _ended_on(session, case) or today
        pauses = _pauses(session, case, end)
        day = _day(case.accepted_at) + timedelta(days=1)
        while day <= end:
            if calendar.is_workday(day) and not any(start < day <= stop for start, stop in pauses):
                days.add(day)
            day += timedelta(days=1)
    return days


def _pauses(session: Session, case: Case, end: date) -> list[tuple[date, date]]:
    """Special procedures as (first day, last day) pairs; an open one runs to `end`."""
    pauses: list[tuple[date, date]] = []
    begun: date | None = None
    for event in case_history(session, case.id):
        if event.status == SPECIAL_BEGINS:
            begun = _day(event.at)
        elif event.status == SPECIAL_ENDS and begun is not None:
            pauses.append((begun, _day(event.at)))
            begun = None
    return [*pauses, (begun, end)] if begun is not None else pauses


def _ended_on(session: Session, case: Case) -> date | None:
    """The day a case ended without a decision (withdrawn, refused); None while it is open."""
    return _day(case_history(session, case.id)[-1].at) if case.ended else None


def _day(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()
