"""Messages and signals: publish, correlate at once, broadcast; and who waits for which message."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select
from typing_extensions import TypedDict

from engine import commands
from engine.errors import NotFound
from engine.store import models as m
from engine.store.search_messages import MESSAGE_SUBSCRIPTIONS
from webapp.api.filters import KeyFilter, NumberFilter, SearchBody, TextFilter, TimeFilter, WordOperators
from webapp.api.listing import Listing, PageOf, each
from webapp.api.rendering import key, sure_instant
from webapp.api.types import TENANT, Body, Json, KeyText, Milliseconds, Name, ShortText, Tenant, Timestamp, Variables
from webapp.api.v2 import v2
from webapp.context import actor, engine


class PublishMessage(Body):
    """`timeToLive`: milliseconds that the message waits for later subscribers; 0 (the default): only for those who wait now."""

    name: Name
    correlation_key: ShortText | None = None
    time_to_live: Milliseconds | None = None
    message_id: ShortText | None = None
    variables: Variables | None = None
    tenant_id: Tenant | None = None
    business_id: ShortText | None = None


class PublishedMessage(TypedDict):
    """The message's key."""

    tenantId: str
    messageKey: KeyText


@v2.operation("POST", "/messages/publication", tag="message", body=PublishMessage, answers={200: PublishedMessage})
def publish_message(body: PublishMessage) -> Any:
    """发布消息 / publish a message. 需要“流程运维”权限。"""
    seconds = -(-(body.time_to_live or 0) // 1000)
    with engine().unit_of_work() as session:
        message = commands.publish_message(
            session,
            actor(),
            body.name,
            body.correlation_key or "",
            body.variables or {},
            ttl_seconds=seconds,
            message_id=body.message_id or None,
            business_id=body.business_id,
        )
    return {"tenantId": TENANT, "messageKey": str(message)}


class CorrelateMessage(Body):
    """A message for whoever waits for it at this moment."""

    name: Name
    correlation_key: ShortText | None = None
    variables: Variables | None = None
    tenant_id: Tenant | None = None
    business_id: ShortText | None = None


class CorrelatedMessage(TypedDict):
    """The message's key, and the instance that took it."""

    tenantId: str
    messageKey: KeyText
    processInstanceKey: KeyText


class NobodyWaits(NotFound):
    """没有流程实例在等待消息“{key}”。

    No process instance waits for the message "{key}" (Not Found).
    """


@v2.operation("POST", "/messages/correlation", tag="message", body=CorrelateMessage, answers={200: CorrelatedMessage})
def correlate_message(body: CorrelateMessage) -> Any:
    """送达消息 / correlate a message at once; 404 when nobody waits for it. 需要“流程运维”权限。"""
    with engine().unit_of_work() as session:
        message = commands.publish_message(
            session, actor(), body.name, body.correlation_key or "", body.variables or {}, ttl_seconds=0, business_id=body.business_id
        )
    taken = m.message_correlation.c
    with engine().reading() as session:  # the message was delivered after the commit, in this thread
        instance = session.scalar(select(taken.instance_key).where(taken.message_key == message).order_by(taken.instance_key).limit(1))
    if instance is None:
        raise NobodyWaits(key=body.name)
    return {"tenantId": TENANT, "messageKey": str(message), "processInstanceKey": str(instance)}


class BroadcastSignal(Body):
    """A signal for everybody who waits for it now."""

    signal_name: Name
    variables: Variables | None = None
    tenant_id: Tenant | None = None


class SentSignal(TypedDict):
    """The signal's key."""

    tenantId: str
    signalKey: KeyText


@v2.operation("POST", "/signals/broadcast", tag="signal", body=BroadcastSignal, answers={200: SentSignal})
def broadcast_signal(body: BroadcastSignal) -> Any:
    """广播信号 / broadcast a signal. 需要“流程运维”权限。"""
    with engine().unit_of_work() as session:
        signal = commands.broadcast_signal(session, actor(), body.signal_name, body.variables or {})
    return {"tenantId": TENANT, "signalKey": str(signal)}


State = Literal["CREATED", "CORRELATED", "DELETED", "MIGRATED"]
Kind = Literal["PROCESS_EVENT", "START_EVENT"]


class SubscriptionFilter(Body):
    """What to find."""

    business_id: TextFilter | None = None
    message_subscription_key: KeyFilter | None = None
    process_definition_key: KeyFilter | None = None
    process_definition_id: TextFilter | None = None
    process_definition_name: TextFilter | None = None
    process_definition_version: NumberFilter | None = None
    process_instance_key: KeyFilter | None = None
    element_id: TextFilter | None = None
    element_instance_key: KeyFilter | None = None
    message_subscription_state: State | WordOperators[State] | None = None
    message_subscription_type: Kind | WordOperators[Kind] | None = None
    last_updated_date: TimeFilter | None = None
    message_name: TextFilter | None = None
    correlation_key: TextFilter | None = None
    tenant_id: TextFilter | None = None
    tool_name: TextFilter | None = None
    inbound_connector_type: TextFilter | None = None


SubscriptionSort = Literal[
    "businessId",
    "messageSubscriptionKey",
    "processDefinitionId",
    "processDefinitionName",
    "processDefinitionVersion",
    "processInstanceKey",
    "elementId",
    "elementInstanceKey",
    "messageSubscriptionState",
    "messageSubscriptionType",
    "lastUpdatedDate",
    "messageName",
    "correlationKey",
    "tenantId",
    "toolName",
    "inboundConnectorType",
]
SubscriptionSearch = SearchBody[SubscriptionFilter, SubscriptionSort]


class Subscription(TypedDict):
    """Somebody who waits for a message."""

    businessId: str | None
    messageSubscriptionKey: KeyText
    processDefinitionId: str
    processDefinitionKey: KeyText | None
    processInstanceKey: KeyText | None
    rootProcessInstanceKey: KeyText | None
    elementId: str
    elementInstanceKey: KeyText | None
    messageSubscriptionState: State
    lastUpdatedDate: Timestamp
    messageName: str
    correlationKey: str | None
    messageSubscriptionType: Kind
    toolProperties: dict[str, Json]
    processDefinitionName: str | None
    processDefinitionVersion: int | None
    toolName: str | None
    inboundConnectorType: str | None
    tenantId: str


def _subscription(row: Any) -> Subscription:
    return {
        "businessId": row.business,
        "messageSubscriptionKey": str(row.key),
        "processDefinitionId": row.process_id,
        "processDefinitionKey": key(row.definition),
        "processInstanceKey": key(row.instance_key),
        "rootProcessInstanceKey": key(row.root),
        "elementId": row.element_id,
        "elementInstanceKey": key(row.element_key),
        "messageSubscriptionState": "CREATED",
        "lastUpdatedDate": sure_instant(row.created_at),
        "messageName": row.message_name,
        "correlationKey": row.correlation_key,
        "messageSubscriptionType": row.kind,
        "toolProperties": {},
        "processDefinitionName": row.definition_name or None,
        "processDefinitionVersion": row.definition_version,
        "toolName": None,
        "inboundConnectorType": None,
        "tenantId": TENANT,
    }


SUBSCRIPTION = Listing(MESSAGE_SUBSCRIPTIONS, what="消息订阅", key="message_subscription_key", items=each(_subscription))


@v2.operation(
    "POST",
    "/message-subscriptions/search",
    tag="message",
    body=SubscriptionSearch,
    body_optional=True,
    answers={200: PageOf[Subscription]},
)
def search_message_subscriptions(body: SubscriptionSearch) -> Any:
    """查找等待中的消息 / search who waits for which message: running instances, and start events."""
    return SUBSCRIPTION.page(body)
