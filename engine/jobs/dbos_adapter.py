"""DBOS behind the port: durable jobs in our own database, enqueued inside our transactions, on SQLite and PostgreSQL alike.

Its traps and their remedies: inputs are stored as JSON, never pickled; the application version is pinned, so that jobs of an earlier
release are still taken; every process has its own executor id, and what a dead executor left is resumed by `recover`; ended jobs are
deleted by `clean_up`; DBOS gets the database's URL and a pool of its own, because our SQLite connections begin transactions in their own
way. DBOS is a process-wide singleton that starts threads: start it in the process that runs jobs, after any fork.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from engine import clock
from engine.jobs.port import JobFunction

APPLICATION_VERSION = "1"
QUEUE = "jobs"
WORKFLOW = "run_job"
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
CLEAN_UP_AT_ONCE = 500
STOP_SECONDS = 4
"""How long a stopping process waits for the jobs it is running; what is not ended then is taken over by another."""


class DbosJobs:
    """The port on DBOS. One instance a process: DBOS itself is a process-wide singleton."""

    def __init__(self, database_url: str, *, concurrency: int = 8, polling_seconds: float = 0.2) -> None:
        self._url = make_url(database_url).render_as_string(hide_password=False)
        self._functions: dict[str, JobFunction] = {}
        self._concurrency, self._polling = concurrency, polling_seconds
        self._client: DBOSClient | None = None
        self._opening = threading.Lock()
        self.executor_id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def register(self, name: str, function: JobFunction) -> None:
        self._functions[name] = function

    def enqueue(self, session: Session, name: str, key: int, *, once: str = "") -> None:
        self._enqueue(session, name, key, f"{name}:{key}:{once or uuid.uuid4().hex}", 0.0)

    def enqueue_at(self, session: Session, name: str, key: int, due: datetime) -> None:
        delay = max((due - clock.wall_now()).total_seconds(), 0.0)
        self._enqueue(session, name, key, f"{name}:{key}:{int(due.timestamp())}", delay)

    def _enqueue(self, session: Session, name: str, key: int, workflow_id: str, delay: float) -> None:
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": workflow_id,
            "app_version": APPLICATION_VERSION,
        }
        if delay > 0:
            options["delay_seconds"] = delay
        self._opened().enqueue_in_transaction(session, options, name, key)

    def _opened(self) -> DBOSClient:
        with self._opening:
            if self._client is None:
                self._client = DBOSClient(system_database_url=self._url, serializer=DBOSPortableJSONSerializer())
            return self._client

    def migrate(self) -> None:
        """Create DBOS's tables; before the first enqueue."""
        DBOS.migrate(self._url)

    def start(self) -> None:
        DBOS(config=self._config())

        def run(name: str, key: int) -> None:  # DBOS marks the function it wraps; a bound method cannot be marked
            self._functions[name](key)

        DBOS.workflow(name=WORKFLOW)(run)
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=self._concurrency, polling_interval_sec=self._polling, on_conflict="always_update")

    def stop(self) -> bool:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=STOP_SECONDS)
        try:
            return not self._opened().list_workflows(status="PENDING", executor_id=self.executor_id, load_input=False, load_output=False)
        finally:
            self._close_client()

    def _close_client(self) -> None:
        with self._opening:
            if self._client is not None:
                self._client.destroy()
                self._client = None

    def recover(self, dead: Iterable[str]) -> int:
        names = list(dead)
        if not names:
            return 0
        stuck = DBOS.list_workflows(status="PENDING", executor_id=names, load_input=False, load_output=False)
        if stuck:
            DBOS.resume_workflows([w.workflow_id for w in stuck], queue_name=QUEUE)
        return len(stuck)

    def clean_up(self, older_than: timedelta) -> int:
        before, removed = (clock.wall_now() - older_than).isoformat(), 0
        while old := DBOS.list_workflows(
            status=ENDED, completed_before=before, limit=CLEAN_UP_AT_ONCE, load_input=False, load_output=False
        ):
            DBOS.delete_workflows([w.workflow_id for w in old])
            removed += len(old)
        return removed

    def _config(self) -> DBOSConfig:
        return {
            "name": "lianban",
            "system_database_url": self._url,
            "application_version": APPLICATION_VERSION,
            "executor_id": self.executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
        }
