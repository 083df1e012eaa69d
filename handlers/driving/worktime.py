"""Office time for drivers: people act on working days between ten and half past seven (winter closing hour, Beijing time)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from engine.clock import CHINA
from engine.workcalendar import WorkCalendar

OPENS, CLOSES = time(10, 0), time(19, 30)


def add_office_hours(calendar: WorkCalendar, start: datetime, hours: float) -> datetime:
    """The moment `hours` of office time after `start`."""
    moment = start.astimezone(CHINA)
    left = timedelta(hours=hours)
    while True:
        moment = into_office(calendar, moment)
        closing = datetime.combine(moment.date(), CLOSES, CHINA)
        if moment + left <= closing:
            return moment + left
        left -= closing - moment
        moment = closing


def into_office(calendar: WorkCalendar, moment: datetime) -> datetime:
    """The moment itself in office time, else the next opening."""
    local = moment.astimezone(CHINA)
    day = local.date()
    if calendar.is_workday(day):
        if local.time() < OPENS:
            return datetime.combine(day, OPENS, CHINA)
        if local.time() < CLOSES:
            return local
    return datetime.combine(calendar.add_workdays(day, 1), OPENS, CHINA)


def after_workdays(calendar: WorkCalendar, start: datetime, days: int) -> datetime:
    """Opening time of the n-th working day after `start`; `start` itself for 0 days."""
    if days == 0:
        return start
    return datetime.combine(calendar.add_workdays(start.astimezone(CHINA).date(), days), OPENS, CHINA)
