"""Incidents: find what is stuck, of one instance or of all, and do the failed step again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine import commands
from engine.policy import require_watch
from engine.store import models as m
from engine.store.models import element_key, split_key
from engine.store.search import AnyOf, Condition
from engine.store.search_sources import INCIDENTS
from webapp.api.filters import KeyFilter, SearchBody, TextFilter, TimeFilter, WordOperators
from webapp.api.listing import Listing, PageOf, each
from webapp.api.rendering import key, sure_instant
from webapp.api.types import TENANT, Body, KeyText, OperationReference, Timestamp
from webapp.api.v2 import v2
from webapp.api.v2.elements import ELEMENT_INSTANCE
from webapp.api.v2.process_instances import PROCESS_INSTANCE
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
    "SECRET_RESOLUTION_ERROR",
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


INCIDENT = Listing(INCIDENTS, what="异常", key="incident_key", items=each(_incident))


@v2.operation("POST", "/incidents/search", tag="incident", body=IncidentSearch, body_optional=True, answers={200: PageOf[Incident]})
def search_incidents(body: IncidentSearch) -> Any:
    """查找异常 / search incidents."""
    return INCIDENT.page(body)


@v2.operation(
    "POST",
    "/process-instances/<key:process_instance_key>/incidents/search",
    tag="processInstance",
    body=IncidentSearch,
    body_optional=True,
    answers={200: PageOf[Incident]},
)
def search_process_instance_incidents(process_instance_key: int, body: IncidentSearch) -> Any:
    """一个流程实例及其调用的流程的异常 / incidents of an instance and of what it called."""
    require_watch(actor())
    with engine().reading() as session:
        PROCESS_INSTANCE.row(session, process_instance_key)
        family = [process_instance_key, *_called(session, [process_instance_key])]
        return INCIDENT.page_in(session, body, more=[Condition("process_instance_key", "in", family)])


@v2.operation(
    "POST",
    "/element-instances/<key:element_instance_key>/incidents/search",
    tag="elementInstance",
    body=IncidentSearch,
    body_optional=True,
    answers={200: PageOf[Incident]},
)
def search_element_instance_incidents(element_instance_key: int, body: IncidentSearch) -> Any:
    """一个节点实例、其内部及其调用的流程的异常 / incidents of an element instance, of what runs inside it, and of what that called."""
    require_watch(actor())
    with engine().reading() as session:
        instance_key = ELEMENT_INSTANCE.row(session, element_instance_key).instance_key
        inside = _inside(session, instance_key, split_key(element_instance_key)[1])
        called = _called(session, [instance_key], inside)
        here = Condition("element_instance_key", "in", [element_key(instance_key, token) for token in inside])
        return INCIDENT.page_in(session, body, more=[AnyOf(((here,), (Condition("process_instance_key", "in", called),)))])


def _called(session: Session, instance_keys: list[int], tokens: Iterable[int] | None = None) -> list[int]:
    """Everything that the instances called, however deep; `tokens`: only what these tokens of theirs called."""
    keys: list[int] = []
    table = m.process_instance.c
    statement = select(table.key).where(table.parent_key.in_(instance_keys))
    layer = list(session.scalars(statement if tokens is None else statement.where(table.parent_token.in_(list(tokens)))))
    while layer:
        keys += layer
        layer = list(session.scalars(select(table.key).where(table.parent_key.in_(layer))))
    return keys


def _inside(session: Session, instance_key: int, token_id: int) -> set[int]:
    """The token and those of the scopes below it."""
    event = m.element_event.c
    entered = select(event.token_id, event.scope_id).where(event.instance_key == instance_key, event.kind == "entered").order_by(event.id)
    inside = {token_id}
    inside.update(token for token, scope in session.execute(entered) if scope in inside)  # a scope is entered before what is in it
    return inside


@v2.operation("GET", "/incidents/<key:incident_key>", tag="incident", answers={200: Incident})
def get_incident(incident_key: int) -> Any:
    """一个异常 / one incident."""
    return INCIDENT.one(incident_key)


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
