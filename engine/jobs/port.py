"""The job engine's port: seven functions. Jobs are hints; the rows (`next_due_at`, job, message) are the truth, and a sweep reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

JobFunction = Callable[[int], object]


class JobPort(Protocol):
    """Runs named functions with one integer argument (a key), after the transaction that asked for it, at least once."""

    executor_id: str
    """Names this process among those that run jobs; no other process ever has the same."""

    def register(self, name: str, function: JobFunction) -> None:
        """Before start(): `name` runs `function(key)`."""
        ...

    def enqueue(self, session: Session, name: str, key: int, *, once: str = "") -> None:
        """Run soon, if and only if the session's transaction commits. With `once` the same (name, key, once) is taken one time only."""
        ...

    def enqueue_at(self, session: Session, name: str, key: int, due: datetime) -> None:
        """Run at wall time `due` (aware), if and only if the session's transaction commits; the same (name, key, due) runs once."""
        ...

    def start(self) -> None:
        """Begin to run jobs in this process."""
        ...

    def stop(self) -> bool:
        """Stop taking jobs; returns when the running ones ended, or after a few seconds -> whether nothing is left that only `recover`
        would bring back."""
        ...

    def recover(self, dead: Iterable[str]) -> int:
        """Put back into the queue what executors that no longer live had begun -> how many jobs."""
        ...

    def clean_up(self, older_than: timedelta) -> int:
        """Forget jobs that ended that long ago -> how many."""
        ...
