"""Counting the SQL statements that reach the databases, however they were sent: SQLite tells them itself, on PostgreSQL psycopg's cursors
and our own talk with it are watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
from sqlalchemy import event

from engine import Engine
from engine.store.wire import Rows, Speaker, Written


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements of this engine inside the block, as text, without BEGIN, COMMIT and what a statement does to other tables."""
    seen: list[str] = []
    if engine.runtime.database.dialect.name == "sqlite":
        with _traced(engine, seen):
            yield seen
    else:
        with _watched("execute", seen), _watched("executemany", seen), _overheard(seen):
            yield seen
    seen[:] = [text for text in seen if not text.startswith(("BEGIN", "COMMIT", "ROLLBACK", "--"))]


@contextmanager
def _traced(engine: Engine, seen: list[str]) -> Iterator[None]:
    traced: list[Any] = []

    def trace(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.set_trace_callback(seen.append)
        traced.append(connection)

    event.listen(engine.runtime.database, "checkout", trace)
    try:
        yield
    finally:
        event.remove(engine.runtime.database, "checkout", trace)
        for connection in traced:
            connection.set_trace_callback(None)


@contextmanager
def _watched(method: str, seen: list[str]) -> Iterator[None]:
    real = getattr(psycopg.Cursor, method)

    def watch(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(str(query))
        return real(cursor, query, *arguments, **options)

    with patch.object(psycopg.Cursor, method, watch):
        yield


@contextmanager
def _overheard(seen: list[str]) -> Iterator[None]:
    real = Speaker.ask

    def ask(speaker: Speaker, statements: Sequence[Written]) -> list[Rows]:
        seen.extend(statement.sql for statement in statements)
        return real(speaker, statements)

    with patch.object(Speaker, "ask", ask):
        yield
