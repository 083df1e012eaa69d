"""Where the engine meets the domain: one way to open it, for the web pages, the command line and whole-system tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from engine import Engine, clock, open_engine
from engine.clock import CHINA
from engine.settings import Settings
from engine.workcalendar import WorkCalendar
from handlers.attachments import service as attachments
from handlers.calendar import service as calendars
from handlers.catalogue.service import catalogue_calendar
from handlers.clock import service as clocks
from handlers.diagram_rules import service as diagram_rules
from handlers.directory import service as directory
from handlers.licences import service as licences
from handlers.registry import registry


def work_calendar() -> WorkCalendar:
    """Xinjiang's working days and office hours as they come with the program: for what opens no database."""
    return catalogue_calendar()


def open_lianban(settings: Settings | None = None, *, printing: bool | None = None) -> Engine:
    """The engine over `settings` (default: from the environment) with every handler, Xinjiang's calendar and the known groups.

    `printing`: whether documents are printed in this process; by default where the job engine runs. One-shot commands and tests (inline
    jobs) would wait for every PDF, so they leave them to the server.
    """
    settings = settings or Settings.from_environment()
    engine = open_engine(
        settings,
        registry(printing=settings.jobs != "inline" if printing is None else printing),
        calendar=work_calendar(),
        calendar_source=calendars.effective_calendar,
        known_groups=directory.known_groups,
        active_staff=directory.active_staff,
        house_rules=diagram_rules.check,
    )
    engine.runtime.sweeps.append(lambda: clocks.recompute_open_clocks(engine))
    engine.runtime.sweeps.append(lambda: calendars.follow_notices(engine))
    engine.runtime.sweeps.append(_Reminders(engine))
    engine.runtime.sweeps.append(_Hourly(lambda: attachments.sweep(engine)))
    return engine


class _Hourly:
    """A piece of the sweep that is done once an hour in this process."""

    def __init__(self, piece: Callable[[], object]) -> None:
        self._piece, self._next = piece, 0.0

    def __call__(self) -> None:
        if clock.monotonic() >= self._next:
            self._next = clock.monotonic() + 3600
            self._piece()


class _Reminders:
    """Tells holders whose licences will end soon, once a business day in this process; the rows know who was told already."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._looked_on = engine, date.min

    def __call__(self) -> None:
        with self._engine.reading() as session:
            now = clock.now()
            today = now.astimezone(CHINA).date()
            if today == self._looked_on:
                return
            wanted = licences.any_to_remind(session, now)
        if wanted:
            with self._engine.unit_of_work() as session:
                licences.remind_all(session, now)
        self._looked_on = today
