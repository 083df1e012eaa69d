"""Time is always told the same way: what is left in working days, the statutory light's colour, and why on hover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from engine import clock
from engine.clock import CHINA
from engine.workcalendar import WorkCalendar
from webapp.context import engine
from webapp.rendering import when


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """`colour` is green, yellow, red or grey; `words` say the same; `why` names the instant. `days` is negative when overdue."""

    colour: str
    words: str
    why: str = ""
    days: int | None = None


def time_left(due: datetime | None) -> TimeLeft:
    """How much working time is left until `due`, in Beijing's days: yellow from the last two working days on, red once it has passed."""
    if due is None:
        return TimeLeft("grey", _("不限时"))
    now, due = clock.now(), due.astimezone(CHINA)
    why = _("到期 %(when)s", when=when(due))
    calendar = engine().runtime.calendar or WorkCalendar()
    if due < now:
        days = calendar.count_workdays(due.date(), now.date())
        return TimeLeft("red", _("超 %(n)s 工作日", n=days) if days else _("今日已超"), why, -days)
    days = calendar.count_workdays(now.date(), due.date())
    if days == 0:
        return TimeLeft("yellow", _("今日到期"), why, 0)
    return TimeLeft("yellow" if days <= 2 else "green", _("剩 %(n)s 工作日", n=days), why, days)
