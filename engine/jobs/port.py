"""The job engine's port: six functions. Jobs are hints; the rows (`next_due_at`, job, message) are the truth, and a sweep re-reads them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

JobFunction = Callable[[int], object]


class JobPort(Protocol):
    """Runs named functions with one integer argument (a key), after the transaction that asked for it, at least once."""

    def register(self, name: str, function: JobFunction) -> None:
        """Before start(): `name` runs `function(key)`."""
        ...

    def enqueue(self, session: Session, name: str, key: int) -> None:
        """Run soon, if and only if the session's transaction commits."""
        ...

    def enqueue_at(self, session: Session, name: str, key: int, due: datetime) -> None:
        """Run at wall time `due` (aware), if and only if the session's transaction commits; the same (name, key, due) runs once."""
        ...

    def start(self) -> None:
        """Begin to run jobs in this process."""
        ...

    def stop(self) -> None:
        """Stop taking jobs; returns when the running ones ended or were handed back."""
        ...

    def recover(self) -> int:
        """Take over jobs of workers that died; how many."""
        ...
