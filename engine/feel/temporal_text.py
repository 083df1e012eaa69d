"""Reading dates, times and durations from text (DMN 1.5 §10.3.4.1, @-literals of rule 65; XML Schema Part 2 and ISO 8601 lexical forms)."""

from __future__ import annotations

import re
from functools import lru_cache

from engine.feel.temporal import (
    DAY_SECONDS,
    MAX_YEAR,
    NANOS,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    Zone,
    find_zone,
)

Temporal = FeelDate | FeelTime | FeelDateTime | DaysDuration | MonthsDuration
_DATE = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(.*)", re.DOTALL)
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_DAYS = re.compile(r"(-)?P(?:([0-9]+)D)?(?:(T)(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]*))?S)?)?")
_MONTHS = re.compile(r"(-)?P(?:([0-9]+)Y)?(?:([0-9]+)M)?")
_MAX_DIGITS = 20
_LONGEST_DATE = 16


def parse_date(text: str) -> FeelDate | None:
    """`2024-02-29`, `-0044-03-15`, `123456-01-01`; None if it is no date."""
    return _parse_date(text) if len(text) <= _LONGEST_DATE else None


@lru_cache(maxsize=4096)  # the same due dates and birthdays are read again and again; dates are immutable
def _parse_date(text: str) -> FeelDate | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups())
    if abs(year) > MAX_YEAR or not 1 <= month <= 12:
        return None
    try:
        return FeelDate(year, month, day)
    except ValueError:
        return None


def parse_zone(text: str) -> Zone | None:
    """`Z`, `+08:00`, `@Asia/Shanghai`; raises ValueError for anything else; "" is None (local)."""
    if not text:
        return None
    if text in ("Z", "z"):
        return Zone(0, None)
    if text.startswith("@"):
        if find_zone(text[1:]) is None:
            raise ValueError("unknown zone")
        return Zone(None, text[1:])
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise ValueError("not an offset")
    sign, hours, minutes, seconds = found.groups()
    total = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
    # XML Schema allows 14:00 at most; Java's and ISO's practice of 18:00 is accepted because engines exchange such values.
    if int(minutes) > 59 or int(seconds or 0) > 59 or total > 18 * 3600:
        raise ValueError("offset out of range")
    return Zone(-total if sign == "-" else total, None)


def parse_time(text: str) -> FeelTime | None:
    """`10:20:30.5`, with `Z`, an offset or `@zone`; None if it is no time."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, digits, rest = found.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    try:
        zone = parse_zone(rest)
    except ValueError:
        return None
    nanos = int((digits or "0")[:9].ljust(9, "0"))
    return FeelTime(int(hour) * 3600 + int(minute) * 60 + int(second), nanos, zone)


def parse_date_time(text: str) -> FeelDateTime | None:
    """A date, `T` and a time; None if it is not both."""
    head, separator, tail = text.partition("T")
    day = parse_date(head) if separator else None
    clock_time = parse_time(tail) if day is not None else None
    return None if day is None or clock_time is None else FeelDateTime(day, clock_time)


def parse_duration(text: str) -> DaysDuration | MonthsDuration | None:
    """`P1Y2M` or `P3DT4H5M6.5S`, each with an optional leading minus; None otherwise (mixed forms are no FEEL duration)."""
    found = _MONTHS.fullmatch(text)
    if found is not None and (found[2] or found[3]):
        return _months(found)
    found = _DAYS.fullmatch(text)
    if found is None:
        return None
    sign, days, time_part, hours, minutes, seconds, digits = found.groups()
    clock_parts = (hours, minutes, seconds)
    if (time_part and clock_parts == (None, None, None)) or not (days or time_part) or digits == "":
        return None
    if any(part and len(part) > _MAX_DIGITS for part in (days, *clock_parts)):
        return None
    whole = int(days or 0) * DAY_SECONDS + int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    nanos = whole * NANOS + int((digits or "0")[:9].ljust(9, "0"))
    try:
        return DaysDuration(-nanos if sign else nanos)
    except ValueError:
        return None


def _months(found: re.Match[str]) -> MonthsDuration | None:
    sign, years, months = found.groups()
    if any(part and len(part) > _MAX_DIGITS for part in (years, months)):
        return None
    total = int(years or 0) * 12 + int(months or 0)
    try:
        return MonthsDuration(-total if sign else total)
    except ValueError:
        return None


def parse_any(text: str) -> Temporal | None:
    """The value of an @-literal: the first kind whose lexical form fits; None if none does."""
    return parse_date(text) or parse_date_time(text) or parse_time(text) or parse_duration(text)
