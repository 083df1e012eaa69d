"""The statutory lights, told the same way everywhere: what is left or over in working days, until when, and why.

Green, yellow when no more than max(1, 20 % of the limit) working days are left, red when over, grey without a limit (domain §2.10, §3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from engine import clock, runtime
from engine.clock import CHINA
from engine.workcalendar import WorkCalendar


@dataclass(frozen=True, slots=True)
class Light:
    """`colour`: green, yellow, red, blue or grey; `words` say the same; `why` explains it; `days` left (negative: over) or None."""

    colour: str
    words: str
    why: str = ""
    due: datetime | None = None
    days: int | None = None


GREY = Light("grey", "无时限")


@lru_cache(maxsize=1)
def _national() -> WorkCalendar:
    return WorkCalendar()


def calendar_of(session: Session) -> WorkCalendar:
    """The working calendar of this engine; the national one when it was opened without."""
    return runtime.calendar_of(session) or _national()


def warning_days(limit: int) -> int:
    """How many working days before the end a limit turns yellow."""
    return max(1, -(-limit // 5))


def of_due(calendar: WorkCalendar, due: datetime | None, limit: int | None, now: datetime | None = None) -> Light:
    """The light of an open task or lane with a due instant and its limit in working days."""
    if due is None:
        return GREY
    moment = (now or clock.now()).astimezone(CHINA)
    today, last = moment.date(), due.astimezone(CHINA).date()
    until = f"{last:%m-%d} 到期" + (f"，时限 {limit} 个工作日" if limit else "")
    if moment > due:
        over = calendar.count_workdays(last, today)
        return Light("red", f"超 {over} 工作日" if over else "今日已超时", until, due, -over)
    left = calendar.count_workdays(today, last)
    words = f"剩 {left} 工作日" if left else "今日到期"
    return Light("yellow" if left <= warning_days(limit or 1) else "green", words, until, due, left)


def of_budget(used: int, limit: int) -> Light:
    """The light of a stage or project by used working days against its limit."""
    left, why = limit - used, f"已用 {used}，时限 {limit} 个工作日"
    if left < 0:
        return Light("red", f"超 {-left} 工作日", why, None, left)
    return Light("yellow" if left <= warning_days(limit) else "green", f"剩 {left} 工作日", why, None, left)


def end_of_workday(calendar: WorkCalendar, workdays: int, now: datetime) -> datetime:
    """The end of the n-th working day from now (0: of today)."""
    day: date = calendar.add_workdays(now.astimezone(CHINA).date(), workdays)
    return datetime.combine(day + timedelta(days=1), time(), CHINA)


def end_of_today(now: datetime) -> datetime:
    """Midnight at the end of today, Beijing time."""
    return datetime.combine(now.astimezone(CHINA).date() + timedelta(days=1), time(), CHINA)
