"""Working days: `add workdays(date, n)` and `count workdays(from, to)` on the environment's calendar (Lianban; domain §3)."""

from __future__ import annotations

from decimal import Decimal

from engine.errors import Invalid
from engine.feel.builtins.conversion import whole
from engine.feel.builtins.registry import builtin, invalid
from engine.feel.runtime import Calendar, FeelNull, Run
from engine.feel.temporal import FeelDate, FeelDateTime

_MAX_DAYS = 10_000
Day = FeelDate | FeelDateTime


def _calendar(run: Run) -> Calendar:
    if run.env.calendar is None:
        raise invalid("没有工作日历", "no working calendar")
    return run.env.calendar


def _plain(day: Day) -> FeelDate:
    found = day.date if isinstance(day, FeelDateTime) else day
    if not 1900 <= found.year <= 2200:
        raise invalid("日期超出工作日历（1900-2200 年）", "date outside the working calendar (1900-2200)")
    return found


@builtin("add workdays(date: date|date and time, n: number) -> date", "Lianban")
def add_workdays(run: Run, day: Day, n: Decimal) -> FeelDate:
    """The n-th working day after the date (the day itself does not count); before it when n is negative."""
    days = whole(n, "工作日数", "number of working days")
    if abs(days) > _MAX_DAYS:
        raise invalid(f"最多 {_MAX_DAYS} 个工作日", f"at most {_MAX_DAYS} working days")
    run.tick(abs(days) // 16 + 1)
    try:
        return FeelDate.from_python(_calendar(run).add_workdays(_plain(day).to_python(), days))
    except Invalid as problem:
        raise _outside(problem) from None


@builtin("count workdays(from: date|date and time, to: date|date and time) -> number", "Lianban")
def count_workdays(run: Run, start: Day, end: Day) -> Decimal:
    """Working days after `from` up to and including `to`; negative when `to` is earlier."""
    first, last = _plain(start).to_python(), _plain(end).to_python()
    calendar = _calendar(run)
    run.tick(16)
    try:
        if last < first:
            return Decimal(-calendar.count_workdays(last, first))
        return Decimal(calendar.count_workdays(first, last))
    except Invalid as problem:
        raise _outside(problem) from None


def _outside(problem: Invalid) -> FeelNull:
    """The calendar refuses the years: null, with its own words as reason."""
    return invalid(problem.message("zh"), problem.message("en"))
