"""Decisions and the files they lie in: what is deployed, and its XML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import Response
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.store import definitions as store
from engine.store.search_definitions import DECISION_DEFINITIONS, DECISION_REQUIREMENTS
from webapp.api.filters import SearchBody
from webapp.api.listing import Listing, PageOf, each
from webapp.api.types import TENANT, Body, Key, KeyText, ShortText, Whole
from webapp.api.v2 import v2
from webapp.api.v2.definitions import staff_only
from webapp.context import actor, engine


class DecisionDefinitionFilter(Body):
    """What to find."""

    decision_definition_id: ShortText | None = None
    name: ShortText | None = None
    is_latest_version: bool | None = None
    version: Whole | None = None
    decision_requirements_id: ShortText | None = None
    tenant_id: ShortText | None = None
    decision_definition_key: Key | None = None
    decision_requirements_key: Key | None = None
    decision_requirements_name: ShortText | None = None
    decision_requirements_version: Whole | None = None


DecisionDefinitionSort = Literal[
    "decisionDefinitionKey",
    "decisionDefinitionId",
    "name",
    "version",
    "decisionRequirementsId",
    "decisionRequirementsKey",
    "decisionRequirementsName",
    "decisionRequirementsVersion",
    "tenantId",
]
DecisionDefinitionSearch = SearchBody[DecisionDefinitionFilter, DecisionDefinitionSort]


class DecisionDefinition(TypedDict):
    """A version of a decision."""

    decisionDefinitionId: str
    decisionDefinitionKey: KeyText
    decisionRequirementsId: str
    decisionRequirementsKey: KeyText
    decisionRequirementsName: str
    decisionRequirementsVersion: int
    name: str
    tenantId: str
    version: int


def _decision_definition(row: Any) -> DecisionDefinition:
    return {
        "decisionDefinitionId": row.decision_id,
        "decisionDefinitionKey": str(row.key),
        "decisionRequirementsId": row.drg_id,
        "decisionRequirementsKey": str(row.resource_key),
        "decisionRequirementsName": row.drg_name,
        "decisionRequirementsVersion": row.drg_version,
        "name": row.name,
        "tenantId": TENANT,
        "version": row.version,
    }


DECISION_DEFINITION = Listing(
    DECISION_DEFINITIONS, what="决策", key="decision_definition_key", items=each(_decision_definition), allowed=staff_only
)


@v2.operation(
    "POST",
    "/decision-definitions/search",
    tag="decisionDefinition",
    body=DecisionDefinitionSearch,
    body_optional=True,
    answers={200: PageOf[DecisionDefinition]},
)
def search_decision_definitions(body: DecisionDefinitionSearch) -> Any:
    """查找决策 / search decisions."""
    return DECISION_DEFINITION.page(body)


@v2.operation("GET", "/decision-definitions/<key:decision_definition_key>", tag="decisionDefinition", answers={200: DecisionDefinition})
def get_decision_definition(decision_definition_key: int) -> Any:
    """一个决策版本 / one version of a decision."""
    return DECISION_DEFINITION.one(decision_definition_key)


@v2.operation("GET", "/decision-definitions/<key:decision_definition_key>/xml", tag="decisionDefinition", answers={200: "text/xml"})
def get_decision_definition_xml(decision_definition_key: int) -> Response:
    """决策表原文 / the DMN file as it was deployed."""
    return _file(lambda session: store.by_key(session, "decision", decision_definition_key))


class DecisionRequirementsFilter(Body):
    """What to find."""

    decision_requirements_name: ShortText | None = None
    decision_requirements_id: ShortText | None = None
    decision_requirements_key: Key | None = None
    version: Whole | None = None
    tenant_id: ShortText | None = None
    resource_name: ShortText | None = None


DecisionRequirementsSort = Literal[
    "decisionRequirementsKey", "decisionRequirementsName", "version", "decisionRequirementsId", "resourceName", "tenantId"
]
DecisionRequirementsSearch = SearchBody[DecisionRequirementsFilter, DecisionRequirementsSort]


class DecisionRequirements(TypedDict):
    """A version of a DMN file: decisions that may require each other."""

    decisionRequirementsId: str
    decisionRequirementsKey: KeyText
    decisionRequirementsName: str
    resourceName: str
    tenantId: str
    version: int


def _requirements(row: Any) -> DecisionRequirements:
    return {
        "decisionRequirementsId": row.drg_id,
        "decisionRequirementsKey": str(row.resource_key),
        "decisionRequirementsName": row.drg_name,
        "resourceName": row.resource_name,
        "tenantId": TENANT,
        "version": row.drg_version,
    }


REQUIREMENTS = Listing(
    DECISION_REQUIREMENTS, what="决策文件", key="decision_requirements_key", items=each(_requirements), allowed=staff_only
)


@v2.operation(
    "POST",
    "/decision-requirements/search",
    tag="decisionRequirements",
    body=DecisionRequirementsSearch,
    body_optional=True,
    answers={200: PageOf[DecisionRequirements]},
)
def search_decision_requirements(body: DecisionRequirementsSearch) -> Any:
    """查找决策文件 / search decision requirements graphs."""
    return REQUIREMENTS.page(body)


@v2.operation(
    "GET", "/decision-requirements/<key:decision_requirements_key>", tag="decisionRequirements", answers={200: DecisionRequirements}
)
def get_decision_requirements(decision_requirements_key: int) -> Any:
    """一个决策文件 / one version of a decision requirements graph."""
    return REQUIREMENTS.one(decision_requirements_key)


@v2.operation("GET", "/decision-requirements/<key:decision_requirements_key>/xml", tag="decisionRequirements", answers={200: "text/xml"})
def get_decision_requirements_xml(decision_requirements_key: int) -> Response:
    """决策文件原文 / the DMN file as it was deployed."""
    return _file(lambda session: REQUIREMENTS.row(session, decision_requirements_key))


def _file(find: Callable[[Session], Any]) -> Response:
    """The DMN file in which what is found lies."""
    staff_only(actor())
    with engine().reading() as session:
        return Response(store.resource_content(session, find(session).resource_key), mimetype="text/xml")
