"""The only source of time: business time (wall time plus an offset that is kept in the database; it ticks) and wall time.

Business time decides every statutory question (when a case was accepted, whether a timer is due). Wall time is for sessions,
leases and jobs. The offset is read in the unit of work of each command and lives in a context variable, so one command sees one offset.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
Reader = Callable[[], timedelta]
_offset: ContextVar[timedelta | Reader] = ContextVar("business_clock_offset", default=timedelta(0))


def wall_now() -> datetime:
    """The machine's time, aware, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time, aware, in Asia/Shanghai (Xinjiang's offices work on Beijing time)."""
    return (wall_now() + offset()).astimezone(CHINA)


def set_offset(offset: timedelta) -> None:
    """Move business time for the current context; the unit of work calls it with the stored value."""
    _offset.set(offset)


@contextmanager
def offset_read_by(read: Reader) -> Iterator[None]:
    """Within the block the offset is what `read` gives: asked for once, on first use, at the latest at the block's end.

    A command whose first query brings the offset along gives it to `set_offset`; then `read` is never called. After an error before
    anybody asked, the offset is what it was before the block.
    """
    before = _offset.get()
    _offset.set(read)
    try:
        yield
        offset()
    finally:
        if callable(_offset.get()):
            _offset.set(before)


def offset() -> timedelta:
    """How far business time is ahead of wall time (negative: behind)."""
    value = _offset.get()
    if callable(value):
        value = value()
        _offset.set(value)
    return value


def offset_is_known() -> bool:
    """False while nobody has asked for the offset of the current transaction."""
    return not callable(_offset.get())


def monotonic() -> float:
    """Seconds for measuring durations and CPU limits; never a date."""
    return time.monotonic()


def cpu_seconds() -> float:
    """CPU seconds of this thread, for expression time limits."""
    return time.thread_time()
