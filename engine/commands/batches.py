"""Batches: one operation over many instances, each in a transaction of its own, with progress that survives a crash.

The rows are the truth: an item is DONE in the same transaction as its operation, so it is done exactly once; the job "run_batch" and the
sweep are hints. Two workers on one batch take different items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn.migration import Instructions
from engine.commands.cancel_instance import cancel_instance
from engine.commands.migrate_instance import migrate_instance
from engine.commands.modify_instance import modify_instance, read_modification
from engine.commands.reasons import required_reason
from engine.commands.resolve_incident import resolve_incident
from engine.commands.resume_instance import resume_instance
from engine.commands.suspend_instance import suspend_instance
from engine.commands.undo_migration import undo_migration
from engine.errors import Conflict, Invalid, LianbanError, NotFound
from engine.policy import SYSTEM, Actor, Power, require, require_watch
from engine.runtime import Runtime, runtime_of
from engine.store import audit, reads
from engine.store import batches as rows
from engine.store import models as m
from engine.store.batches import BatchProgress
from engine.unit_of_work import reading, unit_of_work

log = structlog.get_logger(__name__)

MAX_ITEMS = 10_000
MAX_REASON = 500
SLICE = 200
"""Items one job does before it makes room for others."""
QUIET = timedelta(seconds=60)
"""Wall time without progress after which the sweep takes a batch up again."""

Parameters = dict[str, Any]
Operation = Callable[[Session, Actor, int, Parameters, str, int], None]
"""(session, actor, instance key, parameters, reason, batch key): one item in the open transaction."""


def _migrate(session: Session, actor: Actor, key: int, parameters: Parameters, _reason: str, batch_key: int) -> None:
    migrate_instance(
        session,
        actor,
        key,
        int(parameters["targetKey"]),
        instructions_of(parameters),
        source_key=int(parameters["sourceKey"]),
        batch_key=batch_key,
    )


def _undo(session: Session, actor: Actor, key: int, _parameters: Parameters, _reason: str, _batch: int) -> None:
    undo_migration(session, actor, key)


def _cancel(session: Session, actor: Actor, key: int, _parameters: Parameters, reason: str, _batch: int) -> None:
    cancel_instance(session, actor, key, reason)


def _retry(session: Session, actor: Actor, key: int, _parameters: Parameters, _reason: str, _batch: int) -> None:
    found = [incident.key for incident in reads.incidents_of_instance(session, key)]
    if not found:
        raise Conflict(reason="这个流程没有待处理的异常")
    for incident in found:
        resolve_incident(session, actor, incident)


def _modify(session: Session, actor: Actor, key: int, parameters: Parameters, reason: str, _batch: int) -> None:
    modify_instance(session, actor, key, read_modification(key, parameters), reason=reason)


def _suspend(session: Session, actor: Actor, key: int, _parameters: Parameters, reason: str, _batch: int) -> None:
    suspend_instance(session, actor, key, reason)


def _resume(session: Session, actor: Actor, key: int, _parameters: Parameters, reason: str, _batch: int) -> None:
    resume_instance(session, actor, key, reason)


OPERATIONS: dict[str, Operation] = {
    "migrate": _migrate,
    "undo_migration": _undo,
    "cancel": _cancel,
    "retry_incidents": _retry,
    "modify": _modify,
    "suspend": _suspend,
    "resume": _resume,
}
_POWERS: dict[str, tuple[Power, ...]] = dict.fromkeys(("migrate", "undo_migration", "modify"), ("operate", "deploy"))
"""Analysts, too, may do what changes where instances stand; everything else is the operators'."""
_REQUIRED: dict[str, tuple[str, ...]] = {"migrate": ("sourceKey", "targetKey")}


def instructions_of(parameters: Parameters) -> Instructions:
    """The migration instructions in a batch's parameters."""
    return Instructions(
        mapping=parameters.get("mapping") or {},
        branches=tuple(parameters.get("branches") or ()),
        refresh_tasks=bool(parameters.get("refreshTasks")),
        refresh_waits=bool(parameters.get("refreshWaits")),
    )


# ---------------------------------------------------------------------- commands
def create_batch(
    session: Session,
    actor: Actor,
    kind: str,
    instance_keys: Iterable[int],
    parameters: Parameters | None = None,
    reason: str = "",
    *,
    request: str = "",
) -> int:
    """Begin an operation over these instances (each once, in this order) -> the batch's key. It runs after the commit.

    Kinds and parameters: migrate {sourceKey, targetKey, mapping, branches, refreshTasks, refreshWaits}; undo_migration, cancel,
    retry_incidents, suspend and resume {}; modify {activateInstructions, moveInstructions, terminateInstructions} as in Camunda 8, by
    element ids. `request`: a digest by which `batch_of_request` finds the batch again.
    Raises Forbidden, Invalid (unknown kind, nothing or more than 10,000 instances, no reason, a long one), NotFound (an unknown instance).
    """
    if kind not in OPERATIONS:
        raise Invalid(reason=f"未知的批处理类型“{kind}”")
    require(actor, *_POWERS.get(kind, ("operate",)))
    parameters, keys = dict(parameters or {}), list(dict.fromkeys(instance_keys))
    missing = [name for name in _REQUIRED.get(kind, ()) if name not in parameters]
    if missing:
        raise Invalid(reason=f"缺少参数：{'、'.join(missing)}")
    if not 1 <= len(keys) <= MAX_ITEMS:
        raise Invalid(reason=f"批处理需要 1 到 {MAX_ITEMS} 个流程实例，给出了 {len(keys)} 个")
    said = required_reason(reason, "批处理", MAX_REASON)
    _check_exist(session, keys)
    stored = parameters | ({rows.REQUEST: request} if request else {})
    key = rows.insert(session, kind, stored, said, keys, actor.username, clock.now(), clock.wall_now())
    data = {"batchKey": str(key), "kind": kind, "instances": len(keys), "reason": said}
    audit.record(session, actor, "batch.created", data=data)
    runtime_of(session).jobs.enqueue(session, "run_batch", key)
    return key


