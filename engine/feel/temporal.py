"""Dates, times, date-times and the two durations (DMN 1.5 §10.3.2.3.4-§10.3.2.3.8).

Own representation because FEEL years reach from -999,999,999 to 999,999,999 and times may carry an offset, a zone or neither.
Every class is immutable and has `key`: an integer that orders it on its time line. Sub-second resolution is one nanosecond.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NANOS = 1_000_000_000
DAY_SECONDS = 86_400
MAX_YEAR = 999_999_999
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_ZONE_ID = re.compile(r"(?:UTC|GMT|[A-Z][A-Za-z0-9_+\-]{1,30}(?:/[A-Za-z0-9_+\-]{1,30}){0,2})")
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Proleptic Gregorian leap year; year 0 exists (ISO 8601)."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    """Number of days of a month."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of any proleptic Gregorian date (400-year cycles around Python's own calendar)."""
    if 1 <= year <= 9999:
        return date(year, month, day).toordinal() - _EPOCH_ORDINAL
    cycles, rest = divmod(year - 2000, 400)
    return date(2000 + rest, month, day).toordinal() - _EPOCH_ORDINAL + cycles * 146_097


def civil_from_days(days: int) -> tuple[int, int, int]:
    """The date of a day number, inverse of `days_from_civil`."""
    cycles, rest = divmod(days - 10_957, 146_097)  # 10,957 = 2000-01-01
    plain = date.fromordinal(rest + 10_957 + _EPOCH_ORDINAL)
    return plain.year + 400 * cycles, plain.month, plain.day


class _Ordered:
    """Equality, order and hash by class and `key`; immutable."""

    __slots__ = ("key",)
    key: int

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.key == other.key

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


_put = object.__setattr__


class FeelDate(_Ordered):
    """A date; `key` is its day number. Raises ValueError for a date that does not exist."""

    __slots__ = ("day", "month", "year")
    year: int
    month: int
    day: int

    def __init__(self, year: int, month: int, day: int) -> None:
        if not (-MAX_YEAR <= year <= MAX_YEAR):
            raise ValueError("year out of range")
        _put(self, "key", days_from_civil(year, month, day))
        _put(self, "year", year)
        _put(self, "month", month)
        _put(self, "day", day)

    @classmethod
    def from_days(cls, days: int) -> FeelDate:
        """The date of a day number."""
        return cls(*civil_from_days(days))

    @classmethod
    def from_python(cls, value: date) -> FeelDate:
        """From datetime.date."""
        return cls(value.year, value.month, value.day)

    def to_python(self) -> date:
        """As datetime.date; raises ValueError outside the years 1-9999."""
        return date(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """1 = Monday … 7 = Sunday."""
        return (self.key + 3) % 7 + 1

    def add_months(self, months: int) -> FeelDate:
        """The same day of a later month, or that month's last day."""
        index = self.year * 12 + self.month - 1 + months
        year, month = index // 12, index % 12 + 1
        return FeelDate(year, month, min(self.day, month_days(year, month)))

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"


class Zone:
    """Where a time is: a fixed offset in seconds (`name` is None) or a zoneinfo id."""

    __slots__ = ("name", "offset")

    def __init__(self, offset: int | None, name: str | None) -> None:
        self.offset = offset
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Zone) and (self.offset, self.name) == (other.offset, other.name)

    def __hash__(self) -> int:
        return hash((self.offset, self.name))

    def __str__(self) -> str:
        if self.name is not None:
            return "@" + self.name
        return offset_text(self.offset or 0)


def offset_text(seconds: int) -> str:
    """Z, +08:00 or -03:30:15."""
    if seconds == 0:
        return "Z"
    sign = "-" if seconds < 0 else "+"
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{rest:02d}" if rest else text


