"""Fire the timers of an instance that are due."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import clock
from engine.commands.root_run import RootRun
from engine.policy import SYSTEM
from engine.store import audit


def advance(session: Session, instance_key: int) -> int:
    """Lock, look, fire -> how many timers fired. Nothing due any more (a stale job), or suspended: 0 and nothing changes."""
    run = RootRun.locked(session, SYSTEM, instance_key, suspended_too=True)
    row = run.row(instance_key)
    if row.state != "ACTIVE" or row.suspended_at is not None:
        return 0
    fired = run.instance(instance_key).fire_due(clock.now())
    if fired:
        audit.record(
            session,
            SYSTEM,
            "timer.fired",
            root_key=row.root_key,
            instance_key=instance_key,
            business_id=row.business_id,
            data={"count": fired},
        )
    run.finish()
    return fired
