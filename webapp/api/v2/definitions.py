"""Process definitions, forms and decision definitions: what is deployed, its XML, and how much of it runs."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.bpmn import ProcessModel
from engine.definitions import process_model
from engine.errors import Forbidden
from engine.store import definitions as store
from engine.store.search import AnyOf, Condition, search
from engine.store.search_sources import DECISION_DEFINITIONS, PROCESS_DEFINITIONS
from handlers.directory import service as directory
from webapp.api.filters import KeyFilter, PageInfo, SearchBody, TextFilter, conditions, found_page, page_info
from webapp.api.types import TENANT, Body, Key, KeyText, ShortText, Whole
from webapp.api.v2 import v2
from webapp.context import actor, engine


def staff_only() -> None:
    """Definitions show how offices work inside: applicants have no business here."""
    if not directory.is_staff(actor()):
        raise Forbidden(reason="流程定义供部门人员查阅")


class ProcessDefinitionFilter(Body):
    """What to find."""

    name: TextFilter | None = None
    is_latest_version: bool | None = None
    resource_name: ShortText | None = None
    version: Whole | None = None
    version_tag: ShortText | None = None
    process_definition_id: TextFilter | None = None
    tenant_id: ShortText | None = None
    process_definition_key: KeyFilter | None = None
    has_start_form: bool | None = None
    state: Literal["ACTIVE", "DRAINING", "DELETED"] | None = None


ProcessDefinitionSort = Literal["processDefinitionKey", "name", "resourceName", "version", "versionTag", "processDefinitionId", "tenantId"]


class ProcessDefinition(TypedDict):
    """A version of a process."""

    name: str | None
    resourceName: str
    version: int
    versionTag: str | None
    processDefinitionId: str
    tenantId: str
    processDefinitionKey: KeyText
    hasStartForm: bool
    state: str


class ProcessDefinitionPage(TypedDict):
    """A page of process definitions."""

    items: list[ProcessDefinition]
    page: PageInfo


class Form(TypedDict):
    """A form; `schema` is its JSON as text."""

    tenantId: str
    formId: str
    schema: str
    version: int
    formKey: KeyText


@v2.operation(
    "POST",
    "/process-definitions/search",
    tag="processDefinition",
    body=SearchBody[ProcessDefinitionFilter, ProcessDefinitionSort],
    body_optional=True,
    answers={200: ProcessDefinitionPage},
)
def search_process_definitions(body: SearchBody[ProcessDefinitionFilter, ProcessDefinitionSort]) -> Any:
    """查找流程定义 / search process definitions."""
    staff_only()
    with engine().reading() as session:
        page = found_page(session, PROCESS_DEFINITIONS, body, ready=_conditions(session, body.filter))
        return {"items": [_process_definition(session, row) for row in page.rows], "page": page_info(page)}


def _conditions(session: Session, filters: ProcessDefinitionFilter | None) -> list[Condition | AnyOf]:
    """Whether there is a start form only the diagram knows."""
    found = conditions(filters)
    if filters is not None and filters.has_start_form is not None:
        found = [c for c in found if not (isinstance(c, Condition) and c.field == "has_start_form")]
        rows = search(session, PROCESS_DEFINITIONS, found).rows
        keys = [row.key for row in rows if (_start_form(process_model(session, row.key)) is not None) == filters.has_start_form]
        found.append(Condition("process_definition_key", "in", keys))
    return found


def _process_definition(session: Session, row: Any) -> ProcessDefinition:
    return {
        "name": row.name or None,
        "resourceName": row.resource_name,
        "version": row.version,
        "versionTag": row.version_tag,
        "processDefinitionId": row.process_id,
        "tenantId": TENANT,
        "processDefinitionKey": str(row.key),
        "hasStartForm": _start_form(process_model(session, row.key)) is not None,
        "state": "ACTIVE",
    }


def _start_form(model: ProcessModel) -> str | None:
    forms = (element.form_id for element in model.elements.values() if element.kind == "startEvent" and not element.parent)
    return next((form for form in forms if form), None)


@v2.operation("GET", "/process-definitions/<key:process_definition_key>", tag="processDefinition", answers={200: ProcessDefinition})
def get_process_definition(process_definition_key: int) -> Any:
    """一个流程版本 / one version of a process."""
    staff_only()
    with engine().reading() as session:
        return _process_definition(session, store.by_key(session, "process", process_definition_key))


@v2.operation("GET", "/process-definitions/<key:process_definition_key>/xml", tag="processDefinition", answers={200: "text/xml"})
def get_process_definition_xml(process_definition_key: int) -> Response:
    """流程图原文 / the diagram as it was deployed."""
    staff_only()
    with engine().reading() as session:
        row = store.by_key(session, "process", process_definition_key)
        return Response(store.resource_content(session, row.resource_key), mimetype="text/xml")


@v2.operation("GET", "/process-definitions/<key:process_definition_key>/form", tag="processDefinition", answers={200: Form, 204: None})
def get_start_process_form(process_definition_key: int) -> Any:
    """启动表单 / the form of the start event; 204 when there is none."""
    staff_only()
    with engine().reading() as session:
        row = store.by_key(session, "process", process_definition_key)
        form_id = _start_form(process_model(session, row.key))
        form = store.bound(session, "form", form_id, "deployment", row.deployment_key) if form_id else None
        form = form or (store.latest(session, "form", form_id) if form_id else None)
        return None if form is None else form_json(form)


def form_json(row: Any) -> Form:
    """A form's row as the API shows it."""
    return {"tenantId": TENANT, "formId": row.form_id, "schema": row.body, "version": row.version, "formKey": str(row.key)}


@v2.operation("GET", "/forms/<key:form_key>", tag="form", answers={200: Form})
def get_form_by_key(form_key: int) -> Any:
    """一个表单版本 / one version of a form."""
    staff_only()
    with engine().reading() as session:
        return form_json(store.by_key(session, "form", form_key))


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


class DecisionDefinitionPage(TypedDict):
    """A page of decision definitions."""

    items: list[DecisionDefinition]
    page: PageInfo


@v2.operation(
    "POST",
    "/decision-definitions/search",
    tag="decisionDefinition",
    body=SearchBody[DecisionDefinitionFilter, DecisionDefinitionSort],
    body_optional=True,
    answers={200: DecisionDefinitionPage},
)
def search_decision_definitions(body: SearchBody[DecisionDefinitionFilter, DecisionDefinitionSort]) -> Any:
    """查找决策 / search decisions."""
    staff_only()
    with engine().reading() as session:
        page = found_page(session, DECISION_DEFINITIONS, body)
    return {"items": [_decision_definition(row) for row in page.rows], "page": page_info(page)}


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


@v2.operation("GET", "/decision-definitions/<key:decision_definition_key>/xml", tag="decisionDefinition", answers={200: "text/xml"})
def get_decision_definition_xml(decision_definition_key: int) -> Response:
    """决策表原文 / the DMN file as it was deployed."""
    staff_only()
    with engine().reading() as session:
        row = store.by_key(session, "decision", decision_definition_key)
        return Response(store.resource_content(session, row.resource_key), mimetype="text/xml")
