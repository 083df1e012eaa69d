"""Small writes that both databases know under different names: insert or update, insert and learn the key."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], keys: tuple[str, ...], values: tuple[str, ...]) -> None:
    """INSERT ... ON CONFLICT (keys) DO UPDATE for all rows; both databases know the clause."""
    connection.execute(_upsert_statement(connection.dialect.name, table, keys, values), rows)


@cache
def _upsert_statement(dialect: str, table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> Insert:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    upserting: Insert = statement.on_conflict_do_update(index_elements=keys, set_={v: statement.excluded[v] for v in values})
    return upserting


def upserting(table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> Callable[[str], Insert]:
    """The same as a statement to be prepared: dialect -> statement."""
    return lambda dialect: _upsert_statement(dialect, table, keys, values)


def insert_row(session: Session, table: Table, values: dict[str, Any]) -> int:
    """Insert one row -> the key the database gave it."""
    return int(session.execute(table.insert().values(values).returning(table.c.key)).scalar_one())
