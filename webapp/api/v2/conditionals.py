"""Conditional start events: a program that has new facts asks which processes they start."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from typing_extensions import TypedDict

from engine import commands
from engine.store import definitions
from engine.store import models as m
from webapp.api.types import TENANT, Body, Key, KeyText, ShortText, Tenant, Variables
from webapp.api.v2 import v2
from webapp.context import actor, engine


class EvaluateConditionals(Body):
    """The facts; `processDefinitionKey`: only the conditions of this process, in its latest version."""

    variables: Variables
    tenant_id: Tenant | None = None
    process_definition_key: Key | None = None
    business_id: ShortText | None = None


class InstanceReference(TypedDict):
    """An instance that was started."""

    processDefinitionKey: KeyText
    processInstanceKey: KeyText


class ConditionalEvaluation(TypedDict):
    """What the facts have started; nothing is kept of an evaluation, so its key is zero."""

    conditionalEvaluationKey: KeyText
    tenantId: str
    processInstances: list[InstanceReference]


@v2.operation("POST", "/conditionals/evaluation", tag="conditional", body=EvaluateConditionals, answers={200: ConditionalEvaluation})
def evaluate_conditionals(body: EvaluateConditionals) -> Any:
    """按条件启动流程 / start the processes whose conditional start events the variables fulfil. 需要“流程运维”权限。"""
    with engine().unit_of_work() as session:
        process_id = None
        if body.process_definition_key is not None:
            process_id = definitions.by_key(session, "process", body.process_definition_key).process_id
        keys = commands.evaluate_conditionals(session, actor(), body.variables, process_id=process_id, business_id=body.business_id)
        table = m.process_instance.c
        rows = session.execute(select(table.key, table.definition_key).where(table.key.in_(keys)).order_by(table.key)).all()
    started = [{"processDefinitionKey": str(row.definition_key), "processInstanceKey": str(row.key)} for row in rows]
    return {"conditionalEvaluationKey": "0", "tenantId": TENANT, "processInstances": started}
