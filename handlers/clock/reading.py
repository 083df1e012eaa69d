"""Reads a case's clock: elapsed, remaining, due, projected due while paused, the four times and the light, all from its events.

Rules (domain specification §3.1, §3.2): the day of acceptance does not count (民法典 201), statutory holidays do not count (许可法 82),
a pause excludes the days after its first up to and including its last (许可法 45), a calendar-day limit that ends on a day off ends on the
next working day (民法典 203).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Literal

from engine.workcalendar import WorkCalendar
from handlers.clock.events import Accepted, ClockRefused, Decided, Event, Extended, Limit, Paused, PauseKind, Received, Resumed
from handlers.clock.history import History, read_history

__all__ = [
    "Accepted",
    "ClockReading",
    "Decided",
    "Event",
    "Extended",
    "Light",
    "Limit",
    "Paused",
    "Received",
    "Resumed",
    "Times",
    "due_date",
    "read_clock",
]

Light = Literal["grey", "green", "yellow", "red", "blue"]


@dataclass(frozen=True, slots=True)
class Times:
    """The four times in working days (fields bjspys, bjkdys, bjbzys, bjtbcxys of the national exchange format).

    span = approval + correction + special + waiting, where waiting is the time between receipt and acceptance that was no correction.
    """

    approval: int
    span: int
    correction: int
    special: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the clock shows on a day. Days are in the limit's unit. `due` is None before acceptance and while paused (then
    `projected_due` assumes that the pause ends as planned); `provisional` when a due date lies in a year without an official notice."""

    accepted: date | None
    elapsed: int
    remaining: int
    due: date | None
    projected_due: date | None
    provisional: bool
    light: Light
    times: Times
    paused: PauseKind | None


def read_clock(limit: Limit, events: Sequence[Event], calendar: WorkCalendar, today: date) -> ClockReading:
    """The clock on `today`. Raises ClockRefused when the events contradict each other or the law, naming the article."""
    history = read_history(events)
    allowed = limit.days + (history.extension.days if history.extension else 0)
    until = history.decided or today
    times = _times(history, calendar, until)
    if history.accepted is None:
        return ClockReading(None, 0, allowed, None, None, False, "grey", times, None)
    _check_extension(limit, history, calendar)
    elapsed = _elapsed(limit, history, calendar, until)
    open_pause = history.pauses[-1] if history.pauses and history.pauses[-1].until is None else None
    planned = history.closed_as_planned()
    projected = _due(limit, allowed, planned, calendar) if planned is not None else None
    due = projected if open_pause is None else None
    shown = due or projected
    return ClockReading(
        accepted=history.accepted,
        elapsed=elapsed,
        remaining=allowed - elapsed,
        due=due,
        projected_due=projected if open_pause is not None else None,
        provisional=shown is not None and calendar.provisional(shown),
        light=_light(allowed, elapsed, open_pause is not None and history.decided is None),
        times=times,
        paused=open_pause.kind if open_pause is not None else None,
    )


def due_date(accepted: date, limit: Limit, calendar: WorkCalendar, pauses: Sequence[tuple[date, date]] = ()) -> tuple[date, bool]:
    """(due date, provisional) for an acceptance and closed pauses: the arithmetic without a case."""
    events: list[Event] = [Accepted(accepted)]
    for begin, end in sorted(pauses):
        events += [Paused(begin), Resumed(end)]
    due = _due(limit, limit.days, read_history(events), calendar)
    return due, calendar.provisional(due)


def yellow_from(limit_days: int) -> int:
    """The yellow light shows when this many days or fewer remain: 1, or a fifth of the limit (§3.2)."""
    return max(1, ceil(limit_days * 0.2))


def _check_extension(limit: Limit, history: History, calendar: WorkCalendar) -> None:
    extension = history.extension
    if extension is not None and _elapsed(limit, history, calendar, extension.on) > limit.days:
        raise ClockRefused(reason=f"{extension.on} 已超过期限，不能再延期", article="行政许可法第四十二条")


def _light(allowed: int, elapsed: int, paused: bool) -> Light:
    remaining = allowed - elapsed
    if remaining < 0:
        return "red"
    if paused:
        return "blue"
    return "yellow" if remaining <= yellow_from(allowed) else "green"


def _count(limit: Limit, calendar: WorkCalendar, after: date, until: date) -> int:
    if limit.unit == "cd":
        return max((until - after).days, 0)
    return calendar.count_workdays(after, until)


def _elapsed(limit: Limit, history: History, calendar: WorkCalendar, until: date) -> int:
    accepted = history.accepted
    assert accepted is not None
    counted = _count(limit, calendar, accepted, until)
    for begin, end in history.excluded(accepted, until):
        counted -= _count(limit, calendar, begin, end)
    return counted


def _due(limit: Limit, allowed: int, history: History, calendar: WorkCalendar) -> date:
    """The first day on which `allowed` days have elapsed: count forward and step over the pauses in order."""
    day = history.accepted
    assert day is not None
    left = allowed
    for begin, end in history.excluded(day, date.max):
        here = _count(limit, calendar, day, begin)
        if here >= left:
            break
        left -= here
        day = end
    if limit.unit == "wd":
        return calendar.add_workdays(day, left)
    due = day + timedelta(days=left)
    return due if calendar.is_workday(due) else calendar.add_workdays(due, 1)


def _times(history: History, calendar: WorkCalendar, until: date) -> Times:
    start = history.received or history.accepted
    if start is None:
        return Times(0, 0, 0, 0, 0)
    days = Limit(0, "wd")
    spent: dict[PauseKind, int] = {"correction": 0, "special": 0}
    for pause in history.pauses:
        end = min(pause.until or until, until)
        spent[pause.kind] += calendar.count_workdays(max(pause.begin, start), end)
    approval = _elapsed(days, history, calendar, until) if history.accepted is not None else 0
    span = calendar.count_workdays(start, until)
    return Times(approval, span, spent["correction"], spent["special"], span - approval - spent["correction"] - spent["special"])
