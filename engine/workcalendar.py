"""The working calendar: national days off and make-up working days (调休), a region's own days, provisional years, office hours.

Law: 《全国年节及纪念日放假办法》 (State Council) with its yearly notice; 第四条 lets regions set minority festivals. National
data come from the `holidays` package; the region's from `processes/catalogue/work_calendar.csv` and from notices that an administrator
imported. A year after `official_until` has no notice yet: its days are computed from weekends and statutory dates, and every due date
that touches it is provisional (暂定) until the notice is imported. A period ends with the office hours of its last day (民法典 203).
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

import holidays

from engine.clock import CHINA
from engine.errors import Invalid

FIRST_YEAR, LAST_YEAR = 1950, 2100  # what the `holidays` package covers for China
# The last year whose notice of the State Council is in the installed `holidays` package.
OFFICIAL_UNTIL = 2026
XINJIANG = "650000"  # GB/T 2260
_ONE_DAY = timedelta(days=1)


class CalendarError(Invalid):
    """工作日历有误：{reason}

    The working calendar is not usable: {reason}
    """

    code = "calendar_error"


@dataclass(frozen=True, slots=True)
class OverlayDay:
    """One day that differs from the national calendar in a region: `kind` is work or off; `source` names the notice."""

    region: str
    date: date
    kind: Literal["work", "off"]
    reason: str
    source: str


@lru_cache(maxsize=256)
def _national_ordinals(year: int) -> frozenset[int]:
    """Ordinals of a year's national working days."""
    days_off = holidays.country_holidays("CN", years=[year - 1, year, year + 1])
    make_up: set[date] = set(days_off.weekend_workdays)
    found = set()
    day = date(year, 1, 1)
    while day.year == year and day <= date(LAST_YEAR, 12, 31):
        if day in make_up or (day.weekday() < 5 and day not in days_off):
            found.add(day.toordinal())
        day += _ONE_DAY
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Season:
    """Office hours from a day of the year (month, day) on, until the next season: `sessions` are (opens, closes), Beijing time."""

    begins: tuple[int, int]
    sessions: tuple[tuple[time, time], ...]


NATIONAL_HOURS = (Season((1, 1), ((time(9), time(12)), (time(14), time(18)))),)


class WorkCalendar:
    """Working days of one region; immutable. `overlay`: the region's own days; `official_until`: last year with an official notice in
    the `holidays` package; `imported`: later years whose notice was imported; `hours`: the seasons of the office hours."""

    def __init__(
        self,
        overlay: Iterable[OverlayDay] = (),
        official_until: int = OFFICIAL_UNTIL,
        *,
        imported: Iterable[int] = (),
        hours: Sequence[Season] = NATIONAL_HOURS,
    ) -> None:
        self.official_until = official_until
        self.imported = frozenset(imported)
        self.hours = tuple(sorted(hours, key=lambda season: season.begins))
        self._rows = {row.date: row for row in overlay}
        self._off: dict[int, set[int]] = {}
        self._work: dict[int, set[int]] = {}
        for row in self._rows.values():
            target = self._work if row.kind == "work" else self._off
            target.setdefault(row.date.year, set()).add(row.date.toordinal())
        self._years: dict[int, tuple[int, ...]] = {}

    def _year(self, year: int) -> tuple[int, ...]:
        """Ordinals of the region's working days of a year, ascending. Raises CalendarError outside 1950-2100."""
        found = self._years.get(year)
        if found is None:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise CalendarError(reason=f"{year} 年超出范围 {FIRST_YEAR}-{LAST_YEAR} (year out of range)")
            days = (_national_ordinals(year) | self._work.get(year, set())) - self._off.get(year, set())
            found = self._years[year] = tuple(sorted(days))
        return found

    def is_workday(self, day: date) -> bool:
        """Is the day a working day in the region?"""
        days = self._year(day.year)
        index = bisect_right(days, day.toordinal())
        return index > 0 and days[index - 1] == day.toordinal()

    def add_workdays(self, d: date, n: int) -> date:
        """The n-th working day after `d`, which itself does not count (民法典 第二百零一条); before `d` when n < 0; `d` when n = 0.

        Raises CalendarError when the result lies outside 1950-2100.
        """
        if n == 0:
            return d
        return self._forward(d, n) if n > 0 else self._backward(d, -n)

    def _forward(self, start: date, n: int) -> date:
        year, days = start.year, self._year(start.year)
        index = bisect_right(days, start.toordinal())  # first working day after the start
        while index + n > len(days):
            n -= len(days) - index
            year += 1
            days, index = self._year(year), 0
        return date.fromordinal(days[index + n - 1])

    def _backward(self, start: date, n: int) -> date:
        year, days = start.year, self._year(start.year)
        index = bisect_right(days, start.toordinal() - 1)  # working days before the start
        while n > index:
            n -= index
            year -= 1
            days = self._year(year)
            index = len(days)
        return date.fromordinal(days[index - n])

    def count_workdays(self, after: date, until: date) -> int:
        """How many working days x have after < x <= until; 0 when `until` is not later."""
        if until <= after:
            return 0
        total = sum(len(self._year(year)) for year in range(after.year, until.year))
        return total + bisect_right(self._year(until.year), until.toordinal()) - bisect_right(self._year(after.year), after.toordinal())

    def provisional(self, day: date) -> bool:
        """True if the day lies in a year without official data: a due date there is 暂定 and is recomputed on import."""
        return day.year > self.official_until and day.year not in self.imported

    def own_day(self, day: date) -> OverlayDay | None:
        """The region's own row for a day, if it has one."""
        return self._rows.get(day)

    def with_notice(self, year: int, rows: Iterable[OverlayDay]) -> WorkCalendar:
        """This calendar after the notice of a year: `rows` replace what was known of the region's own days in that year."""
        kept = [row for row in self._rows.values() if row.date.year != year]
        return WorkCalendar([*kept, *rows], self.official_until, imported=self.imported | {year}, hours=self.hours)

    # ------------------------------------------------------------------ office hours
    def opening(self, day: date) -> datetime:
        """When the office opens on a day, working day or not."""
        return datetime.combine(day, self._season(day).sessions[0][0], CHINA)

    def closing(self, day: date) -> datetime:
        """When business closes on a day: the end of a period that ends on it (民法典 第二百零三条)."""
        return datetime.combine(day, self._season(day).sessions[-1][1], CHINA)

    def clock_date(self, moment: datetime) -> date:
        """The day that counts for something received at `moment`: after the close of business or on a day off the next working day."""
        day = moment.astimezone(CHINA).date()
        if self.is_workday(day) and moment <= self.closing(day):
            return day
        return self.add_workdays(day, 1)

    def _season(self, day: date) -> Season:
        """The season of a day; before the first of the year the last one goes on."""
        return next((season for season in reversed(self.hours) if season.begins <= (day.month, day.day)), self.hours[-1])


