"""A process with a parallel block for the operations' tests, and the people in it.

register -> fork -> (review -> verify) || consult || (wait for message M) -> join -> sign -> end
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine import Engine, commands
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from engine.store import reads
from tests.bpmn.support import END, START, chain, doc, el, gate, zeebe

both_databases = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
OPERATOR = Actor("wang", powers=frozenset({"operate"}))


def person(name: str, *groups: str) -> Actor:
    return Actor(name, frozenset(groups or ("A.handler",)))


ANNA, BERT = person("anna"), person("bert")


def task(id: str, group: str = "A.handler", extra: str = "", inner: str = "", **properties: str) -> str:
    """A user task of a group."""
    written = "".join(f'<zeebe:property name="{name}" value="{value}"/>' for name, value in properties.items())
    assigned = f'<zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="{group}"/>'
    return el("userTask", id, zeebe(f"{assigned}{extra}<zeebe:properties>{written}</zeebe:properties>") + inner, name=f"环节{id}")


def process(body: str, process_id: str = "p", **properties: str) -> bytes:
    """A file with one process that has these properties."""
    written = "".join(f'<zeebe:property name="{name}" value="{value}"/>' for name, value in properties.items())
    return doc(zeebe(f"<zeebe:properties>{written}</zeebe:properties>") + body, process_id)


LINE = START + task("a") + task("b") + task("c") + END + chain("s", "a", "b", "c", "e")
BLOCK = (
    START
    + task("a")
    + gate("f")
    + task("b1")
    + task("b2")
    + task("c1")
    + gate("j")
    + task("z")
    + END
    + chain("s", "a", "f", "b1", "b2", "j", "z", "e")
    + chain("f", "c1", "j")
)


def deploy(engine: Engine, *files: bytes) -> None:
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(f"file{number}.bpmn", content) for number, content in enumerate(files)])


def start(engine: Engine, process_id: str = "p", variables: dict[str, Any] | None = None, **more: Any) -> int:
    with engine.unit_of_work() as session:
        return commands.start_instance(session, SYSTEM, process_id, variables or {}, **more)


def do(engine: Engine, command: Any, actor: Actor, *arguments: Any, **named: Any) -> Any:
    """One command in a unit of work of its own."""
    with engine.unit_of_work() as session:
        return command(session, actor, *arguments, **named)


def complete(engine: Engine, element_id: str, actor: Actor = ANNA, **data: Any) -> int:
    """Complete the first open task of an element -> its key."""
    key = open_task(engine, element_id).key
    do(engine, commands.complete_task, actor, key, data)
    return int(key)


def tasks(engine: Engine) -> list[Any]:
    with engine.reading() as session:
        return list(session.execute(select(m.user_task).where(m.user_task.c.state == "CREATED").order_by(m.user_task.c.key)).all())


def open_ids(engine: Engine) -> list[str]:
    """Element ids of the open tasks, sorted."""
    return sorted(task.element_id for task in tasks(engine))


def open_task(engine: Engine, element_id: str) -> Any:
    return next(task for task in tasks(engine) if task.element_id == element_id)


def row(engine: Engine, key: int) -> Any:
    with engine.reading() as session:
        return reads.get_task(session, key)


def state(engine: Engine, key: int) -> str:
    with engine.reading() as session:
        return str(reads.instance(session, key).state)


def variables(engine: Engine, key: int) -> dict[str, Any]:
    with engine.reading() as session:
        return reads.variables(session, key)


def audited(engine: Engine, action: str) -> list[Any]:
    with engine.reading() as session:
        return list(session.execute(select(m.audit_event).where(m.audit_event.c.action == action).order_by(m.audit_event.c.id)).all())


def version(engine: Engine, key: int) -> int:
    with engine.reading() as session:
        return int(reads.instance(session, key).version)
