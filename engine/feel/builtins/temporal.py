"""Date and time functions (DMN 1.5 §10.3.4.6 table 78 `is`, §10.3.4.8 table 80) and now/today (§10.3.4.11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.feel.builtins.registry import builtin
from engine.feel.ops import equal, kind_of
from engine.feel.runtime import Run
from engine.feel.temporal import FeelDate, FeelDateTime, FeelTime, days_from_civil, is_leap, month_days

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
Day = FeelDate | FeelDateTime


def _date(value: Day) -> FeelDate:
    return value.date if isinstance(value, FeelDateTime) else value


@builtin("is(value1: any, value2: any) -> boolean", "10.3.4.6")
def is_same(run: Run, a: Any, b: Any) -> bool:
    """Same kind and same element of the semantic domain: unlike `=`, two times are the same only with the same zone."""
    if kind_of(a) != kind_of(b):
        return False
    if isinstance(a, FeelTime) and isinstance(b, FeelTime):
        return (a.seconds, a.nanos, _shape(a)) == (b.seconds, b.nanos, _shape(b))
    if isinstance(a, FeelDateTime) and isinstance(b, FeelDateTime):
        return a.date == b.date and is_same(run, a.time, b.time)
    return equal(a, b, run) is True


def _shape(moment: FeelTime) -> tuple[int | None, str | None]:
    return (None, None) if moment.zone is None else (moment.zone.offset, moment.zone.name)


@builtin("day of year(date: date|date and time) -> number", "10.3.4.8")
def day_of_year(_run: Run, day: Day) -> Decimal:
    """1 to 366."""
    found = _date(day)
    return Decimal(found.key - days_from_civil(found.year, 1, 1) + 1)


@builtin("day of week(date: date|date and time) -> string", "10.3.4.8")
def day_of_week(_run: Run, day: Day) -> str:
    """ "Monday" to "Sunday"."""
    return _DAYS[_date(day).weekday - 1]


@builtin("month of year(date: date|date and time) -> string", "10.3.4.8")
def month_of_year(_run: Run, day: Day) -> str:
    """ "January" to "December"."""
    return _MONTHS[_date(day).month - 1]


@builtin("week of year(date: date|date and time) -> number", "10.3.4.8")
def week_of_year(_run: Run, day: Day) -> Decimal:
    """ISO 8601 week: the week with the year's first Thursday is week 1."""
    found = _date(day)
    thursday = found.key - found.weekday + 4
    year = FeelDate.from_days(thursday).year
    return Decimal((thursday - days_from_civil(year, 1, 1)) // 7 + 1)


@builtin("last day of month(date: date|date and time) -> date", "Camunda 8 temporal functions")
def last_day_of_month(_run: Run, day: Day) -> FeelDate:
    """The last date of that month."""
    found = _date(day)
    return FeelDate(found.year, found.month, month_days(found.year, found.month))


@builtin("is leap year(date: date|date and time) -> boolean", "Lianban")
def is_leap_year(_run: Run, day: Day) -> bool:
    """Does the year have 366 days?"""
    return is_leap(_date(day).year)


@builtin("now() -> date and time", "10.3.4.11")
def now(run: Run) -> FeelDateTime:
    """The environment's clock: business time in China."""
    return FeelDateTime.from_python(run.env.now())


@builtin("today() -> date", "10.3.4.11")
def today(run: Run) -> FeelDate:
    """The environment's date."""
    return FeelDate.from_python(run.env.now().date())
