"""What is deployed, as clients list it: processes, decisions, the files that decisions lie in, deployments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal, select

from engine.store import models as m
from engine.store.search import Source
from engine.store.search_sources import TENANT, definition_fields

_definition = m.process_definition
_tenant = literal(TENANT)


def _latest(table: Any, id_column: str) -> ColumnElement[bool]:
    newer = table.alias()
    return ~exists().where(newer.c[id_column] == table.c[id_column], newer.c.version > table.c.version)


PROCESS_DEFINITIONS = Source(
    statement=select(_definition),
    fields={
        **definition_fields,
        "name": _definition.c.name,
        "resource_name": _definition.c.resource_name,
        "version": _definition.c.version,
        "version_tag": _definition.c.version_tag,
        "is_latest_version": _latest(_definition, "process_id"),
        "state": literal("ACTIVE"),
    },
    keys=(_definition.c.key,),
)

_decision = m.decision_definition
_sibling = m.decision_definition.alias()
_drg_version = select(func.max(_sibling.c.version)).where(_sibling.c.resource_key == _decision.c.resource_key).scalar_subquery()

DECISION_DEFINITIONS = Source(
    statement=select(_decision, _drg_version.label("drg_version")),
    fields={
        "decision_definition_id": _decision.c.decision_id,
        "decision_definition_key": _decision.c.key,
        "name": _decision.c.name,
        "version": _decision.c.version,
        "is_latest_version": _latest(_decision, "decision_id"),
        "decision_requirements_id": _decision.c.drg_id,
        "decision_requirements_key": _decision.c.resource_key,
        "decision_requirements_name": _decision.c.drg_name,
        "decision_requirements_version": _drg_version,
        "tenant_id": _tenant,
    },
    keys=(_decision.c.key,),
)

_first = m.decision_definition.alias("first_of_file")

DECISION_REQUIREMENTS = Source(
    statement=select(_decision, _drg_version.label("drg_version")).where(
        ~exists().where(_first.c.resource_key == _decision.c.resource_key, _first.c.key < _decision.c.key)
    ),
    fields={
        "decision_requirements_id": _decision.c.drg_id,
        "decision_requirements_key": _decision.c.resource_key,
        "decision_requirements_name": _decision.c.drg_name,
        "version": _drg_version,
        "resource_name": _decision.c.resource_name,
        "tenant_id": _tenant,
    },
    keys=(_decision.c.key,),
)
"""Each file once, by the first of its decisions."""

DEPLOYMENTS = Source(
    statement=select(m.deployment),
    fields={"name": m.deployment.c.name, "deployment_time": m.deployment.c.deployed_at},
    keys=(m.deployment.c.key,),
)
