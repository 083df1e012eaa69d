"""Timer start events: armed when a process is deployed, they start an instance of its latest version whenever they are due."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clock
from engine.bpmn import ProcessModel
from engine.bpmn.start_timers import Due, first_due, following
from engine.commands.environment import feel_environment
from engine.commands.root_run import RootRun
from engine.policy import SYSTEM
from engine.store import audit
from engine.store import models as m


def arm_start_timers(session: Session, definition_key: int, model: ProcessModel) -> None:
    """Note when the timer starts of a new version are due; those of earlier versions are forgotten. Raises Invalid."""
    of_process = select(m.process_definition.c.key).where(m.process_definition.c.process_id == model.process_id)
    session.execute(delete(m.start_timer).where(m.start_timer.c.definition_key.in_(of_process)))
    now, feel = clock.now(), feel_environment(session)
    for start in model.timer_starts:
        due = first_due(start, now, feel)
        if due is not None:
            row = {"definition_key": definition_key, "element_id": start.element_id}
            session.execute(m.start_timer.insert().values(**row, due_at=due.at, anchor=due.anchor, cycle=due.cycle, done=due.done))


def due_starts(session: Session, now: datetime, limit: int = 200) -> list[tuple[int, str]]:
    """(definition key, element id) of the timer starts that are due, the longest overdue first."""
    table = m.start_timer.c
    statement = select(table.definition_key, table.element_id).where(table.due_at <= now).order_by(table.due_at).limit(limit)
    return [(key, element) for key, element in session.execute(statement)]


def start_due(session: Session, definition_key: int, element_id: str) -> int:
    """Start the instance of a timer start that is due, and note when it is due again -> how many were started: 1, or 0 when another process
    was faster."""
    table = m.start_timer
    mine = (table.c.definition_key == definition_key, table.c.element_id == element_id)
    row = session.execute(select(table).where(*mine).with_for_update()).first()
    if row is None or row.due_at > clock.now():
        return 0
    run = RootRun(session, SYSTEM)
    key = run.start(definition_key, {}, business_id=None, owner=None, start_element=element_id)
    audit.record(session, SYSTEM, "instance.started", root_key=key, instance_key=key, data={"timer": element_id})
    run.finish()
    zone = clock.now().tzinfo
    after = following(Due(row.due_at.astimezone(zone), row.anchor.astimezone(zone), row.cycle, row.done))
    if after is None:
        session.execute(delete(table).where(*mine))
    else:
        session.execute(table.update().where(*mine).values(due_at=after.at, done=after.done))
    return 1
