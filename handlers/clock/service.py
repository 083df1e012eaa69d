"""The statutory clock, from outside: the pure arithmetic, and the clock of a case with its events. The only import allowed from outside.

What needs the database is loaded on first use: `lianban clock due` computes without one, and without its libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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
from handlers.clock.reading import ClockReading, Light, State, Times, due_date, read_clock, yellow_from
from handlers.clock.rules import ExtensionRule, ItemLimits, Procedure, ProcedureUnknown, extension_of, limits_of, procedure, procedures

if TYPE_CHECKING:
    from handlers.clock.aggregate import held_days, project_budget
    from handlers.clock.days import ClockDay, View, counted_against, explain_days
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
    from handlers.clock.recompute import recompute_open_clocks

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

_LATER = {
    "aggregate": ("held_days", "project_budget"),
    "days": ("ClockDay", "View", "counted_against", "explain_days"),
    "ledger": (
        "CaseClock",
        "basis",
        "clock_of",
        "clocks_of",
        "events_of",
        "mark_overdue",
        "moved_by",
        "open_clock",
        "recompute",
        "record",
        "stale_cases",
        "stale_count",
        "variable",
    ),
    "light": ("case_light",),
    "recompute": ("recompute_open_clocks",),
}
"""Module of this folder -> what it gives."""
_MODULES = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"handlers.clock.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
