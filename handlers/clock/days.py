"""Every day of a case's clock with what it was: counted, a day off, paused, before acceptance. The sum of the counted days is `elapsed`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from engine.workcalendar import WorkCalendar
from handlers.clock.events import PauseKind
from handlers.clock.history import History, Pause, read_history
from handlers.clock.ledger import CaseClock

Kind = Literal["received", "waiting", "accepted", "counted", "off", "paused"]
MOST_DAYS = 800
"""A strip is for people; a clock that has run for longer shows its last days."""


@dataclass(frozen=True, slots=True)
class ClockDay:
    """One day. `number` counts the days of the limit, None for a day that does not count; `reason` says why it does not, `marks` what
    happened. `future`: a day behind today, as it will be if nothing changes."""

    day: date
    kind: Kind
    number: int | None
    reason: str
    marks: tuple[str, ...]
    future: bool


PAUSES: dict[PauseKind, str] = {"correction": "补正", "special": "特别程序"}


def explain_days(clock: CaseClock, today: date) -> list[ClockDay]:
    """The days from the receipt to today or the due date, whichever is later; a case that ended stops there."""
    history = read_history(clock.events)
    first = history.received or history.accepted
    if first is None:
        return []
    reading = clock.reading
    last = history.ended or max([today, *(day for day in (reading.due, reading.projected_due) if day is not None)])
    marks = _marks(history, clock)
    by_calendar = clock.limit is not None and clock.limit.unit == "cd"
    found: list[ClockDay] = []
    number, day = 0, first
    while day <= last:
        kind, reason = _kind(history, clock.calendar, day, today, by_calendar=by_calendar)
        if kind == "counted":
            number += 1
        found.append(ClockDay(day, kind, number if kind == "counted" else None, reason, tuple(marks.get(day, ())), day > today))
        day += timedelta(days=1)
    return found[-MOST_DAYS:]


def _kind(history: History, calendar: WorkCalendar, day: date, today: date, *, by_calendar: bool) -> tuple[Kind, str]:
    pause = _pause_on(history, day, today)
    if pause is not None:
        told = f"（{pause.document}）" if pause.document else ""
        return "paused", f"{pause.procedure or PAUSES[pause.kind]}{told}"
    if not calendar.is_workday(day) and not (by_calendar and history.accepted is not None and day > history.accepted):
        return "off", _day_off(calendar, day)
    if history.accepted is None or day < history.accepted:
        return ("received", "收件当日不计入") if day == history.received else ("waiting", "受理以前")
    if day == history.accepted:
        return "accepted", "受理当日不计入（民法典第二百零一条）"
    return "counted", ""


def _pause_on(history: History, day: date, today: date) -> Pause | None:
    """The pause that leaves a day out; an open one lasts until its planned end, at least until today."""
    for pause in history.pauses:
        until = pause.until or max(today, pause.planned or today)
        if pause.begin < day <= until:
            return pause
    return None


def _day_off(calendar: WorkCalendar, day: date) -> str:
    own = calendar.own_day(day)
    if own is not None:
        return own.reason
    return "周末" if day.weekday() > 4 else "法定节假日"


def _marks(history: History, clock: CaseClock) -> dict[date, list[str]]:
    """What happened on which day, and what is due."""
    found: dict[date, list[str]] = {}

    def mark(day: date | None, words: str) -> None:
        if day is not None:
            found.setdefault(day, []).append(words)

    mark(history.received, "收件")
    mark(history.accepted, "视为受理" if history.deemed else "受理")
    for pause in history.pauses:
        mark(pause.begin, f"{pause.procedure or PAUSES[pause.kind]}开始")
        mark(pause.until, f"{pause.procedure or PAUSES[pause.kind]}结束")
    if history.extension is not None:
        mark(history.extension.on, f"延期 {history.extension.days} 日")
    mark(history.decided, "决定")
    mark(history.closed, "终结")
    if history.ended is None:
        mark(clock.reading.yellow, "黄灯")
        mark(clock.reading.due, "到期")
        mark(clock.reading.projected_due if clock.reading.due is None else None, "预计到期")
    return found
