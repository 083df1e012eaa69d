"""Start a process instance by its process id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.commands.root_run import RootRun, aside
from engine.definitions import process_model
from engine.errors import Conflict, NotFound
from engine.policy import Actor
from engine.runtime import runtime_of
from engine.store import audit, definitions
from engine.store import models as m
from engine.store.prepared import Prepared, fetch


def start_instance(
    session: Session,
    actor: Actor,
    process_id: str,
    variables: Mapping[str, Any],
    *,
    business_id: str | None = None,
    owner: str | None = None,
    version: int | None = None,
    start_at: Sequence[str] = (),
    until: Sequence[str] = (),
) -> int:
    """Start the latest (or the given) version -> the process instance key; it has run until it waits.

    Who may start what is the caller's question (a service, the REST API's `deploy`/`operate` power): the engine records who did.
    `start_at`: element ids to begin at instead of the start event (for tests of a part of a diagram); they need no start event.
    `until`: elements whose end terminates the instance before anything follows it (Camunda 8: runtime instructions).
    Raises NotFound for an unknown process, version or element, Conflict when the process has no plain start event, Invalid for an element
    that cannot be activated.
    """
    definition_key = _definition(session, process_id, version)
    if not start_at and not process_model(session, definition_key).has_none_start:
        raise Conflict(reason=f"流程“{process_id}”只能由消息、信号或定时启动")
    with aside(session):  # a handler may start one while its own instance runs
        run = RootRun(session, actor)
        key = run.start(definition_key, dict(variables), business_id=business_id, owner=owner, start_at=start_at, until=until)
        audit.record(
            session,
            actor,
            "instance.started",
            root_key=key,
            instance_key=key,
            business_id=business_id,
            data={"processId": process_id},
        )
        run.finish()
    return key


def _definition(session: Session, process_id: str, version: int | None) -> int:
    if version is None:
        latest = definitions.bound_key(session, "process", process_id, "latest", 0)
        if latest is None:
            raise NotFound(what="流程", key=process_id)
        return latest
    return runtime_of(session).versions.get((process_id, version), lambda: _key_of_version(session, process_id, version))


def _key_of_version(session: Session, process_id: str, version: int) -> int:
    rows = fetch(session.connection(), _VERSION, {"process_id": process_id, "version": version})
    if not rows:
        raise NotFound(what="流程版本", key=f"{process_id} v{version}")
    return int(rows[0][0])


_processes = m.process_definition.c
_VERSION = Prepared(
    select(_processes.key).where(_processes.process_id == bindparam("process_id"), _processes.version == bindparam("version"))
)
