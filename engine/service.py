"""The engine as one object of a process: database, job engine, caches, and the sweep that makes good what a crash cut off."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import clock, logs
from engine.background import Background, attempt
from engine.commands import work_jobs
from engine.commands.advance import advance
from engine.commands.batches import revive_stalled, run_batch
from engine.commands.builtin import registry as builtin_handlers
from engine.commands.deliver_message import deliver_message
from engine.commands.messages import undelivered
from engine.commands.run_job import run_job
from engine.commands.start_timers import due_starts, start_due
from engine.errors import LianbanError
from engine.jobs.inline import InlineJobs
from engine.jobs.port import JobPort
from engine.jobs.registry import HandlerRegistry
from engine.runtime import Runtime
from engine.settings import Settings
from engine.store import reads
from engine.store.database import Base, open_database
from engine.store.migrate import upgrade
from engine.unit_of_work import reading, unit_of_work

if TYPE_CHECKING:
    from engine.bpmn import ProcessModel
    from engine.findings import Finding
    from engine.workcalendar import WorkCalendar

log = structlog.get_logger(__name__)


class Engine:
    """Made by open_engine; thread-safe. `start` runs jobs and timers in this process, commands work without it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._background: Background | None = None
        runtime.jobs.register("advance", self._advance)
        runtime.jobs.register("run_job", lambda key: run_job(runtime, key))
        runtime.jobs.register("run_batch", lambda key: run_batch(runtime, key))

    @property
    def settings(self) -> Settings:
        return self.runtime.settings

    def unit_of_work(self) -> AbstractContextManager[Session]:
        """One transaction: committed at the end of the block, rolled back on any error."""
        return unit_of_work(self.runtime)

    def reading(self) -> AbstractContextManager[Session]:
        """A session for queries only."""
        return reading(self.runtime)

    def on_change(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Call `listener` with the business ids that changed, after each commit of this process."""
        self.runtime.publish.append(listener)

    # ------------------------------------------------------------------ schema
    def create_schema(self) -> None:
        """All tables at once, without migrations: for tests."""
        Base.metadata.create_all(self.runtime.database)

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        upgrade(self.runtime.database)

    def close(self) -> None:
        """Stop jobs and give back every connection."""
        self.stop()
        self.runtime.readers.dispose()
        self.runtime.database.dispose()

    # ------------------------------------------------------------------ jobs and timers
    def start(self) -> None:
        """Run jobs and, every few seconds, what is due or was left behind, by this process or by one that died."""
        self.runtime.jobs.start()
        self._background = Background(self.runtime, self.sweep)
        self._background.start()

    def stop(self) -> None:
        """Take no more jobs; what is running is given a few seconds, then it is left to whoever takes over."""
        if self._background is not None:
            background, self._background = self._background, None
            background.stop()
            attempt("stop of the job engine", partial(self._stop_jobs, background))

    def _stop_jobs(self, background: Background) -> None:
        if self.runtime.jobs.stop():
            background.leave()
        else:
            log.warning("stopped in the middle of jobs; the next process takes them over")

    def run_due(self, rounds: int = 10_000) -> int:
        """Fire every timer that is due now, one instance and transaction at a time -> timers fired. For tests, the demo and the sweep.

        An instance whose timers fail is left to its incident; `rounds` bounds cycles that are due again at once.
        """
        return self._run_due(rounds, self._advance)

    def _run_due(self, rounds: int, advance_one: Callable[[int], int]) -> int:
        fired = 0
        for _ in range(rounds):
            with reading(self.runtime) as session:
                due, starts = reads.due_instances(session, clock.now()), due_starts(session, clock.now())
            now_fired = sum(self._try_start(*start) for start in starts) + sum(advance_one(key) for key in due)
            fired += now_fired
            if not now_fired:
                return fired
        return fired

    def next_due(self) -> datetime | None:
        """When the next timer is due, in business time."""
        with reading(self.runtime) as session:
            return min(filter(None, (reads.next_due(session), reads.next_start(session))), default=None)

    def sweep(self) -> None:
        """What a crash or a lost job may have left: undelivered messages, due timers, expired leases of our own jobs.

        Any number of processes may sweep at once: what each finds is locked and looked at again before anything is done.
        """
        with reading(self.runtime) as session:
            left = undelivered(session)
            jobs = work_jobs.stalled(session, self.runtime.handlers.types())
        for key in left:
            attempt(f"message {key}", partial(deliver_message, self.runtime, key))
        if jobs:
            minute = str(int(clock.wall_now().timestamp() // 60))  # asked for once a minute at most, whatever the number of processes
            with unit_of_work(self.runtime) as session:
                for key in jobs:
                    self.runtime.jobs.enqueue(session, "run_job", key, once=minute)
        attempt("stalled batches", partial(revive_stalled, self.runtime))
        for piece in self.runtime.sweeps:
            attempt("sweep of the domain", piece)
        self._run_due(50, self._try_advance)

    def _try_start(self, definition_key: int, element_id: str) -> int:
        try:
            with unit_of_work(self.runtime) as session:
                return start_due(session, definition_key, element_id)
        except OperationalError:
            raise
        except Exception as error:  # a defect met by one process must not keep the others' timers from firing
            log.exception("timer start not made", definition=definition_key, element=element_id, error=type(error).__name__)
            return 0

    def _try_advance(self, key: int) -> int:
        try:
            return self._advance(key)
        except OperationalError:
            raise
        except Exception as error:  # a defect met by one instance must not keep the others' timers from firing
            log.exception("timer not fired", instance=key, error=type(error).__name__)
            return 0

    def _advance(self, key: int) -> int:
        try:
            with unit_of_work(self.runtime) as session:
                return advance(session, key)
        except LianbanError as error:
            log.warning("timer not fired", instance=key, reason=error.message("en"))
            return 0


def open_engine(
    settings: Settings,
    handlers: HandlerRegistry | None = None,
    *,
    calendar: WorkCalendar | None = None,
    calendar_source: Callable[[Session], WorkCalendar] | None = None,
    known_groups: Callable[[Session], frozenset[str] | None] | None = None,
    active_staff: Callable[[Session, frozenset[str]], frozenset[str]] | None = None,
    house_rules: Callable[[ProcessModel], list[Finding]] | None = None,
) -> Engine:
    """Open the database and put the engine together; starts no thread and touches no table.

    `handlers`: the domain's job types; `calendar`: working days for FEEL; `calendar_source` reads them from the
    database when they have changed there; `known_groups`: the groups a diagram may name;
    `active_staff`: those of some usernames who may be asked to act for an office;
    `house_rules`: what the domain demands of a diagram beyond sound BPMN.
    """
    logs.configure(as_json=settings.log_json)
    registry = HandlerRegistry()
    registry.include(builtin_handlers)
    if handlers is not None:
        registry.include(handlers)
    runtime = Runtime(settings, open_database(settings.database_url), registry, _jobs(settings), calendar=calendar)
    runtime.calendar_source = calendar_source
    if known_groups is not None:
        runtime.known_groups = known_groups
    if active_staff is not None:
        runtime.active_staff = active_staff
    if house_rules is not None:
        runtime.house_rules = house_rules
    return Engine(runtime)


def _jobs(settings: Settings) -> JobPort:
    if settings.jobs == "inline":
        return InlineJobs()
    from engine.jobs.dbos_adapter import DbosJobs  # imported only where it runs: it costs 400 ms and starts a logger

    return DbosJobs(settings.database_url)
