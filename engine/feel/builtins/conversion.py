"""Conversion functions (DMN 1.5 §10.3.4.1, table 73)."""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from typing import Any

from engine.feel.builtins.registry import builtin, invalid
from engine.feel.numbers import CONTEXT, is_integer
from engine.feel.ops import integer
from engine.feel.runtime import Run
from engine.feel.temporal import (
    NANOS,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    Zone,
)
from engine.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time, parse_zone
from engine.feel.text import text_of

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SEPARATORS = (" ", ",", ".")
_ZONED = re.compile(r"(.*?)(?:Z|[+-][0-9:]+)\[([^\]]+)\]")


@builtin("string(from: any) -> string", "10.3.4.1")
def string(run: Run, value: Any) -> str | None:
    """Text of any value; string(null) is null."""
    return None if value is None else text_of(value, lambda size: _charge(run, size))


def _charge(run: Run, size: int) -> None:
    run.tick()
    run.check_chars(size)


@builtin("number(from: number) -> number", "10.3.4.1")
def number_of_number(_run: Run, value: Decimal) -> Decimal:
    """A number is itself."""
    return value


@builtin("number(from: string, grouping separator?: string, decimal separator?: string) -> number", "10.3.4.1")
def number(_run: Run, text: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    """Separators may be space, comma or period (grouping) and period or comma (decimal), and must differ."""
    if grouping is not None and grouping not in _SEPARATORS:
        raise invalid("分组符只能是空格、逗号或句点", "grouping separator must be space, comma or period")
    if point is not None and point not in (".", ","):
        raise invalid("小数点只能是句点或逗号", "decimal separator must be period or comma")
    if grouping is not None and grouping == (point or "."):
        raise invalid("分组符和小数点相同", "both separators are the same")
    plain = text.replace(grouping, "") if grouping else text
    if point == ",":
        plain = "#" if "." in plain else plain.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise invalid(f"“{text[:50]}”不是数字", f'"{text[:50]}" is not a number')
    try:
        return CONTEXT.create_decimal(plain)
    except DecimalException:
        raise invalid("数字超出范围", "number out of range") from None


@builtin("date(from: string) -> date", "10.3.4.1")
def date_of_string(_run: Run, text: str) -> FeelDate:
    """`date("2024-02-29")`."""
    found = parse_date(text)
    if found is None:
        raise invalid(f"“{text[:50]}”不是日期", f'"{text[:50]}" is not a date')
    return found


@builtin("date(from: date) -> date", "10.3.4.1")
def date_of_date(_run: Run, value: FeelDate) -> FeelDate:
    """A date is itself."""
    return value


@builtin("date(from: date and time) -> date", "10.3.4.1")
def date_of_moment(_run: Run, value: FeelDateTime) -> FeelDate:
    """The date component on the moment's own clock."""
    return value.date


@builtin("date(year: number, month: number, day: number) -> date", "10.3.4.1")
def date_of_parts(_run: Run, year: Decimal, month: Decimal, day: Decimal) -> FeelDate:
    """`date(2024, 2, 29)`."""
    parts = [integer(part) for part in (year, month, day)]
    if None in parts:
        raise invalid("年月日必须是整数", "year, month and day must be integers")
    try:
        return FeelDate(*(int(part) for part in parts if part is not None))
    except (ValueError, OverflowError):
        raise invalid("没有这个日期", "no such date") from None


@builtin("time(from: string) -> time", "10.3.4.1")
def time_of_string(_run: Run, text: str) -> FeelTime:
    """`time("10:20:30+08:00")`; a leading T is allowed as in ISO 8601."""
    found = parse_time(text[1:] if text.startswith("T") else text)
    if found is None:
        raise invalid(f"“{text[:50]}”不是时间", f'"{text[:50]}" is not a time')
    return found


@builtin("time(from: time) -> time", "10.3.4.1")
def time_of_time(_run: Run, value: FeelTime) -> FeelTime:
    """A time is itself."""
    return value


@builtin("time(from: date and time) -> time", "10.3.4.1")
def time_of_moment(_run: Run, value: FeelDateTime) -> FeelTime:
    """The time component; a date counts as midnight UTC (§10.3.2.9.4)."""
    return value.time


@builtin("time(hour: number, minute: number, second: number, offset?: days and time duration) -> time", "10.3.4.1")
def time_of_parts(_run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: DaysDuration | None = None) -> FeelTime:
    """`time(10, 20, 30.5, duration("PT8H"))`."""
    hours, minutes, nanos = integer(hour), integer(minute), _nanos(second)
    if hours is None or minutes is None or not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= nanos < 60 * NANOS):
        raise invalid("没有这个时间", "no such time")
    zone = None
    if offset is not None:
        if abs(offset.key) > 18 * 3600 * NANOS or offset.key % NANOS:
            raise invalid("时差超出范围", "offset out of range")
        zone = Zone(offset.key // NANOS, None)
    return FeelTime(hours * 3600 + minutes * 60 + nanos // NANOS, nanos % NANOS, zone)


def _nanos(second: Decimal) -> int:
    return int(second.scaleb(9)) if abs(second) < 100 else -1


@builtin("date and time(from: string) -> date and time", "10.3.4.1")
def moment_of_string(_run: Run, text: str) -> FeelDateTime:
    """`date and time("2024-02-29T10:20:30@Asia/Shanghai")`; also Java's `+08:00[Asia/Shanghai]`; a date alone is midnight."""
    zoned = _ZONED.fullmatch(text) if len(text) < 100 else None
    plain = f"{zoned[1]}@{zoned[2]}" if zoned else text
    found = parse_date_time(plain)
    day = parse_date(text) if found is None else None
    if day is not None:
        found = FeelDateTime(day, FeelTime(0))
    if found is None:
        raise invalid(f"“{text[:50]}”不是日期时间", f'"{text[:50]}" is not a date and time')
    return found


@builtin("date and time(date: date, time: time) -> date and time", "10.3.4.1")
def moment_of_date(_run: Run, day: FeelDate, clock_time: FeelTime) -> FeelDateTime:
    """A date and a time together."""
    return FeelDateTime(day, clock_time)


@builtin("date and time(date: date and time, time: time) -> date and time", "10.3.4.1")
def moment_of_moment(_run: Run, moment: FeelDateTime, clock_time: FeelTime) -> FeelDateTime:
    """The date of a moment and another time."""
    return FeelDateTime(moment.date, clock_time)


@builtin("date and time(date: date and time, timezone: string) -> date and time", "Camunda 8 conversion functions")
def moment_in_zone(_run: Run, moment: FeelDateTime, name: str) -> FeelDateTime:
    """The same instant on the clock of another zone; a local moment counts as UTC."""
    try:
        zone = parse_zone(name if name in ("Z", "z") or name[:1] in "+-@" else "@" + name)
    except ValueError:
        zone = None
    if zone is None:
        raise invalid("没有这个时区", "unknown zone")
    return moment.in_zone(zone)


@builtin("date and time(from: date and time) -> date and time", "10.3.4.1")
def moment_itself(_run: Run, moment: FeelDateTime) -> FeelDateTime:
    """A moment is itself; a date becomes midnight UTC (§10.3.2.9.4)."""
    return moment


@builtin(
    "date and time(year: number, month: number, day: number, hour: number, minute: number, second: number,"
    " offset?: days and time duration) -> date and time",
    "10.3.4.1",
)
def moment_of_parts(
    run: Run,
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: DaysDuration | None = None,
) -> FeelDateTime:
    """Every component by itself."""
    return FeelDateTime(date_of_parts(run, year, month, day), time_of_parts(run, hour, minute, second, offset))


@builtin("duration(from: string) -> Any", "10.3.4.1")
def duration(_run: Run, text: str) -> DaysDuration | MonthsDuration:
    """Either kind of duration."""
    found = parse_duration(text)
    if found is None:
        raise invalid(f"“{text[:50]}”不是时长", f'"{text[:50]}" is not a duration')
    return found


@builtin("duration(from: days and time duration|years and months duration) -> Any", "10.3.4.1")
def duration_itself(_run: Run, value: DaysDuration | MonthsDuration) -> DaysDuration | MonthsDuration:
    """A duration is itself."""
    return value


@builtin(
    "years and months duration(from: date|date and time, to: date|date and time) -> years and months duration",
    "10.3.4.1",
)
def months_between(_run: Run, start: FeelDate | FeelDateTime, end: FeelDate | FeelDateTime) -> MonthsDuration:
    """Whole months between two dates, negative when `to` is earlier; times of day do not count."""
    first = start.date if isinstance(start, FeelDateTime) else start
    last = end.date if isinstance(end, FeelDateTime) else end
    if last.key < first.key:
        return MonthsDuration(-_whole_months(last, first))
    return MonthsDuration(_whole_months(first, last))


def _whole_months(first: FeelDate, last: FeelDate) -> int:
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - 1 if last.day < first.day else months


def whole(value: Decimal, chinese: str, english: str) -> int:
    """An integer argument of moderate size. Raises FeelNull for fractions and giants."""
    found = integer(value)
    if found is None or not is_integer(value):
        raise invalid(f"{chinese}必须是整数", f"{english} must be an integer")
    return found
