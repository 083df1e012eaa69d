"""What has happened and is kept: decisions made, who did what, how variables went, migrations; and batches with their items."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from engine.store.database import Base, BigKey, Instant, Json

metadata = Base.metadata

decision_evaluation = Table(
    "decision_evaluation",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("instance_key", BigKey, index=True),
    Column("root_key", BigKey),
    Column("business_id", String(100), index=True),
    Column("token_id", Integer),
    Column("element_id", String(200)),
    Column("decision_id", String(200), nullable=False),
    Column("decision_key", BigKey),
    Column("output", Json),
    Column("trace", Json, nullable=False),
    Column("at", Instant, nullable=False),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("business_at", Instant, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(60), nullable=False),
    Column("root_key", BigKey, index=True),
    Column("instance_key", BigKey),
    Column("element_id", String(200)),
    Column("task_key", BigKey),
    Column("business_id", String(100), index=True),
    Column("data", Json, nullable=False, default=dict),
)

variable_event = Table(
    "variable_event",
    metadata,
    Column("instance_key", BigKey, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("scope_id", Integer, primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("value", LargeBinary),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    sqlite_with_rowid=False,
)
"""The append-only history of variables: one row for each variable that a command changed. `version`: the instance's version that the
command made; `by`: who sent the command. A scope that ended with its variables is one row with an empty name and no value."""

instance_migration = Table(
    "instance_migration",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("source_key", BigKey, ForeignKey("process_definition.key"), nullable=False),
    Column("target_key", BigKey, ForeignKey("process_definition.key"), nullable=False),
    Column("mapping", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_event", BigKey, nullable=False),
    Column("backup", LargeBinary, nullable=False),
    Column("not_undoable", String(300)),
    Column("batch_key", BigKey, index=True),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", String(100)),
)
"""One instance moved to another definition. `version`: the instance's version afterwards (a later one means it has moved on); `last_event`:
the newest element event that speaks of the old ids; `mapping`: old element and flow ids -> new ones; `backup`: the rows as they were;
`not_undoable`: why not, if so."""

batch = Table(
    "batch",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("state", String(12), nullable=False, default="RUNNING", index=True),
    Column("parameters", Json, nullable=False, default=dict),
    Column("reason", String(500), nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("touched_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
"""One operation over many instances. `state`: RUNNING, PAUSED, CANCELLED or COMPLETED; `touched_at`: wall time of its latest progress."""

batch_item = Table(
    "batch_item",
    metadata,
    Column("batch_key", BigKey, ForeignKey("batch.key", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("state", String(10), nullable=False, default="PENDING"),
    Column("code", String(60)),
    Column("message", Text),
    Column("message_en", Text),
    Column("done_at", Instant),
    Index("ix_batch_item_state", "batch_key", "state", "position"),
)
"""One instance of a batch. `state`: PENDING, DONE, FAILED or SKIPPED; `code` and the messages say why it failed."""
