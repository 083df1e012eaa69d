"""Look at the conditions that an instance waits for, although no variable has changed: they may ask for the time or a working day."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.commands.looking import Look
from engine.commands.root_run import RootRun
from engine.policy import Actor, require, require_watch
from engine.store import audit
from engine.store.models import element_key


@dataclass(frozen=True, slots=True)
class WaitingCondition:
    """A conditional event that waits. `key`: of its element instance; `expression`: FEEL, as it is written."""

    key: int
    element_id: str
    expression: str


def waiting_conditions(session: Session, actor: Actor, instance_key: int) -> list[WaitingCondition]:
    """What conditions an instance waits for. Raises Forbidden, NotFound."""
    require_watch(actor)
    found = Look(session).instance(instance_key).waiting_conditions()
    return [WaitingCondition(element_key(instance_key, token), element, expression) for token, element, expression in found]


def reevaluate_conditions(session: Session, actor: Actor, instance_key: int) -> int:
    """Evaluate them all now; those that hold fire, also a non-interrupting one that has fired before -> how many still wait.

    Needs the power `operate`. Raises Forbidden, NotFound, Conflict (ended), Suspended.
    """
    require(actor, "operate")
    run = RootRun.locked(session, actor, instance_key)
    row = run.row(instance_key)
    live = run.instance(instance_key)
    conditions = [element for _token, element, _expression in live.waiting_conditions()]
    live.evaluate_conditions()
    audit.record(
        session,
        actor,
        "conditions.evaluated",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={"elements": conditions},
    )
    run.finish()
    return len(live.waiting_conditions())
