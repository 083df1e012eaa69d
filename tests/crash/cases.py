"""Cases of a parallel review with a timer, two jobs with I/O, a number and a message to another process: a little of everything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from engine import Engine, commands
from engine.jobs.dbos_adapter import DbosJobs
from engine.policy import SYSTEM
from engine.store import models as m
from handlers.directory import service as directory
from webapp import create_app, sessions

DIAGRAM = Path(__file__).parent / "diagrams" / "approval.bpmn"
UNITS = ("ZRZYJ", "ZJJ", "RFB")


def prepare(engine: Engine) -> None:
    """Tables, a handler of each unit, and the diagram."""
    engine.migrate()
    jobs = engine.runtime.jobs
    assert isinstance(jobs, DbosJobs)
    jobs.migrate()
    with engine.unit_of_work() as session:
        directory.import_units(session)
        for unit in UNITS:
            directory.create_demo_user(session, unit.lower(), unit, "staff", [(unit, "handler")])
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])


def log_in(engine: Engine) -> dict[str, str]:
    """Everybody's cookie."""
    app = create_app(engine)
    with app.app_context(), engine.unit_of_work() as session:
        return {unit: f"{sessions.COOKIE}={sessions.open_session(session, unit.lower())}" for unit in UNITS}


def begin(engine: Engine, cases: int) -> list[int]:
    """Start the cases c0, c1, ... -> their instances' keys."""
    keys = []
    for number in range(cases):
        with engine.unit_of_work() as session:
            variables = {"caseId": f"c{number}", "units": list(UNITS)}
            keys.append(commands.start_instance(session, SYSTEM, "approval", variables, business_id=f"c{number}"))
    return keys


def states(engine: Engine) -> Counter[tuple[str, str]]:
    with engine.reading() as session:
        found = session.execute(
            select(m.process_instance.c.process_id, m.process_instance.c.state, func.count()).group_by("process_id", "state")
        )
        return Counter({(process, state): count for process, state, count in found})
