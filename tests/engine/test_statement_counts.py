"""How many SQL statements a command costs: what makes it fast, counted at the driver."""

from __future__ import annotations

from pathlib import Path

from engine import Engine, commands
from engine.policy import SYSTEM
from tests.engine.test_commands import clerk, complete, open_tasks, start
from tests.statements import counted

SEQUENCE = Path(__file__).parents[2] / "benchmarks" / "diagrams" / "sequence.bpmn"


def test_a_completed_user_task_costs_at_most_ten_statements(engine: Engine) -> None:
    """engine.md §4. On PostgreSQL: the root is locked, then the task is read (or it would be what it was before), then all is written."""
    limit = 10 if engine.runtime.database.dialect.name == "sqlite" else 3
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(SEQUENCE.name, SEQUENCE.read_bytes())])
    start(engine, "sequence", {"amount": 3})
    complete(engine, clerk("A.handler"), open_tasks(engine)[0].key, {"opinion": "同意"})
    key = open_tasks(engine)[0].key
    with counted(engine) as statements:
        complete(engine, clerk("A.handler"), key, {"opinion": "不同意", "comment": "", "area": 3})
    assert len(statements) <= limit, statements
