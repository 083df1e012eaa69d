"""Starting instances and completing user tasks through the service, against bare commits of five rows on the same database.

Resident: the instance is in the process's cache; restored: it is built from its rows. The processes are a sequence of three user tasks,
without a form and with one.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from benchmarks._measure import Action, Database, Row, bare_commit, databases, in_turn, row, statement_by_statement
from engine import Engine, commands
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from tests.statements import counted

DIAGRAMS = Path(__file__).parent / "diagrams"
ROUNDS = 300
CLERK = Actor("clerk", frozenset({"A.handler"}))
TARGETS = {"SQLite": (1.8, 2.2), "PostgreSQL": (2.5, 3.0)}


def run() -> list[Row]:
    """Rows of the table in var/bench.json, on SQLite and PostgreSQL."""
    with databases() as both:
        return [line for database in both for line in _measure(database)]


def _measure(database: Database) -> list[Row]:
    engine = database.open()
    bare = bare_commit(database, engine)
    with engine.unit_of_work() as session:
        files = ("sequence.bpmn", "sequence_with_form.bpmn", "opinion.form")
        commands.deploy(session, SYSTEM, [(name, (DIAGRAMS / name).read_bytes()) for name in files])
    resident_target, restored_target = TARGETS[database.label]
    singly = shifted(statement_by_statement(database, engine), 3)
    resident, base, singly_base = in_turn(ROUNDS, _completer(engine), bare, singly)
    restored, restored_base = in_turn(ROUNDS, _completer(engine, cold=True), shifted(bare, 1))
    form, form_base = in_turn(ROUNDS, _completer(engine, "sequence_with_form"), shifted(bare, 2))
    started, started_base = in_turn(ROUNDS, lambda _: start(engine), shifted(bare, 4))
    statements = _statements(engine)
    engine.close()
    where = f"({database.label})"
    return [
        row(f"complete a user task, resident, vs bare 5-row commit {where}", resident, base, resident_target),
        row(f"complete a user task, resident, vs commit of five single-row statements {where}", resident, singly_base, None),
        row(f"complete a user task, restored, vs bare 5-row commit {where}", restored, restored_base, restored_target),
        row(f"complete a user task with a form, resident, vs bare 5-row commit {where}", form, form_base, None),
        row(f"start + complete, vs two bare 5-row commits {where}", started + resident, started_base + base, 2.0),
        row(f"instances per second, start + complete {where}", 1 / (started + resident), None, None, "1/s"),
        row(f"SQL statements per completed task {where}", statements, None, 10, "count"),
    ]


def start(engine: Engine, process_id: str = "sequence") -> int:
    """Start one instance in a transaction of its own."""
    with engine.unit_of_work() as session:
        return commands.start_instance(session, SYSTEM, process_id, {"amount": 3})


def shifted(bare: Action, blocks: int) -> Action:
    return lambda number: bare(number + blocks * 100_000)


def _completer(engine: Engine, process_id: str = "sequence", *, cold: bool = False) -> Action:
    """An action that completes the task of its own instance; cold: of one that is not in the cache."""
    keys = []
    for _ in range(ROUNDS + 10):
        instance = start(engine, process_id)
        with engine.reading() as session:
            keys.append(session.scalars(select(m.user_task.c.key).where(m.user_task.c.instance_key == instance)).one())
    if cold:
        engine.runtime.instances.clear()

    def complete(number: int) -> None:
        with engine.unit_of_work() as session:
            commands.complete_task(session, CLERK, keys[number], {"opinion": "同意"})

    return complete


def _statements(engine: Engine) -> int:
    complete = _completer(engine)
    complete(0)
    with counted(engine) as statements:
        complete(1)
    return len(statements)
