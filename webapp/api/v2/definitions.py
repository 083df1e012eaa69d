"""Process definitions and forms: what is deployed, and its XML."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.bpmn import ProcessModel
from engine.definitions import process_model
from engine.errors import Forbidden
from engine.policy import Actor
from engine.store import definitions as store
from engine.store.search import MAX_LIMIT, Condition, PageRequest, search
from engine.store.search_definitions import PROCESS_DEFINITIONS
from handlers.directory import service as directory
from webapp.api.filters import KeyFilter, SearchBody, TextFilter
from webapp.api.listing import Listing, PageOf
from webapp.api.types import TENANT, Body, KeyText, ShortText, Whole
from webapp.api.v2 import v2
from webapp.context import actor, engine


def staff_only(who: Actor) -> None:
    """Definitions show how offices work inside: applicants have no business here."""
    if not directory.is_staff(who):
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
ProcessDefinitionSearch = SearchBody[ProcessDefinitionFilter, ProcessDefinitionSort]


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


class Form(TypedDict):
    """A form; `schema` is its JSON as text."""

    tenantId: str
    formId: str
    schema: str
    version: int
    formKey: KeyText


def _adapt(session: Session, filters: ProcessDefinitionFilter, found: list[Condition]) -> list[Condition]:
    """Whether there is a start form only the diagram knows."""
    if filters.has_start_form is None:
        return found
    plain = [one for one in found if one.field != "has_start_form"]
    rows = search(session, PROCESS_DEFINITIONS, plain, page=PageRequest(limit=MAX_LIMIT)).rows
    keys = [row.key for row in rows if (_start_form(process_model(session, row.key)) is not None) == filters.has_start_form]
    return [*plain, Condition("process_definition_key", "in", keys)]


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


PROCESS_DEFINITION = Listing(
    PROCESS_DEFINITIONS,
    what="流程定义",
    key="process_definition_key",
    items=lambda session, rows: [_process_definition(session, row) for row in rows],
    allowed=staff_only,
    adapt=_adapt,
)


@v2.operation(
    "POST",
    "/process-definitions/search",
    tag="processDefinition",
    body=ProcessDefinitionSearch,
    body_optional=True,
    answers={200: PageOf[ProcessDefinition]},
)
def search_process_definitions(body: ProcessDefinitionSearch) -> Any:
    """查找流程定义 / search process definitions."""
    return PROCESS_DEFINITION.page(body)


@v2.operation("GET", "/process-definitions/<key:process_definition_key>", tag="processDefinition", answers={200: ProcessDefinition})
def get_process_definition(process_definition_key: int) -> Any:
    """一个流程版本 / one version of a process."""
    return PROCESS_DEFINITION.one(process_definition_key)


@v2.operation("GET", "/process-definitions/<key:process_definition_key>/xml", tag="processDefinition", answers={200: "text/xml"})
def get_process_definition_xml(process_definition_key: int) -> Response:
    """流程图原文 / the diagram as it was deployed."""
    staff_only(actor())
    with engine().reading() as session:
        row = store.by_key(session, "process", process_definition_key)
        return Response(store.resource_content(session, row.resource_key), mimetype="text/xml")


@v2.operation("GET", "/process-definitions/<key:process_definition_key>/form", tag="processDefinition", answers={200: Form, 204: None})
def get_start_process_form(process_definition_key: int) -> Any:
    """启动表单 / the form of the start event; 204 when there is none."""
    staff_only(actor())
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
    staff_only(actor())
    with engine().reading() as session:
        return form_json(store.by_key(session, "form", form_key))
