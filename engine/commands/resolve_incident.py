"""Resolve an incident: after the cause was mended, do the failed step again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.commands.root_run import RootRun
from engine.errors import Conflict, NotFound
from engine.policy import Actor, require
from engine.runtime import runtime_of
from engine.store import audit
from engine.store import models as m


def resolve_incident(session: Session, actor: Actor, incident_key: int) -> None:
    """Retry what failed. It may fail again: then there is a new incident. Raises NotFound, Conflict (already resolved), Forbidden."""
    require(actor, "operate")
    incident = session.execute(select(m.incident).where(m.incident.c.key == incident_key)).first()
    if incident is None:
        raise NotFound(what="异常", key=incident_key)
    run = RootRun.locked(session, actor, incident.instance_key)
    if session.scalar(select(m.incident.c.state).where(m.incident.c.key == incident_key)) != "ACTIVE":
        raise Conflict(reason="这个异常已经处理")
    live = run.instance(incident.instance_key)
    live.retry(incident.token_id)
    _revive_job(session, incident.instance_key, incident.token_id)
    session.execute(m.incident.update().where(m.incident.c.key == incident_key).values(resolved_by=actor.username))
    audit.record(
        session,
        actor,
        "incident.resolved",
        root_key=incident.root_key,
        instance_key=incident.instance_key,
        element_id=incident.element_id,
        business_id=run.row(incident.instance_key).business_id,
        data={"incidentKey": str(incident_key), "kind": incident.kind},
    )
    run.finish()


def _revive_job(session: Session, instance_key: int, token_id: int) -> None:
    job = session.execute(
        select(m.job.c.key, m.job.c.type).where(
            m.job.c.instance_key == instance_key, m.job.c.token_id == token_id, m.job.c.state == "FAILED"
        )
    ).first()
    if job is not None:
        values = {"state": "CREATED", "retries": 1, "deaths": 0, "not_before": None, "error_message": None}
        session.execute(m.job.update().where(m.job.c.key == job.key).values(values))
        runtime = runtime_of(session)
        if runtime.handlers.get(job.type) is not None:
            runtime.jobs.enqueue(session, "run_job", job.key)
