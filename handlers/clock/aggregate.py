"""Clocks over several cases: the working days on which the offices held a stage or a project, each day once (domain §3.3).

A day counts when at least one case was running on it: after its acceptance, not after its end, in no pause. What the applicant or a special
procedure held (补正, 特别程序) is left out, unless another case was running meanwhile: the pause of one branch pauses no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from engine.workcalendar import WorkCalendar
from handlers.catalogue.service import read_table
from handlers.clock.history import History, read_history
from handlers.clock.ledger import CaseClock

Span = tuple[date, date]
"""Days after the first up to and including the second."""


def held_days(clocks: Iterable[CaseClock], calendar: WorkCalendar, today: date) -> int:
    """The working days on which at least one of the cases was running, until today."""
    return sum(calendar.count_workdays(begin, end) for begin, end in union(span for clock in clocks for span in spans(clock, today)))


def spans(clock: CaseClock, today: date) -> list[Span]:
    """When a case was running: from its acceptance to its end or today, without its pauses."""
    history: History = read_history(clock.events)
    begin, end = history.accepted, min(history.ended or today, today)
    if begin is None:
        return []
    found: list[Span] = []
    for pause_begin, pause_end in history.excluded(begin, end):
        if pause_begin > begin:
            found.append((begin, pause_begin))
        begin = max(begin, pause_end)
    return [*found, (begin, end)] if end > begin else found


def union(found: Iterable[Span]) -> list[Span]:
    """The same days without overlaps, in order."""
    merged: list[Span] = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif end > begin:
            merged.append((begin, end))
    return merged


@lru_cache(maxsize=1)
def project_budget() -> int:
    """The working days that a whole project may take (processes/catalogue/budgets.csv): 100 by the city's plan."""
    return next(int(row["days"]) for row in read_table("budgets") if row["scope"] == "project")
