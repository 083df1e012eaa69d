"""Alembic's entry: runs the migrations on the connection that engine.store.migrate hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger

from engine.store.database import Base, Instant
from engine.store.migrate import is_ours


def render(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Our column types by their names; everything else as Alembic writes it."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "database.Instant()"
    if isinstance(item, JSON):
        return "database.Json"
    return "database.BigKey" if isinstance(item, BigInteger) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=is_ours,
    render_item=render,
    render_as_batch=True,  # SQLite alters a table by copying it
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
