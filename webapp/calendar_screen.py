"""What the calendar page shows: a year in months with every day off, the office hours, the notices, and the preview of a new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.workcalendar import WorkCalendar
from handlers.calendar import service as calendars
from handlers.calendar.service import Preview
from handlers.cases import service as cases
from handlers.clock import service as clocks
from handlers.clock.service import CaseClock
from handlers.directory import service as directory
from handlers.lights import calendar_of

MOST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Cell:
    """One day: `kind` is work, off, weekend, make_up (a working day at the weekend) or own (the region's own day off)."""

    day: date
    kind: str
    reason: str
    changed: bool = False


def build(session: Session, year: int, preview: Preview | None = None) -> dict[str, Any]:
    """A year of the calendar as it is, or as a notice would make it."""
    calendar = calendar_of(session)
    today = clock.now().astimezone(CHINA).date()
    shown = preview.calendar if preview is not None else calendar
    changed = {*preview.becomes_off, *preview.becomes_work} if preview is not None else set()
    people = calendars.notices(session)
    names = directory.display_names(session, [notice.imported_by for notice in people])
    return {
        "year": year,
        "months": [(month, _weeks(shown, year, month, changed)) for month in range(1, 13)],
        "workdays": shown.count_workdays(date(year - 1, 12, 31), date(year, 12, 31)),
        "provisional": shown.provisional(date(year, 1, 1)),
        "hours": [_hours(season.begins, season.sessions) for season in shown.hours],
        "notices": [(notice, names.get(notice.imported_by, notice.imported_by)) for notice in people],
        "preview": preview,
        "moved": _moved(session, preview) if preview is not None else [],
        "missing": calendars.missing_year(calendar, today),
        "today": today,
    }


def _weeks(calendar: WorkCalendar, year: int, month: int, changed: set[date]) -> list[list[Cell | None]]:
    first = date(year, month, 1)
    start = first - timedelta(days=first.weekday())
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    days = [start + timedelta(days=n) for n in range((last - start).days + 1)]
    cells = [_cell(calendar, day, changed) if day.month == month else None for day in days]
    cells += [None] * (-len(cells) % 7)
    return [cells[n : n + 7] for n in range(0, len(cells), 7)]


def _cell(calendar: WorkCalendar, day: date, changed: set[date]) -> Cell:
    own, works, weekend = calendar.own_day(day), calendar.is_workday(day), day.weekday() > 4
    if works:
        kind = "make_up" if weekend else "work"
        reason = (own.reason if own is not None else _("调休上班")) if weekend else ""
    else:
        kind = "own" if own is not None and own.kind == "off" else "weekend" if weekend else "holiday"
        reason = own.reason if own is not None else "" if weekend else _("法定节假日")
    return Cell(day, kind, str(reason), day in changed)


def _hours(begins: tuple[int, int], sessions: Any) -> str:
    spans = "，".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in sessions)
    return str(_("%(month)s月%(day)s日起 %(spans)s", month=begins[0], day=begins[1], spans=spans))


def _moved(session: Session, preview: Preview) -> list[dict[str, Any]]:
    """The open cases whose dates the notice would move, at most thirty with their dates."""
    pairs = clocks.moved_by(session, preview.calendar, clock.now())
    return [
        {"case": cases.get_case(session, now.case_id), "before": _due(now), "after": _due(then)} for now, then in pairs[:MOST_SHOWN]
    ] + [{"more": len(pairs) - MOST_SHOWN}] * (len(pairs) > MOST_SHOWN)


def _due(found: CaseClock) -> date | None:
    reading = found.reading
    return reading.due or reading.projected_due or reading.silent or reading.serve_by
