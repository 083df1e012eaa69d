"""What is deployed: deployments with their files, the definitions in them, and what the newest of each waits for to start."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from engine.store.database import Base, BigKey, Instant

metadata = Base.metadata

deployment = Table(
    "deployment",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, default=""),
    Column("deployed_at", Instant, nullable=False),
    Column("deployed_by", String(100), nullable=False),
)

resource = Table(
    "resource",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("deployment_key", BigKey, ForeignKey("deployment.key"), nullable=False, index=True),
    Column("name", String(300), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

process_definition = Table(
    "process_definition",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("process_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_tag", String(100)),
    Column("name", String(300), nullable=False, default=""),
    Column("resource_name", String(300), nullable=False),
    Column("resource_key", BigKey, ForeignKey("resource.key"), nullable=False),
    Column("deployment_key", BigKey, ForeignKey("deployment.key"), nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("process_id", "version"),
)

decision_definition = Table(
    "decision_definition",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("decision_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_tag", String(100)),
    Column("name", String(300), nullable=False, default=""),
    Column("drg_id", String(200), nullable=False, default=""),
    Column("drg_name", String(300), nullable=False, default=""),
    Column("resource_name", String(300), nullable=False),
    Column("resource_key", BigKey, ForeignKey("resource.key"), nullable=False),
    Column("deployment_key", BigKey, ForeignKey("deployment.key"), nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("decision_id", "version"),
)

form_definition = Table(
    "form_definition",
    metadata,
    Column("key", BigKey, primary_key=True, autoincrement=True),
    Column("form_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_tag", String(100)),
    Column("resource_name", String(300), nullable=False),
    Column("deployment_key", BigKey, ForeignKey("deployment.key"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("form_id", "version"),
)

deployment_item = Table(
    "deployment_item",
    metadata,
    Column("deployment_key", BigKey, ForeignKey("deployment.key"), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("id", String(200), primary_key=True),
    Column("definition_key", BigKey, nullable=False),
)
"""What a deployment consists of, also where content was unchanged and an earlier version serves: `bindingType="deployment"` reads it."""

start_subscription = Table(
    "start_subscription",
    metadata,
    Column("definition_key", BigKey, ForeignKey("process_definition.key"), primary_key=True),
    Column("element_id", String(200), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(300), nullable=False),
    Index("ix_start_subscription_name", "kind", "name"),
)

start_timer = Table(
    "start_timer",
    metadata,
    Column("definition_key", BigKey, ForeignKey("process_definition.key"), primary_key=True),
    Column("element_id", String(200), primary_key=True),
    Column("due_at", Instant, nullable=False, index=True),
    Column("anchor", Instant, nullable=False),
    Column("cycle", String(300)),
    Column("done", Integer, nullable=False),
)
"""When the timer start events of the latest versions are due; see engine.bpmn.start_timers."""
