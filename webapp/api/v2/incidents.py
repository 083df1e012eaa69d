"""Incidents: find what is stuck, of one instance or of all, and do the failed step again."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine import commands
from engine.errors import NotFound
from engine.policy import require_watch
from engine.store import models as m
from engine.store.models import element_key
from engine.store.search import Condition, search
from engine.store.search_sources import INCIDENTS
from webapp.api.filters import KeyFilter, PageInfo, SearchBody, TextFilter, TimeFilter, WordOperators, found_page, page_info
from webapp.api.rendering import key, sure_instant
from webapp.api.types import TENANT, Body, KeyText, OperationReference, Timestamp
from webapp.api.v2 import v2
from webapp.api.v2.process_instances import visible_instance
from webapp.context import actor, engine

ErrorType = Literal[
    "AD_HOC_SUB_PROCESS_NO_RETRIES",
    "CALLED_DECISION_ERROR",
    "CALLED_ELEMENT_ERROR",
    "CONDITION_ERROR",
    "DECISION_EVALUATION_ERROR",
    "EXECUTION_LISTENER_NO_RETRIES",
    "EXTRACT_VALUE_ERROR",
    "FORM_NOT_FOUND",
    "IO_MAPPING_ERROR",
    "JOB_NO_RETRIES",
    "MESSAGE_SIZE_EXCEEDED",
    "RESOURCE_NOT_FOUND",
    "TASK_LISTENER_NO_RETRIES",
    "UNHANDLED_ERROR_EVENT",
    "UNKNOWN",
    "UNSPECIFIED",
]
KNOWN_TYPES = frozenset(ErrorType.__args__)  # type: ignore[attr-defined]  # typing gives Literal its arguments at run time only
State = Literal["ACTIVE", "RESOLVED", "PENDING", "MIGRATED", "UNKNOWN"]


class IncidentFilter(Body):
    """What to find."""

    process_definition_id: TextFilter | None = None
    process_definition_key: KeyFilter | None = None
    process_instance_key: KeyFilter | None = None
    error_type: ErrorType | WordOperators[ErrorType] | None = None
    error_message: TextFilter | None = None
    element_id: TextFilter | None = None
    element_instance_key: KeyFilter | None = None
    creation_time: TimeFilter | None = None
    state: State | WordOperators[State] | None = None
    tenant_id: TextFilter | None = None
    incident_key: KeyFilter | None = None
    job_key: KeyFilter | None = None


IncidentSort = Literal[
    "creationTime",
    "elementId",
    "elementInstanceKey",
    "errorMessage",
    "errorType",
    "incidentKey",
    "jobKey",
    "processDefinitionId",
    "processDefinitionKey",
    "processInstanceKey",
    "state",
    "tenantId",
]
IncidentSearch = SearchBody[IncidentFilter, IncidentSort]


class Incident(TypedDict):
    """Something that failed and waits for a person."""

    processDefinitionId: str
    errorType: ErrorType
    errorMessage: str
    elementId: str
    creationTime: Timestamp
    state: State
    tenantId: str
    incidentKey: KeyText
    processDefinitionKey: KeyText
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None
    elementInstanceKey: KeyText
    jobKey: KeyText | None


class IncidentPage(TypedDict):
    """A page of incidents."""

    items: list[Incident]
    page: PageInfo


@v2.operation("POST", "/incidents/search", tag="incident", body=IncidentSearch, body_optional=True, answers={200: IncidentPage})
def search_incidents(body: IncidentSearch) -> Any:
    """查找异常 / search incidents."""
    require_watch(actor())
    with engine().reading() as session:
        page = found_page(session, INCIDENTS, body)
    return {"items": [_incident(row) for row in page.rows], "page": page_info(page)}


@v2.operation(
    "POST",
    "/process-instances/<key:process_instance_key>/incidents/search",
    tag="processInstance",
    body=IncidentSearch,
    body_optional=True,
    answers={200: IncidentPage},
)
def search_process_instance_incidents(process_instance_key: int, body: IncidentSearch) -> Any:
    """一个流程实例及其调用的流程的异常 / incidents of an instance and of what it called."""
    require_watch(actor())
    with engine().reading() as session:
        visible_instance(session, actor(), process_instance_key)
        page = found_page(session, INCIDENTS, body, more=[Condition("process_instance_key", "in", _family(session, process_instance_key))])
    return {"items": [_incident(row) for row in page.rows], "page": page_info(page)}


def _family(session: Session, instance_key: int) -> list[int]:
    """The instance and everything it called, however deep."""
    keys, layer = [instance_key], [instance_key]
    while layer:
        statement = m.process_instance.select().with_only_columns(m.process_instance.c.key)
        layer = list(session.scalars(statement.where(m.process_instance.c.parent_key.in_(layer))))
        keys += layer
    return keys


@v2.operation("GET", "/incidents/<key:incident_key>", tag="incident", answers={200: Incident})
def get_incident(incident_key: int) -> Any:
    """一个异常 / one incident."""
    require_watch(actor())
    with engine().reading() as session:
        rows = search(session, INCIDENTS, [Condition("incident_key", "eq", incident_key)]).rows
    if not rows:
        raise NotFound(what="异常", key=incident_key)
    return _incident(rows[0])


def _incident(row: Any) -> Incident:
    return {
        "processDefinitionId": row.process,
        "errorType": row.kind if row.kind in KNOWN_TYPES else "UNKNOWN",
        "errorMessage": row.message,
        "elementId": row.element_id,
        "creationTime": sure_instant(row.created_at),
        "state": row.state,
        "tenantId": TENANT,
        "incidentKey": str(row.key),
        "processDefinitionKey": str(row.definition),
        "processInstanceKey": str(row.instance_key),
        "rootProcessInstanceKey": key(row.root),
        "elementInstanceKey": str(element_key(row.instance_key, row.token_id)),
        "jobKey": key(row.job_key),
    }


class ResolveIncident(Body):
    """Nothing is needed."""

    operation_reference: OperationReference | None = None


@v2.operation(
    "POST", "/incidents/<key:incident_key>/resolution", tag="incident", body=ResolveIncident, body_optional=True, answers={204: None}
)
def resolve_incident(incident_key: int, body: ResolveIncident) -> None:
    """处理异常：重做失败的一步 / resolve an incident: the failed step is done again. 需要“流程运维”权限。"""
    with engine().unit_of_work() as session:
        commands.resolve_incident(session, actor(), incident_key)
