"""The engine's tables. Core tables: the hot path writes them with executemany; reads.py and changes.py hold all their SQL."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from engine.store.database import Base, BigKey, Instant, Json
from engine.store.deployed_tables import (
    decision_definition,
    deployment,
    deployment_item,
    form_definition,
    process_definition,
    resource,
    start_subscription,
    start_timer,
)
from engine.store.record_tables import audit_event, batch, batch_item, decision_evaluation, instance_migration, variable_event

__all__ = [
    "SHORT_VALUE",
    "TOKEN_BITS",
    "audit_event",
    "batch",
    "batch_item",
    "business_clock",
    "decision_definition",
    "decision_evaluation",
    "deferred_signal",
    "deployment",
    "deployment_item",
    "element_event",
    "element_key",
    "form_definition",
    "held_message",
    "incident",
    "instance_migration",
    "job",
    "job_worker",
    "message",
    "message_correlation",
    "message_subscription",
    "metadata",
    "process_definition",
    "process_instance",
    "resource",
    "signal_wait",
    "split_key",
    "start_subscription",
    "start_timer",
    "token",
    "user_task",
    "user_task_candidate",
    "user_task_draft",
    "variable",
    "variable_event",
]

metadata = Base.metadata

TOKEN_BITS = 24
"""An element instance key is `process instance key << TOKEN_BITS | token id`: unique without asking the database for a number."""


def element_key(instance_key: int, token_id: int) -> int:
    """The key of an element instance (user task, job host, ...)."""
    return instance_key << TOKEN_BITS | token_id


def split_key(key: int) -> tuple[int, int]:
    """(process instance key, token id) of an element instance key."""
    return key >> TOKEN_BITS, key & (1 << TOKEN_BITS) - 1


def _index_where_filled(table: str, column: str) -> Index:
    """An index without the rows where the column is empty: most rows, and each index is a page that every insert writes."""
    filled = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, sqlite_where=filled, postgresql_where=filled)


business_clock = Table(
    "business_clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("offset_seconds", Integer, nullable=False, default=0),
    Column("calendar_version", Integer, nullable=False, default=0),
)

process_instance = Table(
    "process_instance",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("root_key", BigKey, index=True),
    Column("parent_key", BigKey),
    Column("parent_token", Integer),
    Column("definition_key", BigKey, ForeignKey("process_definition.key"), nullable=False, index=True),
    Column("process_id", String(200), nullable=False, index=True),
    Column("business_id", String(100), index=True),
    Column("owner", String(100)),
    Column("state", String(12), nullable=False, default="ACTIVE"),
    Column("version", Integer, nullable=False, default=0),
    Column("header", LargeBinary, nullable=False, default=b""),
    Column("next_due_at", Instant),
    Column("incidents", Integer, nullable=False, default=0),
    Column("started_at", Instant, nullable=False),
    Column("started_by", String(100), nullable=False),
    Column("ended_at", Instant),
    Column("suspended_at", Instant),
    Column("start_key", String(300)),
    _index_where_filled("process_instance", "parent_key"),
    _index_where_filled("process_instance", "owner"),
    _index_where_filled("process_instance", "next_due_at"),
    Index(
        "ix_process_instance_start_key",
        "process_id",
        "start_key",
        unique=True,
        sqlite_where=text("start_key IS NOT NULL"),
        postgresql_where=text("start_key IS NOT NULL"),
    ),
)
"""`suspended_at`: on every instance under a suspended root, so that no list has to look at the root. `start_key`: the correlation key of
the message that started it, as long as it is active: at most one active instance of a process for each (Camunda 8)."""

token = Table(
    "token",
    metadata,
    Column("instance_key", BigKey, primary_key=True),
    Column("token_id", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

SHORT_VALUE = 64
"""Values of so many bytes (JSON) can be searched by an index; PostgreSQL has none for long ones."""
_short_value = text(f"scope_id = 0 AND length(value) <= {SHORT_VALUE}")

variable = Table(
    "variable",
    metadata,
    Column("instance_key", BigKey, primary_key=True),
    Column("scope_id", Integer, primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Index("ix_variable_value", "name", "value", sqlite_where=_short_value, postgresql_where=_short_value),
    sqlite_with_rowid=False,
)

element_event = Table(
    "element_event",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("instance_key", BigKey, nullable=False),
    Column("token_id", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("scope_id", Integer, nullable=False),
    Column("predecessor", Integer),
    Column("flow_id", String(200)),
    Column("into", Integer),
    Column("at", Instant, nullable=False),
    Index("ix_element_event_instance", "instance_key", "id"),
)

user_task = Table(
    "user_task",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=False),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("root_key", BigKey, nullable=False, index=True),
    Column("definition_key", BigKey, nullable=False),
    Column("process_id", String(200), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("name", String(300), nullable=False, default=""),
    Column("business_id", String(100), index=True),
    Column("owner", String(100)),
    Column("state", String(12), nullable=False, default="CREATED"),
    Column("assignee", String(100)),
    Column("candidate_groups", Json, nullable=False, default=list),
    Column("candidate_users", Json, nullable=False, default=list),
    Column("due_date", Instant),
    Column("follow_up_date", Instant),
    Column("priority", Integer, nullable=False, default=50),
    Column("form_key", BigKey),
    Column("form_id", String(200)),
    Column("external_form", String(300)),
    Column("properties", Json, nullable=False, default=dict),
    Column("created_at", Instant, nullable=False),
    Column("claimed_at", Instant),
    Column("completed_at", Instant),
    Column("completed_by", String(100)),
    Column("submission", Json),
    Index("ix_user_task_open", "state", "due_date"),
    _index_where_filled("user_task", "assignee"),
    _index_where_filled("user_task", "completed_by"),
)

user_task_candidate = Table(
    "user_task_candidate",
    metadata,
    Column("task_key", BigKey, ForeignKey("user_task.key", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(5), primary_key=True),
    Column("name", String(100), primary_key=True),
    Index("ix_user_task_candidate_name", "kind", "name", "task_key"),
    sqlite_with_rowid=False,
)

user_task_draft = Table(
    "user_task_draft",
    metadata,
    Column("task_key", BigKey, ForeignKey("user_task.key", ondelete="CASCADE"), primary_key=True),
    Column("username", String(100), primary_key=True),
    Column("data", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("root_key", BigKey, nullable=False),
    Column("token_id", Integer, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("type", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("listener_event", String(20)),
    Column("state", String(12), nullable=False, default="CREATED"),
    Column("retries", Integer, nullable=False),
    Column("priority", Integer, nullable=False, default=0, server_default="0"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("deaths", Integer, nullable=False, default=0),
    Column("headers", Json, nullable=False, default=dict),
    Column("variables", Json, nullable=False, default=dict),
    Column("worker", String(100)),
    Column("deadline", Instant),
    Column("not_before", Instant),
    Column("error_message", Text),
    Column("error_code", String(300)),
    Column("denied", Boolean),
    Column("denied_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant, index=True),
    Index("ix_job_activatable", "type", "state", "deadline"),
)
"""`deadline`, `not_before` and `ended_at` are wall time: leases, back-off and clean-up do not follow the business clock. `attempts`: how
often one of our workers began it; `deaths`: how often that worker never reported, because it died or lost the database.
`denied`: a task listener denied its transition."""

job_worker = Table(
    "job_worker",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
"""The processes that run jobs, in wall time. One that is not seen any more is dead: others take over what it had begun."""

message_subscription = Table(
    "message_subscription",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=False),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("root_key", BigKey, nullable=False),
    Column("process_id", String(200), nullable=False),
    Column("token_id", Integer, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("element_name", String(300), nullable=False, default=""),
    Column("message_name", String(300), nullable=False),
    Column("correlation_key", String(300), nullable=False),
    Column("business_id", String(100), index=True),
    Column("interrupting", Boolean, nullable=False, default=True),
    Column("properties", Json, nullable=False, default=dict),
    Column("created_at", Instant, nullable=False),
    Index("ix_message_subscription_name", "message_name", "correlation_key"),
)

signal_wait = Table(
    "signal_wait",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=False),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("root_key", BigKey, nullable=False),
    Column("token_id", Integer, nullable=False),
    Column("name", String(300), nullable=False, index=True),
)

message = Table(
    "message",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False, default="message"),
    Column("name", String(300), nullable=False),
    Column("correlation_key", String(300), nullable=False, default=""),
    Column("message_id", String(200)),
    Column("variables", Json, nullable=False, default=dict),
    Column("business_id", String(100)),
    Column("owner", String(100)),
    Column("published_by", String(100), nullable=False),
    Column("source_key", BigKey),
    Column("state", String(12), nullable=False, default="NEW", index=True),
    Column("published_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Index("ix_message_name", "name", "correlation_key", "state"),
    UniqueConstraint("name", "correlation_key", "message_id"),
)

message_correlation = Table(
    "message_correlation",
    metadata,
    Column("message_key", BigKey, ForeignKey("message.key", ondelete="CASCADE"), primary_key=True),
    Column("consumer", String(200), primary_key=True),
    Column("process_id", String(200), nullable=False),
    Column("root_key", BigKey, nullable=False),
    Column("instance_key", BigKey, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Who has taken a message or signal, so that a repeated delivery changes nothing. `consumer`: for a message the process id (at most one
instance of a process takes it), for a signal "instance <key>", or the process id that it started."""

held_message = Table(
    "held_message",
    metadata,
    Column("process_id", String(200), primary_key=True),
    Column("correlation_key", String(300), primary_key=True),
    Column("message_key", BigKey, ForeignKey("message.key", ondelete="CASCADE"), primary_key=True),
    Index("ix_held_message_message_key", "message_key"),
)
"""Messages that would start a process once the instance that another message with their correlation key started has ended."""

incident = Table(
    "incident",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("instance_key", BigKey, nullable=False, index=True),
    Column("root_key", BigKey, nullable=False),
    Column("token_id", Integer, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("message", Text, nullable=False),
    Column("details", Json, nullable=False, default=dict),
    Column("state", String(10), nullable=False, default="ACTIVE", index=True),
    Column("created_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("resolved_by", String(100)),
)

deferred_signal = Table(
    "deferred_signal",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("root_key", BigKey, nullable=False, index=True),
    Column("instance_key", BigKey, nullable=False),
    Column("name", String(300), nullable=False),
    Column("variables", Json, nullable=False, default=dict),
)
"""A signal that reached a suspended instance: it is delivered when the case is resumed."""
