"""Every day of a case's clock with what it was: counted, a day off, paused, before acceptance. The sum of the counted days is `elapsed`.

There are three ways to count (domain §3.3, trap 6). promise 承诺口径: against the city's promise, without 补正 and every special procedure
of the city's list. statutory 法定口径: against the law's limit in its own unit, without what 行政许可法 32 and 45 name; a 公示 counts.
reform 改革口径: towards the city's hundred working days, whatever the item's unit; items of 并行推进 do not count at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from engine.workcalendar import WorkCalendar
from handlers.catalogue.service import catalogue
from handlers.clock.events import Limit, PauseKind
from handlers.clock.history import History, Pause, read_history
from handlers.clock.ledger import CaseClock
from handlers.clock.reading import ClockReading
from handlers.clock.rules import procedures

View = Literal["promise", "statutory", "reform"]
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


PARALLEL = "S5"
PARALLEL_REASON = "并行推进的事项不计入百个工作日"
PAUSES: dict[PauseKind, str] = {"correction": "补正", "special": "特别程序"}


def explain_days(clock: CaseClock, today: date, view: View = "promise") -> list[ClockDay]:
    """The days from the receipt to today or the due date, whichever is later; a case that ended stops there."""
    whole = read_history(clock.events)
    history = seen(whole, view)
    first = history.received or history.accepted
    if first is None:
        return []
    limit, reading = counted_against(clock, view)
    ends = (reading.due, reading.projected_due) if reading is not None else ()
    last = history.ended or max([today, *(day for day in ends if day is not None)])
    marks = _marks(whole, reading)
    by_calendar = limit is not None and limit.unit == "cd"
    beside = PARALLEL_REASON if view == "reform" and is_parallel(clock.item_code) else ""
    found: list[ClockDay] = []
    number, day = 0, first
    while day <= last:
        kind, reason = _kind(history, clock.calendar, day, today, by_calendar=by_calendar)
        if kind == "counted" and beside:
            kind, reason = "paused", beside
        if kind == "counted":
            number += 1
            reason = _goes_on(whole, day, today)
        found.append(ClockDay(day, kind, number if kind == "counted" else None, reason, tuple(marks.get(day, ())), day > today))
        day += timedelta(days=1)
    return found[-MOST_DAYS:]


def counted_against(clock: CaseClock, view: View) -> tuple[Limit | None, ClockReading | None]:
    """The limit and the reading that a way of counting shows; the hundred days have no limit of a single case."""
    if view == "reform":
        return None, None
    return (clock.statutory_limit, clock.statutory) if view == "statutory" else (clock.limit, clock.reading)


def seen(history: History, view: View) -> History:
    """The history as a way of counting sees it: without the pauses that do not stop it."""
    if view == "statutory":
        return history.statutory()
    if view == "reform":
        known = procedures()
        stops = [p for p in history.pauses if p.procedure not in known or known[p.procedure].reform]
        return replace(history, pauses=stops)
    return history


def is_parallel(item_code: str) -> bool:
    """Whether an item is one of 并行推进: beside the main line, outside the hundred days."""
    item = catalogue().items.get(item_code)
    return item is not None and item.stage == PARALLEL


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


def _goes_on(whole: History, day: date, today: date) -> str:
    """What went on during a day that counts in this view all the same."""
    pause = _pause_on(whole, day, today)
    return f"{pause.procedure or PAUSES[pause.kind]}期间照常计时" if pause is not None else ""


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


def _marks(history: History, reading: ClockReading | None) -> dict[date, list[str]]:
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
    if history.ended is None and reading is not None:
        mark(reading.yellow, "黄灯")
        mark(reading.due, "到期")
        mark(reading.projected_due if reading.due is None else None, "预计到期")
    return found
