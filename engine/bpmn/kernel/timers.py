"""Timers: ISO 8601 dates, durations and cycles, from static text or FEEL.

Months and years are calendar months: one month after 31 January is the last day of February (RFC 5545 style clipping), counted from
the anchor, so a monthly cycle from 31 January gives 28 February, 31 March, 30 April.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_ZONE = re.compile(r"(?:\[([^\]]+)\]|@(.+))$")


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar duration: whole months and an exact rest."""

    months: int
    rest: timedelta

    def after(self, start: datetime, times: int = 1) -> datetime:
        """`start` plus this duration `times` times, counted in the start's own time zone."""
        total = start.year * 12 + start.month - 1 + self.months * times
        year, month = divmod(total, 12)
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        return start.replace(year=year, month=month + 1, day=day) + self.rest * times


@dataclass(frozen=True, slots=True)
class Cycle:
    """R[n]/[start/]duration; `repetitions` None = for ever."""

    repetitions: int | None
    start: datetime | None
    duration: Duration


def parse_duration(text: str) -> Duration:
    """Read an ISO 8601 duration. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or text.strip()[-1:] in ("P", "T"):
        raise ValueError(text)
    part = {name: float(number or 0) for name, number in match.groupdict().items() if name != "sign"}
    sign = -1 if match["sign"] else 1
    rest = timedelta(weeks=part["weeks"], days=part["days"], hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"])
    return Duration(sign * int(part["years"] * 12 + part["months"]), sign * rest)


def parse_moment(text: str, zone: tzinfo | None) -> datetime:
    """Read an ISO 8601 date or date-time (also with a [zone] or @zone suffix); without a zone it is in `zone`. Raises ValueError."""
    text = text.strip()
    match = _ZONE.search(text)
    if match is not None:
        try:
            zone = ZoneInfo(match[1] or match[2])
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(text) from error
        text = text[: match.start()]
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def parse_cycle(text: str, zone: tzinfo | None) -> Cycle:
    """Read a repeating interval R[n]/[start/]duration. Raises ValueError."""
    parts = text.strip().split("/")
    match = re.fullmatch(r"R(\d*)", parts[0])
    if match is None or len(parts) not in (2, 3):
        raise ValueError(text)
    duration = parse_duration(parts[-1])
    if duration.months <= 0 and duration.rest <= timedelta(0):
        raise ValueError(text)
    start = parse_moment(parts[1], zone) if len(parts) == 3 else None
    return Cycle(int(match[1]) if match[1] else None, start, duration)
