"""Alembic's entry: runs the migrations on the connection that engine.store.migrate hands over."""

from __future__ import annotations

from alembic import context

from engine.store.database import Base
from engine.store.migrate import is_ours

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=is_ours,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
