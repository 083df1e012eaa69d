"""A process with one job, and what tests ask of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from engine import Engine, clock, commands
from engine.policy import SYSTEM
from engine.store import models as m
from engine.store import reads

DIAGRAM = Path(__file__).parent / "diagrams" / "errand.bpmn"
TYPE = "test.errand"


def start(engine: Engine, count: int = 1) -> list[int]:
    """Deploy the process and start it -> the instances' keys; each waits for its job."""
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
    keys = []
    for number in range(count):
        with engine.unit_of_work() as session:
            keys.append(commands.start_instance(session, SYSTEM, "errand", {"number": number}))
    return keys


def job(engine: Engine, instance_key: int) -> Any:
    """The job's row."""
    with engine.reading() as session:
        return session.execute(select(m.job).where(m.job.c.instance_key == instance_key)).one()


def change_job(engine: Engine, job_key: int, **values: Any) -> None:
    """Write into the job's row what time or a crash would have written."""
    with engine.unit_of_work() as session:
        session.execute(update(m.job).where(m.job.c.key == job_key).values(values))


def suspend(engine: Engine, instance_key: int, suspended: bool = True) -> None:
    """Mark the instance as the command of that name does."""
    with engine.unit_of_work() as session:
        values = {"suspended_at": clock.wall_now() if suspended else None}
        session.execute(update(m.process_instance).where(m.process_instance.c.key == instance_key).values(values))


def state(engine: Engine, instance_key: int) -> str:
    with engine.reading() as session:
        return str(reads.instance(session, instance_key).state)


def ended_at(engine: Engine, instance_key: int) -> set[str]:
    """The end events that the instance has reached."""
    with engine.reading() as session:
        return {e.element_id for e in reads.element_history(session, instance_key)} & {"done", "e_refused"}


def incidents(engine: Engine) -> list[Any]:
    with engine.reading() as session:
        return list(reads.incidents(session))
