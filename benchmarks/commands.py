"""Complete a user task through the service against a bare five-row commit of SQLAlchemy Core on the same database."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, String, Table, event, select

from engine import Engine, commands, open_engine
from engine.policy import SYSTEM, Actor
from engine.settings import Settings
from engine.store import models as m
from engine.store.database import Base

DIAGRAM = Path(__file__).parent / "diagrams" / "sequence.bpmn"
ROUNDS = 300
_row = Table("bench_row", Base.metadata, Column("id", Integer, primary_key=True), Column("body", String(400)))


def run() -> list[dict[str, Any]]:
    """Rows of the table in var/bench.json; SQLite with synchronous=FULL."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(Settings(database_url=f"sqlite:///{folder}/bench.db", jobs="inline"))
        engine.create_schema()
        with engine.unit_of_work() as session:
            commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
        bare = _median(lambda i: _bare_commit(engine, i))
        resident = _median(_completer(engine, cold=False))
        restored = _median(_completer(engine, cold=True))
        statements = _count_statements(engine)
        started = _median(lambda _: _start(engine))
        engine.close()
    pair = started + resident
    return [
        _row_of("complete a user task, resident, vs bare 5-row commit (SQLite)", resident, bare, 1.8),
        _row_of("complete a user task, restored, vs bare 5-row commit (SQLite)", restored, bare, 2.2),
        _row_of("start + complete, vs two bare 5-row commits (SQLite)", pair, 2 * bare, 2.0),
        {
            "name": "SQL statements per completed task",
            "value": statements,
            "unit": "count",
            "baseline": 126,
            "ratio": statements / 126,
            "target": "<= 10",
            "ok": statements <= 10,
        },
    ]


def _row_of(name: str, value: float, baseline: float, target: float) -> dict[str, Any]:
    ratio = value / baseline
    return {
        "name": name,
        "value": value * 1000,
        "unit": "ms",
        "baseline": baseline * 1000,
        "ratio": ratio,
        "target": f"<= {target}x",
        "ok": ratio <= target,
    }


def _median(action: Callable[[int], Any]) -> float:
    times = []
    for i in range(ROUNDS):
        begin = time.perf_counter()
        action(i)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _bare_commit(engine: Engine, number: int) -> None:
    with engine.runtime.database.begin() as connection:
        connection.execute(_row.insert(), [{"id": number * 5 + i, "body": "x" * 80} for i in range(5)])


def _start(engine: Engine) -> int:
    with engine.unit_of_work() as session:
        return commands.start_instance(session, SYSTEM, "sequence", {"amount": 3})


def _completer(engine: Engine, *, cold: bool) -> Callable[[int], None]:
    keys = []
    for _ in range(ROUNDS):
        instance = _start(engine)
        with engine.reading() as session:
            keys.append(session.scalars(select(m.user_task.c.key).where(m.user_task.c.instance_key == instance)).one())
    clerk = Actor("clerk", frozenset({"A.handler"}))
    if cold:
        engine.runtime.instances.clear()

    def complete(number: int) -> None:
        with engine.unit_of_work() as session:
            commands.complete_task(session, clerk, keys[number], {"opinion": "同意"})

    return complete


def _count_statements(engine: Engine) -> int:
    complete = _completer(engine, cold=False)
    complete(0)
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(engine.runtime.database, "before_cursor_execute", note)
    complete(1)
    event.remove(engine.runtime.database, "before_cursor_execute", note)
    return sum(not statement.startswith("BEGIN") for statement in seen)
