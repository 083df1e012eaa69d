"""Bring an instance back to the definition it was migrated from, exactly as it was, if it has not moved on since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn.state import continue_numbering
from engine.commands.message_starts import carry_start_key
from engine.commands.plan_migration import DefinitionRef, definition_ref
from engine.commands.root_run import RootRun
from engine.errors import Conflict, NotFound
from engine.policy import Actor, require, require_watch
from engine.runtime import runtime_of
from engine.store import audit, history, reads, relocation
from engine.store import models as m
from engine.store.changes import InstanceRow

OVERTAKEN = "已撤销，或之后又有迁移"


def undo_migration(session: Session, actor: Actor, instance_key: int) -> None:
    """Undo the latest migration of the instance. Claims made since stay; tasks that the migration opened are closed.

    Raises NotFound (never migrated, or undone already), Conflict with the reason: the instance was worked on since, has ended, or the
    migration itself set something in motion, or another instance of the earlier process was started with its correlation key.
    """
    require(actor, "operate", "deploy")
    run = RootRun.locked(session, actor, instance_key, suspended_too=True)
    row = run.row(instance_key)
    migration = latest_migration(session, instance_key)
    if migration is None:
        raise NotFound(what="可以撤销的迁移", key=instance_key)
    reason = why_not_undoable(migration, row.version, row.definition_key)
    if reason:
        raise Conflict(reason=reason)
    kept = relocation.unpack(bytes(migration.backup))
    now = clock.now()
    (before,) = kept["process_instance"]
    carry_start_key(session, row, before["process_id"])
    history.record_undone(session, instance_key, migration.last_event, kept["variable"], row.version + 1, now, actor.username)
    relocation.bring_back(session, instance_key, kept, continue_numbering(before["header"], row.header), now)
    done = m.instance_migration.update().where(m.instance_migration.c.key == migration.key)
    session.execute(done.values(undone_at=now, undone_by=actor.username))
    _let_the_one_before_be_undone(session, instance_key, before["version"], row.version + 1)
    if before["next_due_at"] is not None:
        runtime_of(session).jobs.enqueue_at(session, "advance", instance_key, before["next_due_at"] - clock.offset())
    audit.record(
        session,
        actor,
        "instance.migration_undone",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={"migrationKey": str(migration.key), "fromKey": str(migration.target_key), "toKey": str(migration.source_key)},
    )


def _let_the_one_before_be_undone(session: Session, instance_key: int, version_then: int, version_now: int) -> None:
    """The instance is exactly what it was before this migration; if another migration had made that, it has not moved on since."""
    earlier = latest_migration(session, instance_key)
    if earlier is not None and earlier.version == version_then:
        session.execute(m.instance_migration.update().where(m.instance_migration.c.key == earlier.key).values(version=version_now))


def latest_migration(session: Session, instance_key: int) -> Row[Any] | None:
    """The newest migration of an instance that was not undone."""
    mig = m.instance_migration.c
    statement = select(m.instance_migration).where(mig.instance_key == instance_key, mig.undone_at.is_(None)).order_by(mig.key.desc())
    return session.execute(statement.limit(1)).first()


def why_not_undoable(migration: Row[Any], version: int, definition_key: int) -> str | None:
    """Why a migration cannot be undone (Chinese), given the version and definition the instance has now; None when it can."""
    if migration.not_undoable:
        return str(migration.not_undoable)
    if definition_key != migration.target_key or version != migration.version:
        return "迁移之后流程又有办理，不能撤销迁移"
    return None


@dataclass(frozen=True, slots=True)
class MigrationRecord:
    """One migration of an instance as people read it. `why_not`: why it cannot be undone now (Chinese), None when it can."""

    key: int
    source: DefinitionRef
    target: DefinitionRef
    mapping: dict[str, str | None]
    at: datetime
    by: str
    batch_key: int | None
    undone_at: datetime | None
    undone_by: str | None
    why_not: str | None


def list_migrations(session: Session, actor: Actor, instance_key: int) -> list[MigrationRecord]:
    """The migrations of an instance, the newest first; only the newest that was not undone may be undoable. Raises Forbidden, NotFound."""
    require_watch(actor)
    row = reads.instance_row(session, instance_key)
    mig = m.instance_migration.c
    found = session.execute(select(m.instance_migration).where(mig.instance_key == instance_key).order_by(mig.key.desc())).all()
    last = next((each.key for each in found if each.undone_at is None), None)
    return [_record(session, each, row, newest=each.key == last) for each in found]


def _record(session: Session, migration: Row[Any], row: InstanceRow, *, newest: bool) -> MigrationRecord:
    why_not = why_not_undoable(migration, row.version, row.definition_key) if newest else OVERTAKEN
    return MigrationRecord(
        key=migration.key,
        source=definition_ref(session, migration.source_key),
        target=definition_ref(session, migration.target_key),
        mapping={old: new for old, new in migration.mapping.items() if old != new},
        at=migration.at,
        by=migration.by,
        batch_key=migration.batch_key,
        undone_at=migration.undone_at,
        undone_by=migration.undone_by,
        why_not=why_not,
    )


@dataclass(frozen=True, slots=True)
class Undoable:
    """One instance that a batch migrated. `why_not`: why that cannot be undone now (Chinese), None when it can."""

    instance_key: int
    business_id: str | None
    why_not: str | None


def undoable_of_batch(session: Session, actor: Actor, batch_key: int) -> list[Undoable]:
    """The instances that a batch has migrated and whose migration still holds, in the order they were migrated. Raises Forbidden."""
    require_watch(actor)
    mig, instance = m.instance_migration.c, m.process_instance.c
    later = m.instance_migration.alias("later").c
    overtaken = exists().where(later.instance_key == mig.instance_key, later.key > mig.key, later.undone_at.is_(None))
    statement = (
        select(
            *(mig.instance_key, mig.not_undoable, mig.target_key, mig.version, overtaken.label("overtaken")),
            *(instance.business_id, instance.version.label("version_now"), instance.definition_key),
        )
        .join(m.process_instance, instance.key == mig.instance_key)
        .where(mig.batch_key == batch_key, mig.undone_at.is_(None))
        .order_by(mig.key)
    )
    return [Undoable(row.instance_key, row.business_id, _why_not_now(row)) for row in session.execute(statement)]


def _why_not_now(row: Row[Any]) -> str | None:
    return OVERTAKEN if row.overtaken else why_not_undoable(row, row.version_now, row.definition_key)
