"""The statutory clock, from outside: the pure arithmetic, and the clock of a case with its events. The only import allowed from outside."""

from __future__ import annotations

from handlers.clock.aggregate import held_days, project_budget
from handlers.clock.days import ClockDay, View, counted_against, explain_days
from handlers.clock.events import (
    Accepted,
    ClockRefused,
    Closed,
    Decided,
    Event,
    Extended,
    Limit,
    Paused,
    Received,
    Resumed,
    Served,
)
from handlers.clock.ledger import (
    CaseClock,
    basis,
    clock_of,
    clocks_of,
    events_of,
    mark_overdue,
    moved_by,
    open_clock,
    recompute,
    record,
    stale_cases,
    stale_count,
    variable,
)
from handlers.clock.light import case_light
from handlers.clock.reading import ClockReading, Light, State, Times, due_date, read_clock, yellow_from
from handlers.clock.recompute import recompute_open_clocks
from handlers.clock.rules import ExtensionRule, ItemLimits, Procedure, ProcedureUnknown, extension_of, limits_of, procedure, procedures

__all__ = [
    "Accepted",
    "CaseClock",
    "ClockDay",
    "ClockReading",
    "ClockRefused",
    "Closed",
    "Decided",
    "Event",
    "Extended",
    "ExtensionRule",
    "ItemLimits",
    "Light",
    "Limit",
    "Paused",
    "Procedure",
    "ProcedureUnknown",
    "Received",
    "Resumed",
    "Served",
    "State",
    "Times",
    "View",
    "basis",
    "case_light",
    "clock_of",
    "clocks_of",
    "counted_against",
    "due_date",
    "events_of",
    "explain_days",
    "extension_of",
    "held_days",
    "limits_of",
    "mark_overdue",
    "moved_by",
    "open_clock",
    "procedure",
    "procedures",
    "project_budget",
    "read_clock",
    "recompute",
    "recompute_open_clocks",
    "record",
    "stale_cases",
    "stale_count",
    "variable",
    "yellow_from",
]
