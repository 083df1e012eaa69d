"""Small versions of one process on a real engine, and what tests ask about its instances."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Row, select

from engine import Engine, commands
from engine.policy import SYSTEM, Actor
from engine.store import definitions, reads
from engine.store import models as m
from tests.bpmn.support import END, START, chain, doc, el, user, zeebe

both_databases = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
CLERK = Actor("clerk", frozenset({"NEW"}), frozenset({"operate"}))


def sequence(*ids: str, extra: str = "", process_id: str = "p") -> bytes:
    """User tasks one after the other."""
    return doc(START + user(*ids) + END + chain("s", *ids, "e") + extra, process_id=process_id)


def deploy(engine: Engine, xml: bytes, *more: tuple[str, bytes], process_id: str = "p") -> int:
    """Deploy a version -> its definition key."""
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(f"{process_id}.bpmn", xml), *more])
    with engine.reading() as session:
        row = definitions.latest(session, "process", process_id)
    assert row is not None
    return int(row.key)


def start(engine: Engine, variables: dict[str, Any] | None = None, process_id: str = "p", **more: Any) -> int:
    with engine.unit_of_work() as session:
        return commands.start_instance(session, SYSTEM, process_id, variables or {}, **more)


def migrate(engine: Engine, key: int, target: int, instructions: Any = None) -> int:
    with engine.unit_of_work() as session:
        return commands.migrate_instance(session, SYSTEM, key, target, instructions)


def undo(engine: Engine, key: int) -> None:
    with engine.unit_of_work() as session:
        commands.undo_migration(session, SYSTEM, key)


def open_tasks(engine: Engine, key: int) -> dict[str, Row[Any]]:
    """Element id -> open user task."""
    with engine.reading() as session:
        return {task.element_id: task for task in reads.open_tasks_of_instance(session, key)}


def complete(engine: Engine, key: int, element: str, actor: Actor = CLERK, **data: Any) -> None:
    task = open_tasks(engine, key)[element]
    with engine.unit_of_work() as session:
        commands.complete_task(session, actor, task.key, data)


def instance(engine: Engine, key: int) -> Row[Any]:
    with engine.reading() as session:
        return reads.instance(session, key)


def rows(engine: Engine, key: int) -> dict[str, list[Any]]:
    """Everything that holds the state of an instance, as it stands in the tables."""
    with engine.reading() as session:
        found: dict[str, list[Any]] = {
            "tokens": reads.token_rows(session, key),
            "variables": sorted(reads.variable_rows(session, key)),
        }
        for table in (m.message_subscription, m.signal_wait):
            found[table.name] = [
                tuple(row) for row in session.execute(select(table).where(table.c.instance_key == key).order_by(table.c.key))
            ]
        tasks = select(m.user_task).where(m.user_task.c.instance_key == key, m.user_task.c.state == "CREATED").order_by(m.user_task.c.key)
        found["tasks"] = [tuple(row) for row in session.execute(tasks)]
        keys = [row[0] for row in found["tasks"]]
        candidate = m.user_task_candidate
        chosen = select(candidate).where(candidate.c.task_key.in_(keys)).order_by(*candidate.primary_key.columns)
        found["candidates"] = [tuple(row) for row in session.execute(chosen)]
        jobs = select(m.job.c.key, m.job.c.element_id, m.job.c.type, m.job.c.state, m.job.c.headers).where(m.job.c.instance_key == key)
        found["jobs"] = [tuple(row) for row in session.execute(jobs.where(m.job.c.state != "CANCELED").order_by(m.job.c.key))]
        header = reads.instance(session, key)
        found["instance"] = [header.definition_key, header.process_id, header.state, header.next_due_at, header.incidents]
    return found


def form(id: str) -> tuple[str, bytes]:
    """A form to deploy beside a diagram: its name and content."""
    schema = {
        "id": id,
        "type": "default",
        "schemaVersion": 19,
        "components": [{"id": "f", "type": "textfield", "key": "opinion", "label": "意见"}],
    }
    return f"{id}.form", json.dumps(schema).encode()


def task(group: str, form_id: str, name: str) -> bytes:
    """A diagram with one user task of a group, with a form and a property."""
    inner = zeebe(
        f'<zeebe:userTask/><zeebe:formDefinition formId="{form_id}"/><zeebe:assignmentDefinition candidateGroups="{group}"/>'
        f'<zeebe:properties><zeebe:property name="unit" value="{group}"/></zeebe:properties>'
    )
    return doc(START + el("userTask", "a", inner, name=name) + END + chain("s", "a", "e"))
