"""Element instances: where the tokens of an instance are and have been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine.bpmn import ElementInfo
from engine.definitions import process_model
from engine.store import models as m
from engine.store.models import element_key
from engine.store.search import Condition, Source
from engine.store.search_sources import ELEMENT_INSTANCES, visible_instances
from engine.store.search_words import element_word, with_words
from webapp.api.filters import (
    KeyFilter,
    SearchBody,
    TextFilter,
    TimeFilter,
    WordOperators,
)
from webapp.api.listing import Listing, PageOf, anybody
from webapp.api.rendering import instant, key, sure_instant
from webapp.api.types import TENANT, Body, Key, KeyText, ShortText, Timestamp
from webapp.api.v2 import v2
from webapp.api.v2.wildcards import text_holds

Type = Literal[
    "UNSPECIFIED",
    "PROCESS",
    "SUB_PROCESS",
    "EVENT_SUB_PROCESS",
    "AD_HOC_SUB_PROCESS",
    "AD_HOC_SUB_PROCESS_INNER_INSTANCE",
    "START_EVENT",
    "INTERMEDIATE_CATCH_EVENT",
    "INTERMEDIATE_THROW_EVENT",
    "BOUNDARY_EVENT",
    "END_EVENT",
    "SERVICE_TASK",
    "RECEIVE_TASK",
    "USER_TASK",
    "MANUAL_TASK",
    "TASK",
    "EXCLUSIVE_GATEWAY",
    "INCLUSIVE_GATEWAY",
    "PARALLEL_GATEWAY",
    "EVENT_BASED_GATEWAY",
    "SEQUENCE_FLOW",
    "MULTI_INSTANCE_BODY",
    "CALL_ACTIVITY",
    "BUSINESS_RULE_TASK",
    "SCRIPT_TASK",
    "SEND_TASK",
    "UNKNOWN",
]
TYPES: dict[str, Type] = {
    "subProcess": "SUB_PROCESS",
    "transaction": "SUB_PROCESS",
    "adHocSubProcess": "AD_HOC_SUB_PROCESS",
    "startEvent": "START_EVENT",
    "intermediateCatchEvent": "INTERMEDIATE_CATCH_EVENT",
    "intermediateThrowEvent": "INTERMEDIATE_THROW_EVENT",
    "boundaryEvent": "BOUNDARY_EVENT",
    "endEvent": "END_EVENT",
    "serviceTask": "SERVICE_TASK",
    "receiveTask": "RECEIVE_TASK",
    "userTask": "USER_TASK",
    "manualTask": "MANUAL_TASK",
    "task": "TASK",
    "exclusiveGateway": "EXCLUSIVE_GATEWAY",
    "inclusiveGateway": "INCLUSIVE_GATEWAY",
    "parallelGateway": "PARALLEL_GATEWAY",
    "eventBasedGateway": "EVENT_BASED_GATEWAY",
    "callActivity": "CALL_ACTIVITY",
    "businessRuleTask": "BUSINESS_RULE_TASK",
    "scriptTask": "SCRIPT_TASK",
    "sendTask": "SEND_TASK",
}
State = Literal["ACTIVE", "COMPLETED", "TERMINATED"]


class ElementFields(Body):
    """What can be asked of an element instance."""

    process_definition_id: ShortText | None = None
    state: State | WordOperators[State] | None = None
    type: Type | None = None
    element_id: TextFilter | None = None
    element_name: TextFilter | None = None
    has_incident: bool | None = None
    tenant_id: ShortText | None = None
    element_instance_key: Key | None = None
    process_instance_key: Key | None = None
    process_definition_key: KeyFilter | None = None
    incident_key: Key | None = None
    start_date: TimeFilter | None = None
    end_date: TimeFilter | None = None
    element_instance_scope_key: Key | None = None


class ElementFilter(ElementFields):
    """What to find: every field, and of `$or` at least one alternative."""

    any_of: list[ElementFields] | None = Field(None, alias="$or", max_length=20)


ElementSort = Literal[
    "elementInstanceKey",
    "processInstanceKey",
    "processDefinitionKey",
    "processDefinitionId",
    "startDate",
    "endDate",
    "elementId",
    "elementName",
    "type",
    "state",
    "incidentKey",
    "tenantId",
]
ElementSearch = SearchBody[ElementFilter, ElementSort]


class ElementInstance(TypedDict):
    """One passage through an element."""

    processDefinitionId: str | None
    startDate: Timestamp
    endDate: Timestamp | None
    elementId: str
    elementName: str
    type: Type
    state: State
    hasIncident: bool
    tenantId: str
    elementInstanceKey: KeyText
    processInstanceKey: KeyText
    rootProcessInstanceKey: KeyText | None
    processDefinitionKey: KeyText | None
    incidentKey: KeyText | None


def _adapt(session: Session, filters: ElementFields, found: list[Condition]) -> list[Condition]:
    """What only diagrams know becomes (definition, element ids)."""
    plain = [one for one in found if one.field not in {"type", "element_name"}]
    return plain if len(plain) == len(found) else [*plain, Condition("of_element", "eq", _of_diagrams(session, filters))]


def _extended(session: Session, body: ElementSearch) -> Source:
    """Names and kinds stand in the diagrams: who sorts by them has them looked up in a table of those that occur."""
    wanted = {sort.field for sort in body.sort or ()} & {"elementName", "type"}
    if not wanted:
        return ELEMENT_INSTANCES
    infos = [(key, info) for key in _definitions_in(session, body.filter) for info in process_model(session, key).elements.values()]
    words: dict[str, dict[str, str]] = {
        "element_name": {element_word(key, info.id): info.name or info.id for key, info in infos},
        "type": {element_word(key, info.id): TYPES.get(info.kind, "UNKNOWN") for key, info in infos},
    }
    return with_words(ELEMENT_INSTANCES, words)


def _definitions_in(session: Session, filters: ElementFields | None) -> Iterable[int]:
    """The versions that have instances; only the version of one instance when the filter names it."""
    instance = m.process_instance.c
    statement = select(instance.definition_key).distinct()
    if filters is not None and filters.process_instance_key is not None:
        statement = statement.where(instance.key == filters.process_instance_key)
    return session.scalars(statement)


def _of_diagrams(session: Session, filters: ElementFields) -> list[tuple[int, list[str]]]:
    pairs = []
    for definition in session.scalars(select(m.process_definition.c.key)):
        elements = process_model(session, definition).elements.values()
        pairs.append((definition, [element.id for element in elements if _is_wanted(element, filters)]))
    return pairs


def _is_wanted(element: ElementInfo, filters: ElementFields) -> bool:
    kind_fits = filters.type is None or TYPES.get(element.kind, "UNKNOWN") == filters.type
    return kind_fits and (filters.element_name is None or text_holds(filters.element_name, element.name or element.id))


def _elements(session: Session, rows: Any) -> list[ElementInstance]:
    bodies = _multi_instance_bodies(session, rows)
    return [_element(session, row, (row.instance_key, row.token_id) in bodies) for row in rows]


def _multi_instance_bodies(session: Session, rows: Any) -> set[tuple[int, int]]:
    """Those of the rows inside which the same element runs again: the bodies of multi-instances."""
    outer, inner = m.element_event.alias(), m.element_event
    keys = {row.instance_key for row in rows}
    statement = (
        select(outer.c.instance_key, outer.c.token_id)
        .join(inner, (inner.c.instance_key == outer.c.instance_key) & (inner.c.scope_id == outer.c.token_id))
        .where(outer.c.instance_key.in_(keys), inner.c.element_id == outer.c.element_id, outer.c.kind == "entered")
        .distinct()
    )
    return {(instance, token) for instance, token in session.execute(statement)}


def _element(session: Session, row: Any, is_body: bool) -> ElementInstance:
    info = process_model(session, row.definition).elements.get(row.element_id)
    kind: Type = TYPES.get(info.kind, "UNKNOWN") if info is not None else "UNKNOWN"
    return {
        "processDefinitionId": row.process,
        "startDate": sure_instant(row.at),
        "endDate": instant(row.ended_at),
        "elementId": row.element_id,
        "elementName": (info.name if info is not None else "") or row.element_id,
        "type": "MULTI_INSTANCE_BODY" if is_body else kind,
        "state": row.shown_state,
        "hasIncident": row.incident_key is not None,
        "tenantId": TENANT,
        "elementInstanceKey": str(element_key(row.instance_key, row.token_id)),
        "processInstanceKey": str(row.instance_key),
        "rootProcessInstanceKey": key(row.root),
        "processDefinitionKey": key(row.definition),
        "incidentKey": key(row.incident_key),
    }


ELEMENT_INSTANCE = Listing(
    ELEMENT_INSTANCES,
    what="节点实例",
    key="element_instance_key",
    items=_elements,
    allowed=anybody,
    visible=visible_instances,
    adapt=_adapt,
    extended=_extended,
)


@v2.operation(
    "POST",
    "/element-instances/search",
    tag="elementInstance",
    body=ElementSearch,
    body_optional=True,
    answers={200: PageOf[ElementInstance]},
)
def search_element_instances(body: ElementSearch) -> Any:
    """查找节点实例 / search element instances; applicants find those of their own instances."""
    return ELEMENT_INSTANCE.page(body)


@v2.operation("GET", "/element-instances/<key:element_instance_key>", tag="elementInstance", answers={200: ElementInstance})
def get_element_instance(element_instance_key: int) -> Any:
    """一个节点实例 / one element instance."""
    return ELEMENT_INSTANCE.one(element_instance_key)
