"""Runs jobs in the caller's thread right after its commit: for tests and one-shot commands. Delayed jobs are left to `Engine.run_due`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from engine.jobs.port import JobFunction


class InlineJobs:
    """The port without threads, processes or tables."""

    executor_id = "inline"

    def __init__(self) -> None:
        self._functions: dict[str, JobFunction] = {}

    def register(self, name: str, function: JobFunction) -> None:
        self._functions[name] = function

    def enqueue(self, session: Session, name: str, key: int, *, once: str = "") -> None:
        session.info["after_commit"].append(lambda: self._functions[name](key))

    def enqueue_at(self, session: Session, name: str, key: int, due: datetime) -> None:
        """Nothing to do: the row's `next_due_at` says it, and run_due reads it."""

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> bool:
        """Nothing to stop, and nothing is left: -> True."""
        return True

    def recover(self, dead: Iterable[str]) -> int:
        """Nothing is ever left behind: -> 0."""
        return 0

    def clean_up(self, older_than: timedelta) -> int:
        """Nothing is kept: -> 0."""
        return 0
