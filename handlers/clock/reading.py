"""Reads a case's clock: elapsed, remaining, due, projected due while paused, the four times and the light, all from its events.

Rules (domain specification §3.1, §3.2): the day of acceptance does not count (民法典 201), statutory holidays do not count (许可法 82),
a pause excludes the days after its first up to and including its last (许可法 45), a calendar-day limit that ends on a day off ends on the
next working day (民法典 203).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil
from typing import Literal

from engine.workcalendar import WorkCalendar
from handlers.clock.events import (
    Accepted,
    ClockRefused,
    Event,
    Limit,
    Paused,
    PauseKind,
    Resumed,
)
from handlers.clock.history import History, read_history

Light = Literal["grey", "green", "yellow", "red", "blue"]
State = Literal["received", "running", "paused", "decided", "served", "ended"]
INTAKE_DAYS = 5
"""许可法 32(四): told at once or within five (working) days."""
SERVICE_DAYS = 10
"""许可法 44."""


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
    """What the clock shows on a day. Days are in the limit's unit (working days without a limit).

    `due` is None before acceptance, while paused (then `projected_due` assumes that the pause ends as planned) and without a limit;
    `yellow` is the first day of the yellow light; `provisional` when a due date lies in a year without an official notice. `silent` is the
    last day of the window's five days while they run (许可法 32), `serve_by` the last day for service while it is owed (许可法 44).
    """

    state: State
    accepted: date | None
    elapsed: int
    remaining: int | None
    due: date | None
    projected_due: date | None
    yellow: date | None
    provisional: bool
    light: Light
    times: Times
    paused: PauseKind | None
    silent: date | None
    serve_by: date | None


def read_clock(
    limit: Limit | None, events: Sequence[Event], calendar: WorkCalendar, today: date, *, statutory: bool = False
) -> ClockReading:
    """The clock on `today`. Raises ClockRefused when the events contradict each other or the law, naming the article.

    `statutory`: pauses that only the city's own count leaves out do count (§3.3). `limit` None: nothing is due, time is still measured.
    """
    history = read_history(events)
    if statutory:
        history = history.statutory()
    if limit is not None and history.accepted is not None:
        _check_extension(limit, history, calendar)
    return _read(limit, history, calendar, today)


def _read(limit: Limit | None, history: History, calendar: WorkCalendar, today: date) -> ClockReading:
    until = history.ended or today
    unit = limit or Limit(0)
    allowed = limit.days + (history.extension.days if history.extension else 0) if limit is not None else None
    elapsed = _elapsed(unit, history, calendar, until) if history.accepted is not None else 0
    due, projected, yellow = _dates(limit, allowed, history, calendar)
    shown = due or projected
    state = _state(history)
    return ClockReading(
        state=state,
        accepted=history.accepted,
        elapsed=elapsed,
        remaining=None if allowed is None else allowed - elapsed,
        due=due,
        projected_due=projected if due is None else None,
        yellow=yellow,
        provisional=shown is not None and calendar.provisional(shown),
        light=_light(state, allowed if history.accepted is not None else None, elapsed),
        times=_times(history, calendar, until),
        paused=history.open_pause.kind if history.open_pause is not None and history.ended is None else None,
        silent=_silent(history, calendar),
        serve_by=_serve_by(history, calendar),
    )


def _state(history: History) -> State:
    if history.closed is not None:
        return "ended"
    if history.decided is not None:
        return "served" if history.served is not None else "decided"
    if history.open_pause is not None:
        return "paused"
    return "received" if history.accepted is None else "running"


def _dates(
    limit: Limit | None, allowed: int | None, history: History, calendar: WorkCalendar
) -> tuple[date | None, date | None, date | None]:
    """(due, projected due, first yellow day); the projection is only another than `due` while paused."""
    planned = history.closed_as_planned()
    if limit is None or allowed is None or history.accepted is None or planned is None:
        return None, None, None
    projected = _due(limit, allowed, planned, calendar)
    if history.open_pause is not None:
        return None, projected, None
    begins = _reached(limit, max(allowed - yellow_from(allowed), 0), planned, calendar)
    return projected, projected, begins


def _silent(history: History, calendar: WorkCalendar) -> date | None:
    """The window must tell the applicant everything within five working days; the day of receipt does not count (许可法 32(四))."""
    waiting = history.accepted is None and history.ended is None and history.open_pause is None
    return calendar.add_workdays(history.basis, INTAKE_DAYS) if waiting and history.basis is not None else None


def _serve_by(history: History, calendar: WorkCalendar) -> date | None:
    owed = history.decided is not None and history.served is None
    return calendar.add_workdays(history.decided, SERVICE_DAYS) if owed and history.decided is not None else None


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
    """The extension comes before the limit has passed; a clock that stood still on that day cannot have run out then."""
    extension = history.extension
    if extension is None:
        return
    before = [pause for pause in history.pauses if pause.begin < extension.on]
    standing = bool(before) and (before[-1].until is None or before[-1].until >= extension.on)
    if standing:
        late = _elapsed(limit, history, calendar, extension.on) > limit.days
    else:
        late = extension.on > _due(limit, limit.days, replace(history, pauses=before), calendar)
    if late:
        raise ClockRefused(reason=f"{extension.on} 已超过期限，不能再延期", article="行政许可法第四十二条")


def _light(state: State, allowed: int | None, elapsed: int) -> Light:
    if allowed is None:
        return "grey"
    remaining = allowed - elapsed
    if remaining < 0:
        return "red"
    if state == "paused":
        return "blue"
    return "yellow" if state == "running" and remaining <= yellow_from(allowed) else "green"


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
    """The last day of the limit; calendar days that end on a day off end on the next working day (民法典 203)."""
    due = _reached(limit, allowed, history, calendar)
    return due if limit.unit == "wd" or calendar.is_workday(due) else calendar.add_workdays(due, 1)


def _reached(limit: Limit, days: int, history: History, calendar: WorkCalendar) -> date:
    """The first day on which `days` days have elapsed: count forward and step over the pauses in order."""
    day = history.accepted
    assert day is not None
    left = days
    for begin, end in history.excluded(day, date.max):
        here = _count(limit, calendar, day, begin)
        if here >= left:
            break
        left -= here
        day = end
    return calendar.add_workdays(day, left) if limit.unit == "wd" else day + timedelta(days=left)


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