def load_overlay(path: Path, region: str = XINJIANG) -> tuple[OverlayDay, ...]:
    """The rows of a region from a CSV with the columns region, date, kind, reason, source. Raises CalendarError for a bad row."""
    rows: list[OverlayDay] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            parsed = _parse_row(row, number)
            if parsed.region == region:
                rows.append(parsed)
    return tuple(rows)


def _parse_row(row: dict[str, str], number: int) -> OverlayDay:
    kind = row.get("kind")
    if kind not in ("work", "off"):
        raise CalendarError(reason=f"第 {number} 行：kind 只能是 work 或 off (line {number}: kind must be work or off)")
    try:
        day = date.fromisoformat(row.get("date") or "")
    except ValueError:
        raise CalendarError(reason=f"第 {number} 行：日期无效 (line {number}: bad date)") from None
    checked: Literal["work", "off"] = "work" if kind == "work" else "off"
    return OverlayDay(row.get("region") or "", day, checked, row.get("reason") or "", row.get("source") or "")


def load_hours(path: Path, region: str = XINJIANG) -> tuple[Season, ...]:
    """The office hours of a region from a CSV with the columns region, begins (MM-DD), sessions (`10:00-14:00 16:00-20:00`).

    Raises CalendarError for a bad row or a region without hours.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [(number, row) for number, row in enumerate(csv.DictReader(stream), 2) if row.get("region") == region]
    if not rows:
        raise CalendarError(reason=f"没有 {region} 的办公时间 (no office hours of the region)")
    return tuple(_season(row, number) for number, row in rows)


def _season(row: dict[str, str], number: int) -> Season:
    try:
        month, day = (int(part) for part in row["begins"].split("-"))
        sessions = tuple(_session(text) for text in row["sessions"].split())
    except (KeyError, ValueError):
        raise CalendarError(reason=f"第 {number} 行：办公时间无效 (line {number}: bad office hours)") from None
    times = [moment for session in sessions for moment in session]
    if not sessions or times != sorted(set(times)):
        raise CalendarError(reason=f"第 {number} 行：办公时间应先后有序 (line {number}: hours out of order)")
    return Season((month, day), sessions)


def _session(text: str) -> tuple[time, time]:
    opens, closes = text.split("-")
    return time.fromisoformat(opens), time.fromisoformat(closes)
