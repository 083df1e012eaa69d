"""Conditional start events: whoever has new facts asks which processes they start (Camunda 8.9, evaluate root-level conditional starts)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.bpmn import ProcessModel
from engine.commands.environment import feel_environment
from engine.commands.root_run import RootRun
from engine.definitions import process_model
from engine.errors import NotFound
from engine.feel import compile_expression, to_feel
from engine.policy import Actor, require
from engine.store import audit
from engine.store import models as m


def evaluate_conditionals(
    session: Session, actor: Actor, variables: Mapping[str, Any], *, process_id: str | None = None, business_id: str | None = None
) -> list[int]:
    """Start an instance with `variables` at every conditional start event whose condition they fulfil -> the keys of the new instances.

    Latest versions only: of one process, or of all. Needs the power `operate`. Raises Forbidden, NotFound (no such process); a condition
    that is not true, for whatever reason, starts nothing.
    """
    require(actor, "operate")
    keys = _latest(session, process_id)
    if process_id is not None and not keys:
        raise NotFound(what="流程", key=process_id)
    feel = feel_environment(session)
    values = {name: to_feel(value) for name, value in variables.items()}
    started = []
    for key in keys:
        model = process_model(session, key)
        for start in model.conditional_starts:
            if compile_expression(start.expression).evaluate(values, feel) is True:
                started.append(_start(session, actor, key, model, start.element_id, dict(variables), business_id))
    return started


def _latest(session: Session, process_id: str | None) -> list[int]:
    table = m.process_definition.c
    newest = select(table.process_id, func.max(table.version).label("version")).group_by(table.process_id).subquery()
    statement = select(table.key).join(newest, (newest.c.process_id == table.process_id) & (newest.c.version == table.version))
    if process_id is not None:
        statement = statement.where(table.process_id == process_id)
    return list(session.scalars(statement.order_by(table.key)))


def _start(
    session: Session, actor: Actor, key: int, model: ProcessModel, element_id: str, variables: dict[str, Any], business_id: str | None
) -> int:
    run = RootRun(session, actor)
    instance = run.start(key, variables, business_id=business_id, owner=None, start_element=element_id)
    data = {"processId": model.process_id, "condition": element_id}
    audit.record(session, actor, "instance.started", root_key=instance, instance_key=instance, business_id=business_id, data=data)
    run.finish()
    return instance
