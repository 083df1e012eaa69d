"""The only file that commits. One unit of work is one transaction; what must follow a commit (live caches, messages to other
instances, inline jobs, pages that watch) is collected in it and done after the commit, never before."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from engine import clock
from engine.runtime import Runtime, runtime_of
from engine.store.clock_row import CLOCK
from engine.store.prepared import Prepared, fetch, fetch_together
from engine.store.sending import send_and_commit

log = structlog.get_logger(__name__)

MAX_FOLLOWING = 1_000
"""Pieces of work that the thread of one command does after its commit; what is left then lies in rows that the sweep finds."""
_following, _reading = threading.local(), threading.local()
_glanced = ContextVar("glanced", default=False)


@contextmanager
def unit_of_work(runtime: Runtime, *, at_once: bool = False) -> Iterator[Session]:
    """A session whose changes are committed at the end; any error rolls all of it back and is passed on.

    Work that follows the commit runs in this thread, oldest first, each piece in a unit of work of its own. `at_once`: does not wait for
    this process's other commands where the database lets several write, for what must not be late (a sign of life).
    """
    forget_glance()
    gate = nullcontext() if at_once and runtime.turns is not None else runtime.writing
    with gate, _opened(runtime, runtime.database) as session:
        committed = False
        try:
            with clock.offset_read_by(lambda: _read_clock(session)):
                yield session
            session.flush()
            send_and_commit(session.outer)
            session.outer.commit()
            committed = True
            for key, version, instance in session.info["published"]:  # before the next command has its turn
                runtime.instances.put(key, version, instance)
        finally:
            session.info["leave_turn"]()
            if session.info["deployed"] and not committed:
                runtime.forget_definitions()  # keys of what was never deployed are given out again
    _after_commit(runtime, session.info)


@contextmanager
def reading(runtime: Runtime) -> Iterator[Session]:
    """A session for queries, which never waits for a writer; nothing is ever written.

    On PostgreSQL one that is opened inside another of the same thread shares its connection: threads that hold one and wait for a second
    could use up the pool and wait for each other.
    """
    with (
        _joined(runtime) or _opened(runtime, runtime.readers) as session,
        nullcontext() if _glanced.get() else clock.offset_read_by(lambda: _read_clock(session)),
    ):
        outer = getattr(_reading, "session", None)
        _reading.session = session
        try:
            yield session
        finally:
            _reading.session = outer


def _joined(runtime: Runtime) -> AbstractContextManager[_WorkSession] | None:
    """A session on the connection that this thread is reading with already."""
    outer: _WorkSession | None = getattr(_reading, "session", None)
    if outer is None or runtime.turns is None or outer.outer.engine is not runtime.readers or outer.outer.closed or outer.outer.invalidated:
        return None
    return closing(_WorkSession(outer.outer, runtime))


def glance(runtime: Runtime, query: Prepared, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of one query that needs no transaction, together with the business clock: for what every request asks first.

    The clock then holds for what is only read until `forget_glance` or the next unit of work, unless the calendar has to be read anew.
    """
    with runtime.glancing, runtime.readers.connect() as connection:
        rows, found = fetch_together(connection, [(query, values), (CLOCK, {})])
    seconds, calendar_version = found[0] if found else (0, 0)
    clock.set_offset(timedelta(seconds=seconds))
    _glanced.set(calendar_version == runtime.calendar_version)
    return rows


def forget_glance() -> None:
    """A request is over: the next one on this thread looks at the clock itself."""
    _glanced.set(False)


class _WorkSession(Session):
    """A session inside the transaction of one connection, which begins before it and ends after it (SQLAlchemy: "joining a session into an
    external transaction"). Commands that only use Core never begin the session's own transaction, which costs more than a statement."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        if not connection.in_transaction():
            connection.begin()
        self.outer = connection
        super().__init__(connection, expire_on_commit=False)
        self.info.update(
            runtime=runtime,
            after_commit=[],
            published=[],
            changed=set(),
            deployed=False,
            settle_clock=partial(_settle_clock, self),
            take_turn=partial(_take_turn, self),
            leave_turn=_nothing,
        )

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """The connection, without asking which one this session would use: it has only one. Inside a savepoint the session is asked,
        because it sets the savepoint when somebody first needs it."""
        return super().connection(*arguments, **options) if self.in_nested_transaction() else self.outer


def _nothing() -> None:
    return None


def _take_turn(session: Session, instance_key: int) -> None:
    """Wait for the other commands of this process on the instance; a unit of work only ever waits for one."""
    turns = runtime_of(session).turns
    if turns is not None and session.info["leave_turn"] is _nothing:
        session.info["leave_turn"] = turns.enter(instance_key)


@contextmanager
def _opened(runtime: Runtime, database: Database) -> Iterator[_WorkSession]:
    with database.connect() as connection:
        session = _WorkSession(connection, runtime)
        try:
            yield session
        finally:
            if session.in_transaction():
                session.close()


def _read_clock(session: Session) -> timedelta:
    rows = fetch(session.connection(), CLOCK, {})
    return _settle_clock(session, *(rows[0] if rows else (0, 0)))


def _settle_clock(session: Session, seconds: int, calendar_version: int) -> timedelta:
    """Take over what the row of the business clock says; a command that locks an instance reads it in the same query (store.reads)."""
    offset, runtime = timedelta(seconds=seconds), runtime_of(session)
    clock.set_offset(offset)
    if calendar_version != runtime.calendar_version and runtime.calendar_source is not None:
        runtime.calendar, runtime.calendar_version = runtime.calendar_source(session), calendar_version
    return offset


def _after_commit(runtime: Runtime, info: dict[Any, Any]) -> None:
    if info["changed"]:
        for listener in runtime.publish:
            listener(frozenset(info["changed"]))
    if info["after_commit"]:
        _follow(info["after_commit"])


def _follow(pieces: list[Callable[[], None]]) -> None:
    """Do the pieces, and in turn what follows the commits they make: a queue, because messages may answer each other for ever."""
    waiting: deque[Callable[[], None]] | None = getattr(_following, "pieces", None)
    if waiting is not None:
        waiting.extend(pieces)
        return
    _following.pieces = waiting = deque(pieces)
    try:
        for _ in range(MAX_FOLLOWING):
            if not waiting:
                return
            waiting.popleft()()
        log.warning("too much follows one commit; the rest is left to the sweep", left=len(waiting))
    finally:
        _following.pieces = None
