"""Live pages over server-sent events: `/live` says which projects changed, the page then fetches its own fragments again.

Every commit of a command writes an audit event, in whichever process it runs. One thread per process looks once a second whether
there are new ones and wakes its listeners; it lives only while somebody listens. Browsers close the stream of a hidden tab.
A process that is to end closes its streams, or it would have to be killed: browsers then open them at the next one.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from engine import Engine, clock
from engine.policy import Actor
from engine.store.models import audit_event
from handlers.directory import service as directory
from handlers.projects import service as projects
from webapp import sessions
from webapp.context import actor, engine, user

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 20.0
MAX_LISTENERS = 96
"""Below gunicorn's 128 threads: a listener holds one, ordinary requests need the rest. Refused pages poll every 30 s instead."""
MAX_OF_ONE_PERSON = 12
MAX_CHANGES = 500

Inbox = queue.SimpleQueue[list[str] | None]
"""What a page is told: the business ids that changed; None ends its stream."""


class Hub:
    """The listeners of this process and the thread that watches the audit trail for them."""

    def __init__(self, engine: Engine, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        self._listeners: dict[Inbox, str] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self.is_ending: Callable[[], bool] = lambda: False
        """Whether the process is about to end; asked at every look."""

    def listen(self, username: str = "") -> Inbox | None:
        """A queue that receives lists of business ids that changed ("" stands for things outside a project).

        None when all places are taken, or this person's share of them: one person cannot take the live pages from everybody else; and
        when the process is about to end.
        """
        with self._lock:
            if (
                self.is_ending()
                or len(self._listeners) >= MAX_LISTENERS
                or list(self._listeners.values()).count(username) >= MAX_OF_ONE_PERSON
            ):
                return None
            inbox: Inbox = queue.SimpleQueue()
            self._listeners[inbox] = username
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, args=(self._latest(),), name="live", daemon=True)
                self._thread.start()
            return inbox

    def leave(self, inbox: Inbox) -> None:
        with self._lock:
            self._listeners.pop(inbox, None)

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
                if self.is_ending():
                    self._dismiss()
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

    def _dismiss(self) -> None:
        for inbox in self._listeners:
            inbox.put(None)
        self._listeners.clear()

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
    """The event stream of one page. 503 when this process or this person has no room for another: the page then polls."""
    if request.method == "HEAD":  # a look at the headers is no listener
        return Response(mimetype="text/event-stream")
    inbox = hub().listen(user().username)
    if inbox is None:
        return Response(status=503, headers={"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = Response(_events(hub(), inbox, _Reader(engine(), actor(), g.session_digest)), mimetype="text/event-stream", headers=headers)
    response.call_on_close(partial(hub().leave, inbox))  # also when the browser has gone before the first line was sent
    return response


class _Reader:
    """Whoever reads a stream: what they may hear of, and whether they are still logged in."""

    def __init__(self, opened: Engine, actor: Actor, digest: str) -> None:
        self._engine, self._actor, self._digest = opened, actor, digest
        self._checked = clock.monotonic()

    def is_gone(self) -> bool:
        """Whether the log-in has ended since (log-out, password change, disabled, idle); looked up once in a while."""
        if clock.monotonic() - self._checked < HEARTBEAT_SECONDS / 2:
            return False
        self._checked = clock.monotonic()
        with self._engine.reading() as session:
            return not sessions.is_live(session, self._digest, self._engine.settings)

    def may_hear(self, changed: list[str]) -> list[str]:
        """Applicants hear of their own projects only: even that something happens elsewhere is not theirs to know."""
        if directory.is_staff(self._actor):
            return changed
        with self._engine.reading() as session:
            return projects.visible_ids(session, self._actor, changed)


def _events(source: Hub, inbox: Inbox, reader: _Reader) -> Iterator[str]:
    try:
        yield "retry: 3000\n\n"
        while not reader.is_gone():
            told: list[str] | None = []
            with suppress(queue.Empty):
                told = inbox.get(timeout=HEARTBEAT_SECONDS)
            if told is None:
                return
            changed = reader.may_hear(told) if told else []
            # the comment line keeps proxies from closing an idle stream, and tells us that the browser has gone
            yield f"event: changed\ndata: {json.dumps(changed)}\n\n" if changed else ": alive\n\n"
    finally:
        source.leave(inbox)
