"""Bring an instance back to the definition it was migrated from, exactly as it was, if it has not moved on since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn.state import continue_numbering
from engine.commands.root_run import RootRun
from engine.errors import Conflict, NotFound
from engine.policy import Actor, require
from engine.runtime import runtime_of
from engine.store import audit, history, relocation
from engine.store import models as m


def undo_migration(session: Session, actor: Actor, instance_key: int) -> None:
    """Undo the latest migration of the instance. Claims made since stay; tasks that the migration opened are closed.

    Raises NotFound (never migrated, or undone already), Conflict with the reason: the instance was worked on since, has ended, or the
    migration itself set something in motion.
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
    history.record_undone(session, instance_key, migration.last_event, kept["variable"], row.version + 1, now, actor.username)
    relocation.bring_back(session, instance_key, kept, continue_numbering(before["header"], row.header), now)
    done = m.instance_migration.update().where(m.instance_migration.c.key == migration.key)
    session.execute(done.values(undone_at=now, undone_by=actor.username))
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
