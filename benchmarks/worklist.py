"""The list of user tasks filtered by a variable among 100,000 open tasks, against the bare query on a table with an index
over the same columns; both answer with a page and the total."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Column, Index, String, Table, func, insert, select

from benchmarks._measure import Database, Row, databases, in_turn, row
from engine import Engine
from engine.policy import SYSTEM
from engine.store import models as m
from engine.store.database import Base, BigKey
from engine.store.models import element_key
from engine.store.search import Condition, PageRequest, search
from engine.store.search_sources import USER_TASKS, visible_tasks

TASKS = 100_000
PAGE = 20
SHARE = 1000
"""One task of so many has the value that is asked for."""
WHEN = datetime(2026, 1, 5, tzinfo=UTC)
_flat = Table(
    "bench_flat_task",
    Base.metadata,
    Column("key", BigKey, primary_key=True, autoincrement=False),
    Column("name", String(300)),
    Column("state", String(12)),
    Column("district", String(100)),
    Index("ix_bench_flat_task", "state", "district", "key"),
)


def run() -> list[Row]:
    """Rows of the table in var/bench.json, on SQLite and PostgreSQL."""
    with databases() as both:
        return [_measure(database) for database in both]


def _measure(database: Database) -> Row:
    engine = database.open()
    _fill(engine)
    wanted = [
        Condition("state", "eq", "CREATED"),
        Condition("process_instance_variables", "eq", ("district", Condition("district", "eq", '"district 7"'))),
    ]
    found = select(_flat).where(_flat.c.state == "CREATED", _flat.c.district == "district 7")
    bare, total = found.order_by(_flat.c.key).limit(PAGE), select(func.count()).select_from(found.subquery())

    def filtered(_number: int) -> None:
        with engine.reading() as session:
            page = search(session, USER_TASKS, wanted, page=PageRequest(limit=PAGE), visible=visible_tasks(SYSTEM))
        assert len(page.rows) == PAGE and page.total == TASKS // SHARE

    def indexed(_number: int) -> None:
        with engine.reading() as session:
            assert len(session.execute(bare).all()) == PAGE and session.scalar(total) == TASKS // SHARE

    value, base = in_turn(40, filtered, indexed)
    engine.close()
    return row(f"tasks filtered by a variable, 100,000 open, vs the bare indexed query ({database.label})", value, base, 3.0)


def _fill(engine: Engine) -> None:
    """100,000 instances with an open task and a variable each, written as rows: only the query is measured."""
    with engine.unit_of_work() as session:
        deployment = session.execute(m.deployment.insert().values(key=1, name="", deployed_at=WHEN, deployed_by="bench"))
        assert deployment
        resource = {"key": 1, "deployment_key": 1, "name": "p.bpmn", "digest": "", "content": b""}
        session.execute(m.resource.insert(), [resource])
        definition = {"key": 1, "process_id": "p", "version": 1, "resource_name": "p.bpmn", "resource_key": 1, "deployment_key": 1}
        session.execute(m.process_definition.insert(), [definition | {"digest": ""}])
    for first in range(1, TASKS + 1, 10_000):
        numbers = range(first, first + 10_000)
        with engine.unit_of_work() as session:
            session.execute(insert(m.process_instance), [_instance(number) for number in numbers])
            session.execute(insert(m.variable), [_variable(number) for number in numbers])
            session.execute(insert(m.user_task), [_task(number) for number in numbers])
            session.execute(insert(_flat), [_flat_task(number) for number in numbers])
    with engine.runtime.database.begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def _district(number: int) -> str:
    return f"district {number % SHARE}"


def _instance(number: int) -> dict[str, Any]:
    place = {"root_key": number, "definition_key": 1, "process_id": "p"}
    return {"key": number, **place, "started_at": WHEN, "started_by": "bench", "business_id": str(number)}


def _variable(number: int) -> dict[str, Any]:
    return {"instance_key": number, "scope_id": 0, "name": "district", "value": orjson.dumps(_district(number))}


def _task(number: int) -> dict[str, Any]:
    place = {"instance_key": number, "root_key": number, "definition_key": 1, "process_id": "p", "element_id": "review"}
    return {"key": element_key(number, 2), **place, "name": "审查", "business_id": str(number), "created_at": WHEN}


def _flat_task(number: int) -> dict[str, Any]:
    return {"key": number, "name": "审查", "state": "CREATED", "district": _district(number)}
