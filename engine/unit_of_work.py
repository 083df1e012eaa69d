"""The only file that commits. One unit of work is one transaction; what must follow a commit (live caches, messages to other
instances, inline jobs, pages that watch) is collected in it and done after the commit, never before."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.runtime import Runtime
from engine.store import models

log = structlog.get_logger(__name__)

MAX_FOLLOWING = 1_000
"""Pieces of work that the thread of one command does after its commit; what is left then lies in rows that the sweep finds."""
_following = threading.local()
_CLOCK = select(models.business_clock.c.offset_seconds, models.business_clock.c.calendar_version)


@contextmanager
def unit_of_work(runtime: Runtime) -> Iterator[Session]:
    """A session whose changes are committed at the end; any error rolls all of it back and is passed on.

    Work that follows the commit runs in this thread, oldest first, each piece in a unit of work of its own.
    """
    session = _open(runtime)
    try:
        yield session
        session.commit()
    finally:
        session.close()
    _after_commit(runtime, session.info)


@contextmanager
def reading(runtime: Runtime) -> Iterator[Session]:
    """A session for queries: a plain BEGIN, so that it never waits for a writer; nothing is ever committed."""
    session = _open(runtime, sqlite_begin="DEFERRED")
    try:
        yield session
    finally:
        session.close()


def _open(runtime: Runtime, sqlite_begin: str = "IMMEDIATE") -> Session:
    session = Session(runtime.database.execution_options(sqlite_begin=sqlite_begin), expire_on_commit=False)
    session.info.update(runtime=runtime, after_commit=[], published=[], changed=set())
    row = session.execute(_CLOCK).first()
    seconds, version = row or (0, 0)
    clock.set_offset(timedelta(seconds=seconds))
    if version != runtime.calendar_version and runtime.calendar_source is not None:
        runtime.calendar, runtime.calendar_version = runtime.calendar_source(session), version
    return session


def _after_commit(runtime: Runtime, info: dict[Any, Any]) -> None:
    for key, version, instance in info["published"]:
        runtime.instances.put(key, version, instance)
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
