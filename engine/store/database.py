"""Opening the database: SQLite (WAL, BEGIN IMMEDIATE) for one machine, PostgreSQL to scale; the declarative base of all tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ExceptionContext,
    Integer,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase

from engine import clock
from engine.store import sending
from engine.store.prepared import run_text
from engine.store.text_hash import teach

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; SQLite only numbers `INTEGER` primary keys by itself."""
Json = JSON().with_variant(JSONB, "postgresql")

IDLE_SECONDS = 5.0
LOCK_SECONDS = 30
"""Whoever waits longer for another's lock gives up, as on SQLite: the other process may hang, and this one must not hang with it."""
DIGITS_OF_64_BITS = 19
_JSON_ONLY = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware instant. SQLite keeps no zone: values are stored there as naive UTC text and come back aware, as from PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """The whole way to the driver in one function: a step writes a dozen instants."""
        return _to_text if dialect.name == "sqlite" else _to_instant

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _from_text if dialect.name == "sqlite" else _to_instant


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime is no instant")
    return value.astimezone(UTC)


def _to_instant(value: datetime | None) -> datetime | None:
    return None if value is None else _utc(value)


@lru_cache(maxsize=64)
def _to_text(value: datetime | None) -> str | None:
    # a step writes the same instant into a dozen rows; equal instants of different zones are the same text
    return None if value is None else _utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def write_json(value: Any) -> str:
    """JSON text of a column. What orjson does not take (whole numbers above 64 bits) the standard library writes; neither takes a date."""
    try:
        return orjson.dumps(value, option=_JSON_ONLY).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False)


def read_json(text: str | bytes) -> Any:
    """The value of a JSON column. orjson makes a float of a whole number above 64 bits: it gets only what is too short for one."""
    return orjson.loads(text) if len(text) < DIGITS_OF_64_BITS else json.loads(text)


class Base(DeclarativeBase):
    """Base of every table, the engine's and the handlers'."""

    metadata = MetaData(naming_convention=NAMING)


_UTF8 = {"client_encoding": "utf8"}
_JSON: dict[str, Any] = {"json_serializer": write_json, "json_deserializer": read_json}


def open_database(url: str, *, pool_size: int = 10) -> Engine:
    """An SQLAlchemy engine for `url`. SQLite files: WAL, synchronous=FULL, foreign keys, BEGIN IMMEDIATE (a command that reads first
    and writes later then queues for the writer's lock instead of failing on the upgrade)."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _open_server(parsed, pool_size)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=pool_size, max_overflow=128, connect_args={"timeout": LOCK_SECONDS}, **_JSON)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    event.listen(engine, "handle_error", _name_overflow)
    return engine


def open_readers(database: Engine) -> Engine:
    """The same database for queries. SQLite: a plain BEGIN, so that lists never wait for writers. PostgreSQL: connections of their own,
    on which each query is its own transaction (it sees no less at READ COMMITTED, and nothing has to be begun or rolled back) and the
    server refuses to write."""
    if database.dialect.name == "sqlite":
        return database.execution_options(sqlite_begin="DEFERRED")
    readers = _open_server(database.url, database.pool.size(), isolation_level="AUTOCOMMIT")  # type: ignore[attr-defined]
    event.listen(readers, "connect", _refuse_to_write)
    event.listen(readers, "invalidate", lambda *_: database.dispose(close=False))  # the other connections are as old as the lost one
    event.listen(database, "invalidate", lambda *_: readers.dispose(close=False))
    return readers


def _open_server(url: URL, pool_size: int, **options: Any) -> Engine:
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size * 2, connect_args=_UTF8, **options, **_JSON)
    event.listen(engine, "connect", _bound_waiting)
    event.listen(engine, "checkin", _note_idle)
    event.listen(engine, "checkout", partial(_ping_after_idling, engine.dialect))
    sending.install(engine)
    return engine


def _bound_waiting(connection: Any, _record: Any) -> None:
    with connection.transaction():
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")


def _refuse_to_write(connection: Any, _record: Any) -> None:
    connection.execute("SET default_transaction_read_only = on")


def _note_idle(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = clock.monotonic()


def _ping_after_idling(dialect: Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """A restarted server, a firewall or a proxy may have closed a pooled connection that lay idle; a busy one is not asked each time."""
    if clock.monotonic() - record.info.get("idle_since", 0.0) < IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    teach(connection)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={LOCK_SECONDS * 1000}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _name_overflow(context: ExceptionContext) -> None:
    """A whole number beyond 64 bits is a value that the database refuses, as PostgreSQL says itself; the driver raises Python's error."""
    error = context.original_exception
    if isinstance(error, OverflowError):
        raise DataError(context.statement, None, error) from error


def _begin_immediate(connection: Connection) -> None:
    # readers ask for a plain BEGIN through the execution option, so that lists never wait for writers
    mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    run_text(connection, f"BEGIN {mode}")
