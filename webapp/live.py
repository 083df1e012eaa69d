"""Live pages over server-sent events: `/live` says which projects changed, the page then fetches its own fragments again.

Every commit of a command writes an audit event, in whichever process it runs. One thread per process looks once a second whether
there are new ones and wakes its listeners; it lives only while somebody listens. Browsers close the stream of a hidden tab.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress

import structlog
from flask import Flask, Response, current_app
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from engine import Engine
from engine.store.models import audit_event

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 20.0
MAX_LISTENERS = 96
"""Below gunicorn's 128 threads: a listener holds one, ordinary requests need the rest. Refused pages poll every 30 s instead."""
MAX_CHANGES = 500


class Hub:
    """The listeners of this process and the thread that watches the audit trail for them."""

    def __init__(self, engine: Engine, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        self._listeners: set[queue.SimpleQueue[list[str]]] = set()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def listen(self) -> queue.SimpleQueue[list[str]] | None:
        """A queue that receives lists of business ids that changed ("" stands for things outside a project); None when full."""
        with self._lock:
            if len(self._listeners) >= MAX_LISTENERS:
                return None
            inbox: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
            self._listeners.add(inbox)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, args=(self._latest(),), name="live", daemon=True)
                self._thread.start()
            return inbox

    def leave(self, inbox: queue.SimpleQueue[list[str]]) -> None:
        with self._lock:
            self._listeners.discard(inbox)

    def nudge(self) -> None:
        """Look now instead of at the next second: called in the process that has just committed."""
        self._wake.set()

    def close(self) -> None:
        """Forget every listener and wait until the watching thread has ended."""
        with self._lock:
            self._listeners.clear()
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join()

    def _watch(self, seen: int) -> None:
        while True:
            self._wake.wait(self._poll_seconds)
            self._wake.clear()
            with self._lock:
                if not self._listeners:
                    self._thread = None
                    return
            try:
                seen, changed = self._changes(seen)
            except SQLAlchemyError:
                log.warning("live pages cannot see the audit trail; trying again")
                continue
            if changed:
                with self._lock:
                    for inbox in self._listeners:
                        inbox.put(changed)

    def _latest(self) -> int:
        with self._engine.reading() as session:
            return session.scalar(select(func.max(audit_event.c.id))) or 0

    def _changes(self, seen: int) -> tuple[int, list[str]]:
        """The newest audit event and the projects touched after `seen`."""
        wanted = select(audit_event.c.id, audit_event.c.business_id).where(audit_event.c.id > seen)
        with self._engine.reading() as session:
            rows = session.execute(wanted.order_by(audit_event.c.id).limit(MAX_CHANGES)).all()
        if not rows:
            return seen, []
        return rows[-1].id, sorted({row.business_id or "" for row in rows})


def hub() -> Hub:
    """The hub of this application."""
    found = current_app.extensions["lianban.live"]
    assert isinstance(found, Hub)
    return found


def install(app: Flask) -> None:
    live = Hub(app.extensions["lianban"])
    app.extensions["lianban.live"] = live
    app.extensions["lianban"].on_change(lambda _ids: live.nudge())
    app.add_url_rule("/live", "live.stream", stream)


def stream() -> Response:
    """The event stream of one page. 503 when this process has no room: the page then polls."""
    inbox = hub().listen()
    if inbox is None:
        return Response(status=503, headers={"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(_events(hub(), inbox), mimetype="text/event-stream", headers=headers)


def _events(source: Hub, inbox: queue.SimpleQueue[list[str]]) -> Iterator[str]:
    try:
        yield "retry: 3000\n\n"
        while True:
            changed: list[str] | None = None
            with suppress(queue.Empty):
                changed = inbox.get(timeout=HEARTBEAT_SECONDS)
            # the comment line keeps proxies from closing an idle stream, and tells us that the browser has gone
            yield f"event: changed\ndata: {json.dumps(changed)}\n\n" if changed else ": alive\n\n"
    finally:
        source.leave(inbox)
