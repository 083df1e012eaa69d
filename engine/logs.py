"""The log: one line an event on stderr, for people or (LIANBAN_LOG_JSON) for machines.

Tracebacks are plain: they never show the values of variables, which hold what people have typed, and cost microseconds to write.
"""

from __future__ import annotations

import sys
from typing import Any

import structlog


def configure(*, as_json: bool) -> None:
    """Set the format for this process; a second call changes it."""
    timestamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[Any] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, timestamp]
    if as_json:
        rendering: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        colours = sys.stderr.isatty()
        rendering = [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(processors=shared + rendering, logger_factory=_to_stderr)


def _to_stderr(*_: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)  # looked up each time: tests and gunicorn replace it
