"""Where the engine meets the domain: one way to open it, for the web pages, the command line and whole-system tests."""

from __future__ import annotations

from functools import lru_cache

from engine import Engine, open_engine
from engine.settings import ROOT, Settings
from engine.workcalendar import WorkCalendar, load_overlay
from handlers.directory import service as directory
from handlers.registry import registry

OVERLAY = ROOT / "processes" / "catalogue" / "work_calendar.csv"


@lru_cache(maxsize=1)
def work_calendar() -> WorkCalendar:
    """Xinjiang's working days; read once."""
    return WorkCalendar(load_overlay(OVERLAY))


def open_lianban(settings: Settings | None = None) -> Engine:
    """The engine over `settings` (default: from the environment) with every handler, Xinjiang's calendar and the known groups."""
    return open_engine(settings or Settings.from_environment(), registry(), calendar=work_calendar(), known_groups=directory.known_groups)
