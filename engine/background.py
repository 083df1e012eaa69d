"""The threads of a process that runs jobs: the heartbeat with the watch over other processes, and the sweep with the hourly clean-up.

Nothing that goes wrong once may end a thread: it is logged and tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from engine import clock
from engine.commands.workers import Watch, clean_up
from engine.runtime import Runtime

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 15.0
HEARTBEAT_SECONDS = 5.0
DEAD_AFTER = timedelta(seconds=30)
CLEAN_UP_SECONDS = 3600.0


class Background:
    """Started and stopped by the engine; `sweep` is the engine's own."""

    def __init__(self, runtime: Runtime, sweep: Callable[[], None]) -> None:
        self._runtime, self._sweep = runtime, sweep
        self._watch = Watch(runtime, dead_after=DEAD_AFTER, alone=runtime.database.dialect.name == "sqlite")
        self._stop, self._wake = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._heartbeats, name="heartbeat", daemon=True),
            threading.Thread(target=self._sweeps, name="sweep", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when both threads have ended, or after half a minute."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def leave(self) -> None:
        """After `stop`, when no job is left running: nobody need take over from this process. A row that is wrongly left only costs the
        next process a look at it; one that is wrongly taken away would leave jobs to nobody."""
        if not any(thread.is_alive() for thread in self._threads):
            self._watch.leave()

    def _heartbeats(self) -> None:
        while True:
            attempt("heartbeat", self._heartbeat)
            if self._stop.wait(HEARTBEAT_SECONDS):
                return

    def _heartbeat(self) -> None:
        self._watch.beat()
        dead = self._watch.bury()
        if dead:
            log.warning("took over from processes that died", dead=dead)
            self._wake.set()

    def _sweeps(self) -> None:
        cleaned = clock.monotonic() - CLEAN_UP_SECONDS + SWEEP_SECONDS  # soon, but not while the process is starting
        while not self._stop.is_set():
            attempt("sweep", self._sweep)
            if clock.monotonic() - cleaned >= CLEAN_UP_SECONDS:
                attempt("clean-up", lambda: clean_up(self._runtime))
                cleaned = clock.monotonic()
            self._wake.wait(SWEEP_SECONDS)
            self._wake.clear()


def attempt(what: str, act: Callable[[], object]) -> None:
    """Do it; an error is logged: it concerns one piece of work and must not keep the others from theirs."""
    try:
        act()
    except Exception as error:  # a defect in one piece must not end the thread that does all of them
        log.exception("failed; it will be tried again", what=what, error=type(error).__name__)