def batch_of_request(session: Session, actor: Actor, request: str) -> int | None:
    """The batch that this person began with the very same request ("": none); to be asked in turn, or two at once both find none."""
    return rows.of_request(session, actor.username, request) if request else None


def _check_exist(session: Session, keys: list[int]) -> None:
    known: set[int] = set()
    for first in range(0, len(keys), 500):
        some = keys[first : first + 500]
        known |= set(session.scalars(select(m.process_instance.c.key).where(m.process_instance.c.key.in_(some))))
    for key in keys:
        if key not in known:
            raise NotFound(what="流程实例", key=key)


def pause_batch(session: Session, actor: Actor, key: int) -> None:
    """Stop before the next item. Conflict unless it is running."""
    _change(session, actor, key, {"RUNNING"}, "PAUSED", "batch.paused")


def resume_batch(session: Session, actor: Actor, key: int) -> None:
    """Go on with a paused batch. Conflict unless it is paused."""
    _change(session, actor, key, {"PAUSED"}, "RUNNING", "batch.resumed")
    runtime_of(session).jobs.enqueue(session, "run_batch", key)


def cancel_batch(session: Session, actor: Actor, key: int) -> None:
    """Leave out everything that has not begun; what is done stays done. Conflict when it is over."""
    _change(session, actor, key, {"RUNNING", "PAUSED"}, "CANCELLED", "batch.cancelled")
    rows.skip_pending(session, key, clock.wall_now())


def _change(session: Session, actor: Actor, key: int, allowed: set[str], state: str, action: str) -> None:
    batch = rows.row(session, key, lock=True)
    require(actor, *_POWERS.get(batch.kind, ("operate",)))
    if batch.state not in allowed:
        raise Conflict(reason=f"批处理现在的状态是 {batch.state}")
    rows.set_state(session, key, state, clock.wall_now(), clock.now() if state == "CANCELLED" else None)
    audit.record(session, actor, action, data={"batchKey": str(key)})


def may_change_batch(actor: Actor, kind: str) -> bool:
    """Whether the actor may create, pause, resume and cancel batches of this kind: for screens that offer it."""
    return not actor.powers.isdisjoint(_POWERS.get(kind, ("operate",)))


def batch_progress(session: Session, actor: Actor, key: int) -> BatchProgress:
    """How far a batch is. Raises Forbidden, NotFound."""
    require_watch(actor)
    return rows.progress(session, key)


# ---------------------------------------------------------------------- running
def run_batch(runtime: Runtime, key: int) -> None:
    """Do the next items of a batch, one transaction each; enqueue itself while there are more."""
    for _ in range(SLICE):
        if not _run_next(runtime, key):
            _finish(runtime, key)
            return
    with unit_of_work(runtime) as session:
        rows.touch(session, key, clock.wall_now())
        runtime.jobs.enqueue(session, "run_batch", key)


def _run_next(runtime: Runtime, key: int) -> bool:
    """One item; False when there is none to take."""
    position = -1
    try:
        with unit_of_work(runtime) as session:
            item = rows.take_next(session, key)
            if item is None:
                return False
            position = item.position
            actor = Actor(item.created_by, powers=SYSTEM.powers)
            OPERATIONS[item.kind](session, actor, item.instance_key, item.parameters, item.reason, key)
            rows.close_item(session, key, position, "DONE", clock.wall_now())
    except LianbanError as error:
        _fail(runtime, key, position, error.code, (error.message(), error.message("en")))
    except Exception as error:  # a defect in one instance must not stop the batch; it is shown on the item
        log.exception("batch item failed", batch=key, position=position)
        _fail(runtime, key, position, "unexpected", (f"{type(error).__name__}: {error}",) * 2)
    return True


def _fail(runtime: Runtime, key: int, position: int, code: str, messages: tuple[str, str]) -> None:
    with unit_of_work(runtime) as session:
        rows.close_item(session, key, position, "FAILED", clock.wall_now(), code, messages)


def _finish(runtime: Runtime, key: int) -> None:
    with unit_of_work(runtime) as session:
        batch = rows.row(session, key, lock=True)
        if batch.state == "RUNNING" and not rows.has_pending(session, key):
            rows.set_state(session, key, "COMPLETED", clock.wall_now(), clock.now())
            counts = rows.progress(session, key)
            data = {"batchKey": str(key), "done": counts.done, "failed": counts.failed}
            audit.record(session, Actor(batch.created_by), "batch.completed", data=data)


def revive_stalled(runtime: Runtime) -> None:
    """Enqueue running batches whose worker died: for the sweep."""
    with reading(runtime) as session:
        found = rows.stalled(session, clock.wall_now(), QUIET)
    for key in found:
        with unit_of_work(runtime) as session:
            rows.touch(session, key, clock.wall_now())
            runtime.jobs.enqueue(session, "run_batch", key)