@lru_cache(maxsize=512)
def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that id, None if there is none. Names that are no ids of the database ("localtime") are not looked up."""
    if not _ZONE_ID.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_offset(zone: Zone, days: int, seconds: int) -> int:
    """Offset from UTC in seconds of a local moment; years outside 1-9999 use the year of the same shape around 2000."""
    if zone.name is None:
        return zone.offset or 0
    info = find_zone(zone.name)
    if info is None:
        return 0
    if not -719_000 < days < 2_932_000:
        days = (days - 10_957) % 146_097 + 10_957
    moment = datetime(1970, 1, 1) + timedelta(days=days, seconds=seconds)  # noqa: DTZ001 - a local moment by intent
    found = moment.replace(tzinfo=info).utcoffset()
    return int(found.total_seconds()) if found is not None else 0


class FeelTime(_Ordered):
    """A time of day: `seconds` since midnight, `nanos`, optional zone. `key` is nanoseconds in UTC, unwrapped."""

    __slots__ = ("nanos", "seconds", "zone")
    seconds: int
    nanos: int
    zone: Zone | None

    def __init__(self, seconds: int, nanos: int = 0, zone: Zone | None = None) -> None:
        if not (0 <= seconds < DAY_SECONDS and 0 <= nanos < NANOS):
            raise ValueError("time out of range")
        _put(self, "seconds", seconds)
        _put(self, "nanos", nanos)
        _put(self, "zone", zone)
        _put(self, "key", (seconds - self.offset_or_zero) * NANOS + nanos)

    @property
    def offset_or_zero(self) -> int:
        """Offset in seconds; a zone id without a date counts with its offset of 2000-01-01 (the standard is silent)."""
        return 0 if self.zone is None else zone_offset(self.zone, 10_957, self.seconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeelTime) and self.key == other.key and (self.zone is None) == (other.zone is None)

    def __hash__(self) -> int:
        return hash(("time", self.key, self.zone is None))

    @classmethod
    def from_python(cls, value: time) -> FeelTime:
        """From datetime.time (microseconds)."""
        return cls(value.hour * 3600 + value.minute * 60 + value.second, value.microsecond * 1000, zone_from_python(value))

    def __str__(self) -> str:
        minutes, second = divmod(self.seconds, 60)
        text = f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
        if self.nanos:
            text += f".{self.nanos:09d}".rstrip("0")
        return text if self.zone is None else text + str(self.zone)


def zone_from_python(value: time | datetime) -> Zone | None:
    """The zone of an aware Python value: an id where it has one, else its offset."""
    if value.tzinfo is None:
        return None
    key = getattr(value.tzinfo, "key", None)
    if isinstance(key, str):
        return Zone(None, key)
    offset = value.utcoffset()
    return Zone(int(offset.total_seconds()), None) if offset is not None else None


class FeelDateTime(_Ordered):
    """A date and a time of day. `key` is nanoseconds since 1970 in UTC (local time counts as UTC among local times)."""

    __slots__ = ("date", "time")
    date: FeelDate
    time: FeelTime

    def __init__(self, day: FeelDate, clock_time: FeelTime) -> None:
        _put(self, "date", day)
        _put(self, "time", clock_time)
        _put(self, "key", (self.local_seconds - self.offset_or_zero) * NANOS + clock_time.nanos)

    @property
    def local_seconds(self) -> int:
        """Seconds since 1970-01-01T00:00 on the local clock."""
        return self.date.key * DAY_SECONDS + self.time.seconds

    @property
    def offset_or_zero(self) -> int:
        """Offset from UTC in seconds, 0 for a local date-time."""
        zone = self.time.zone
        return 0 if zone is None else zone_offset(zone, self.date.key, self.time.seconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeelDateTime) and self.key == other.key and (self.time.zone is None) == (other.time.zone is None)

    def __hash__(self) -> int:
        return hash(("date and time", self.key, self.time.zone is None))

    @classmethod
    def from_local(cls, nanos: int, zone: Zone | None) -> FeelDateTime:
        """From nanoseconds since 1970 on the local clock of `zone`."""
        seconds, rest = divmod(nanos, NANOS)
        days, of_day = divmod(seconds, DAY_SECONDS)
        return cls(FeelDate.from_days(days), FeelTime(of_day, rest, zone))

    @classmethod
    def from_python(cls, value: datetime) -> FeelDateTime:
        """From datetime (microseconds), aware or naive."""
        clock_time = FeelTime(value.hour * 3600 + value.minute * 60 + value.second, value.microsecond * 1000, zone_from_python(value))
        return cls(FeelDate(value.year, value.month, value.day), clock_time)

    def to_python(self) -> datetime:
        """As datetime; raises ValueError or OverflowError outside the years 1-9999."""
        local = datetime(self.date.year, self.date.month, self.date.day)  # noqa: DTZ001 - the zone follows
        local += timedelta(seconds=self.time.seconds, microseconds=self.time.nanos // 1000)
        zone = self.time.zone
        if zone is None:
            return local
        if zone.name is not None:
            return local.replace(tzinfo=find_zone(zone.name))
        return local.replace(tzinfo=timezone(timedelta(seconds=zone.offset)) if zone.offset else UTC)

    def in_zone(self, zone: Zone) -> FeelDateTime:
        """The same instant on the clock of another zone."""
        days, seconds = divmod(self.key // NANOS, DAY_SECONDS)
        offset = zone.offset if zone.name is None else _offset_of_instant(zone.name, days, seconds)
        return FeelDateTime.from_local(self.key + (offset or 0) * NANOS, zone)

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


def _offset_of_instant(name: str, days: int, seconds: int) -> int:
    info = find_zone(name)
    if info is None:
        return 0
    if not -719_000 < days < 2_932_000:
        days = (days - 10_957) % 146_097 + 10_957
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days, seconds=seconds)
    found = moment.astimezone(info).utcoffset()
    return int(found.total_seconds()) if found is not None else 0


class DaysDuration(_Ordered):
    """Days and time duration; `key` is its length in nanoseconds. Raises ValueError beyond a billion years."""

    __slots__ = ()
    LIMIT = (MAX_YEAR + 1) * 366 * DAY_SECONDS * NANOS

    def __init__(self, nanos: int) -> None:
        if not -self.LIMIT <= nanos <= self.LIMIT:
            raise ValueError("duration out of range")
        _put(self, "key", nanos)

    @classmethod
    def from_python(cls, value: timedelta) -> DaysDuration:
        """From datetime.timedelta."""
        return cls(((value.days * DAY_SECONDS + value.seconds) * 1_000_000 + value.microseconds) * 1000)

    def to_python(self) -> timedelta:
        """As datetime.timedelta (microseconds); raises OverflowError beyond its range."""
        return timedelta(microseconds=self.key // 1000)

    def parts(self) -> tuple[int, int, int, int, int]:
        """(days, hours, minutes, seconds, nanos), all with the duration's sign."""
        sign = -1 if self.key < 0 else 1
        total, nanos = divmod(abs(self.key), NANOS)
        days, rest = divmod(total, DAY_SECONDS)
        return sign * days, sign * (rest // 3600), sign * (rest // 60 % 60), sign * (rest % 60), sign * nanos

    def __str__(self) -> str:
        if self.key == 0:
            return "PT0S"
        days, hours, minutes, seconds, nanos = (abs(part) for part in self.parts())
        text = f"P{days}D" if days else "P"
        clock_part = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        if seconds or nanos:
            clock_part += f"{seconds}" + (f".{nanos:09d}".rstrip("0") if nanos else "") + "S"
        text += "T" + clock_part if clock_part else ""
        return "-" + text if self.key < 0 else text


class MonthsDuration(_Ordered):
    """Years and months duration; `key` is its length in months. Raises ValueError beyond a billion years."""

    __slots__ = ()
    LIMIT = (MAX_YEAR + 1) * 24

    def __init__(self, months: int) -> None:
        if not -self.LIMIT <= months <= self.LIMIT:
            raise ValueError("duration out of range")
        _put(self, "key", months)

    @property
    def years(self) -> int:
        """Whole years, with sign."""
        return abs(self.key) // 12 * (-1 if self.key < 0 else 1)

    @property
    def months(self) -> int:
        """Months beyond the whole years, with sign."""
        return abs(self.key) % 12 * (-1 if self.key < 0 else 1)

    def __str__(self) -> str:
        if self.key == 0:
            return "P0M"
        years, months = divmod(abs(self.key), 12)
        text = "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return "-" + text if self.key < 0 else text


def fraction(seconds: int, nanos: int) -> Decimal:
    """Seconds with their fraction as FEEL number."""
    return Decimal(seconds) + Decimal(nanos).scaleb(-9) if nanos else Decimal(seconds)


TEMPORAL_TYPES = (FeelDate, FeelTime, FeelDateTime, DaysDuration, MonthsDuration)
