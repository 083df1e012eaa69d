"""The only source of time: business time (wall time plus an offset that is kept in the database; it ticks) and wall time.

Business time decides every statutory question (when a case was accepted, whether a timer is due). Wall time is for sessions,
leases and jobs. The offset is loaded by the unit of work of each command and lives in a context variable, so one command sees one offset.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
_offset: ContextVar[timedelta] = ContextVar("business_clock_offset", default=timedelta(0))


def wall_now() -> datetime:
    """The machine's time, aware, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time, aware, in Asia/Shanghai (Xinjiang's offices work on Beijing time)."""
    return (wall_now() + _offset.get()).astimezone(CHINA)


def set_offset(offset: timedelta) -> None:
    """Move business time for the current context; the unit of work calls it with the stored value."""
    _offset.set(offset)


def offset() -> timedelta:
    """How far business time is ahead of wall time (negative: behind)."""
    return _offset.get()


def monotonic() -> float:
    """Seconds for measuring durations and CPU limits; never a date."""
    return time.monotonic()


def cpu_seconds() -> float:
    """CPU seconds of this thread, for expression time limits."""
    return time.thread_time()
