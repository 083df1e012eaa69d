"""Process instances: start, find, look at, cancel; how often each element was passed, and which flows were taken."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine import commands
from engine.store import reads
from engine.store.error_hash import messages_with_hash
from engine.store.search import Condition
from engine.store.search_sources import PROCESS_INSTANCES, visible_instances
from webapp.api.filters import (
    KeyFilter,
    NumberFilter,
    SearchBody,
    TextFilter,
    TimeFilter,
    VariableFilter,
    WordOperators,
)
from webapp.api.listing import Listing, PageOf, anybody, each
from webapp.api.rendering import instant, key, sure_instant
from webapp.api.types import TENANT, Body, KeyText, OperationReference, ShortText, Timestamp
from webapp.api.v2 import v2
from webapp.api.v2.applicants import refuse_variables
from webapp.context import actor, engine

State = Literal["ACTIVE", "COMPLETED", "SUSPENDED", "TERMINATED"]
ElementState = Literal["ACTIVE", "COMPLETED", "TERMINATED"]


class InstanceFields(Body):
    """What can be asked of an instance; `elementId`, its state and its incident are asked of one and the same passage."""

    process_definition_id: TextFilter | None = None
    process_definition_name: TextFilter | None = None
    process_definition_version: NumberFilter | None = None
    process_definition_version_tag: TextFilter | None = None
    process_definition_key: KeyFilter | None = None
    start_date: TimeFilter | None = None
    end_date: TimeFilter | None = None
    suspended_date: TimeFilter | None = None
    state: State | WordOperators[State] | None = None
    has_incident: bool | None = None
    tenant_id: TextFilter | None = None
    variables: list[VariableFilter] | None = Field(None, max_length=20)
    process_instance_key: KeyFilter | None = None
    parent_process_instance_key: KeyFilter | None = None
    parent_element_instance_key: KeyFilter | None = None
    business_id: TextFilter | None = None
    batch_operation_id: TextFilter | None = None
    batch_operation_key: TextFilter | None = None
    error_message: TextFilter | None = None
    has_retries_left: bool | None = None
    element_instance_state: ElementState | WordOperators[ElementState] | None = None
    element_id: TextFilter | None = None
    has_element_instance_incident: bool | None = None
    incident_error_hash_code: NumberFilter | None = None
    tags: list[ShortText] | None = Field(None, max_length=20)

    @model_validator(mode="after")
    def one_batch_operation(self) -> Self:
        """By its id, as of old, or by its key."""
        if self.batch_operation_id is not None and self.batch_operation_key is not None:
            raise ValueError("give batchOperationId or batchOperationKey")
        return self


class InstanceFilter(InstanceFields):
    """What to find: every field, and of `$or` at least one alternative."""

    any_of: list[InstanceFields] | None = Field(None, alias="$or", max_length=20)


InstanceSort = Literal[
    "processInstanceKey",
    "processDefinitionId",
    "processDefinitionName",
    "processDefinitionVersion",
    "processDefinitionVersionTag",
    "processDefinitionKey",
    "parentProcessInstanceKey",
    "parentElementInstanceKey",
    "startDate",
    "endDate",
    "suspendedDate",
    "state",
    "hasIncident",
    "tenantId",
    "businessId",
]
InstanceSearch = SearchBody[InstanceFilter, InstanceSort]


class ProcessInstance(TypedDict):
    """A process instance."""

    processDefinitionId: str
    processDefinitionName: str | None
    processDefinitionVersion: int
    processDefinitionVersionTag: str | None
    startDate: Timestamp
    endDate: Timestamp | None
    suspendedDate: Timestamp | None
    state: State
    hasIncident: bool
    tenantId: str
    processInstanceKey: KeyText
    processDefinitionKey: KeyText
    parentProcessInstanceKey: KeyText | None
    parentElementInstanceKey: KeyText | None
    rootProcessInstanceKey: KeyText | None
    tags: list[str]
    businessId: str | None


def instance_json(row: Any) -> ProcessInstance:
    """A row of PROCESS_INSTANCES as the API shows it."""
    return {
        "processDefinitionId": row.process_id,
        "processDefinitionName": row.definition_name or None,
        "processDefinitionVersion": row.definition_version,
        "processDefinitionVersionTag": row.definition_version_tag,
        "startDate": sure_instant(row.started_at),
        "endDate": instant(row.ended_at),
        "suspendedDate": instant(row.suspended_at) if row.state == "ACTIVE" else None,
        "state": row.shown_state,
        "hasIncident": row.incidents > 0,
        "tenantId": TENANT,
        "processInstanceKey": str(row.key),
        "processDefinitionKey": str(row.definition_key),
        "parentProcessInstanceKey": key(row.parent_key),
        "parentElementInstanceKey": key(row.parent_element_key),
        "rootProcessInstanceKey": key(row.root_key),
        "tags": [],
        "businessId": row.business_id,
    }


ELEMENT_FIELDS = {"element_id": "element_id", "element_instance_state": "state", "has_element_instance_incident": "has_incident"}


def _adapt(session: Session, _filters: InstanceFields, found: list[Condition]) -> list[Condition]:
    """What is asked of one element instance is one condition; messages are found by their hash only when they are looked through."""
    element = [Condition(ELEMENT_FIELDS[one.field], one.operator, one.value) for one in found if one.field in ELEMENT_FIELDS]
    hashes = [one for one in found if one.field == "incident_error_hash_code"]
    kept = [one for one in found if one.field not in ELEMENT_FIELDS and one not in hashes]
    adapted = [Condition("batch_operation_key", one.operator, one.value) if one.field == "batch_operation_id" else one for one in kept]
    if hashes:
        adapted.append(Condition("error_message", "in", messages_with_hash(session, hashes)))
    return [*adapted, Condition("element", "eq", tuple(element))] if element else adapted


PROCESS_INSTANCE = Listing(
    PROCESS_INSTANCES,
    what="流程实例",
    key="process_instance_key",
    items=each(instance_json),
    allowed=anybody,
    visible=visible_instances,
    adapt=_adapt,
)


@v2.operation(
    "POST",
    "/process-instances/search",
    tag="processInstance",
    body=InstanceSearch,
    body_optional=True,
    answers={200: PageOf[ProcessInstance]},
)
def search_process_instances(body: InstanceSearch) -> Any:
    """查找流程实例 / search process instances; applicants find their own, and cannot ask for variables."""
    refuse_variables(body.filter)
    return PROCESS_INSTANCE.page(body)


@v2.operation("GET", "/process-instances/<key:process_instance_key>", tag="processInstance", answers={200: ProcessInstance})
def get_process_instance(process_instance_key: int) -> Any:
    """一个流程实例 / one process instance."""
    return PROCESS_INSTANCE.one(process_instance_key)


class CancelInstance(Body):
    """Nothing is needed."""

    operation_reference: OperationReference | None = None


@v2.operation(
    "POST",
    "/process-instances/<key:process_instance_key>/cancellation",
    tag="processInstance",
    body=CancelInstance,
    body_optional=True,
    answers={204: None},
)
def cancel_process_instance(process_instance_key: int, body: CancelInstance) -> None:
    """终止流程实例及其调用的流程 / cancel the instance and what it called. 需要“流程运维”权限。"""
    reason = "REST API" if body.operation_reference is None else f"REST API, operationReference {body.operation_reference}"
    with engine().unit_of_work() as session:
        commands.cancel_instance(session, actor(), process_instance_key, reason)


class ElementStatistics(TypedDict):
    """How often an element was passed."""

    elementId: str
    active: int
    canceled: int
    incidents: int
    completed: int


class InstanceStatistics(TypedDict):
    """One entry for each element that was entered."""

    items: list[ElementStatistics]


@v2.operation(
    "GET",
    "/process-instances/<key:process_instance_key>/statistics/element-instances",
    tag="processInstance",
    answers={200: InstanceStatistics},
)
def get_process_instance_statistics(process_instance_key: int) -> Any:
    """各节点经过的次数 / how often each element was passed, for the heat on the diagram."""
    with engine().reading() as session:
        PROCESS_INSTANCE.row(session, process_instance_key)
        history = reads.element_history(session, process_instance_key)
        stuck = Counter(row.element_id for row in reads.incidents_of_instance(session, process_instance_key))
    states: dict[str, Counter[str]] = {}
    for element in history:
        states.setdefault(element.element_id, Counter())[element.state] += 1
    return {"items": [_statistics(element, counts, stuck[element]) for element, counts in states.items()]}


def _statistics(element_id: str, counts: Counter[str], incidents: int) -> ElementStatistics:
    return {
        "elementId": element_id,
        "active": counts["ACTIVE"] - incidents,
        "canceled": counts["TERMINATED"],
        "incidents": incidents,
        "completed": counts["COMPLETED"] + counts["MERGED"],
    }


class SequenceFlow(TypedDict):
    """A flow that was taken."""

    sequenceFlowId: str
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None
    processDefinitionKey: KeyText | None
    processDefinitionId: str | None
    elementId: str
    tenantId: str


class SequenceFlows(TypedDict):
    """The flows that were taken, each once."""

    items: list[SequenceFlow]


@v2.operation("GET", "/process-instances/<key:process_instance_key>/sequence-flows", tag="processInstance", answers={200: SequenceFlows})
def get_process_instance_sequence_flows(process_instance_key: int) -> Any:
    """走过的连线 / the sequence flows that were taken."""
    with engine().reading() as session:
        row = PROCESS_INSTANCE.row(session, process_instance_key)
        history = reads.element_history(session, process_instance_key)
    taken = dict.fromkeys(element.flow_id for element in history if element.flow_id)
    return {"items": [_flow(row, flow) for flow in taken]}


def _flow(row: Any, flow_id: str) -> SequenceFlow:
    return {
        "sequenceFlowId": f"{row.key}_{flow_id}",
        "processInstanceKey": str(row.key),
        "rootProcessInstanceKey": key(row.root_key),
        "processDefinitionKey": str(row.definition_key),
        "processDefinitionId": row.process_id,
        "elementId": flow_id,
        "tenantId": TENANT,
    }
