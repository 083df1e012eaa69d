"""Who waits for messages, as clients list it: catch events of running instances, and the message start events of the latest versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Text, cast, literal, null, select, union_all

from engine.store import models as m
from engine.store.search import Source
from engine.store.search_sources import TENANT, element_instance_key, no_text
from engine.store.text_hash import hashed_key_column

_subscription, _instance, _definition, _start = m.message_subscription, m.process_instance, m.process_definition, m.start_subscription

START_KEYS = 1 << 62
"""Keys of start events' subscriptions begin here: beyond those of element instances."""


def _definition_columns() -> tuple[Any, ...]:
    return (
        _definition.c.key.label("definition"),
        _definition.c.process_id.label("process_id"),
        _definition.c.name.label("definition_name"),
        _definition.c.version.label("definition_version"),
    )


_catching = (
    select(
        _subscription.c.key.label("key"),
        literal("PROCESS_EVENT").label("kind"),
        _subscription.c.element_id.label("element_id"),
        _subscription.c.message_name.label("message_name"),
        _subscription.c.correlation_key.label("correlation_key"),
        _subscription.c.created_at.label("created_at"),
        _subscription.c.interrupting.label("interrupting"),
        _subscription.c.instance_key.label("instance_key"),
        element_instance_key(_subscription.c.instance_key, _subscription.c.token_id).label("element_key"),
        _instance.c.root_key.label("root"),
        _instance.c.business_id.label("business"),
        *_definition_columns(),
    )
    .join(_instance, _instance.c.key == _subscription.c.instance_key)
    .join(_definition, _definition.c.key == _instance.c.definition_key)
)

_starting = (
    select(
        (literal(START_KEYS, BigInteger()) + hashed_key_column(_start.c.definition_key, _start.c.element_id)).label("key"),
        literal("START_EVENT").label("kind"),
        _start.c.element_id.label("element_id"),
        _start.c.name.label("message_name"),
        cast(null(), Text()).label("correlation_key"),
        m.deployment.c.deployed_at.label("created_at"),
        literal(True).label("interrupting"),
        cast(null(), BigInteger()).label("instance_key"),
        cast(null(), BigInteger()).label("element_key"),
        cast(null(), BigInteger()).label("root"),
        cast(null(), Text()).label("business"),
        *_definition_columns(),
    )
    .join(_definition, _definition.c.key == _start.c.definition_key)
    .join(m.deployment, m.deployment.c.key == _definition.c.deployment_key)
    .where(_start.c.kind == "message")
)

_both = union_all(_catching, _starting).subquery("waiting")

MESSAGE_SUBSCRIPTIONS = Source(
    statement=select(_both),
    fields={
        "message_subscription_key": _both.c.key,
        "message_subscription_type": _both.c.kind,
        "message_subscription_state": literal("CREATED"),
        "process_definition_id": _both.c.process_id,
        "process_definition_key": _both.c.definition,
        "process_definition_name": _both.c.definition_name,
        "process_definition_version": _both.c.definition_version,
        "process_instance_key": _both.c.instance_key,
        "element_instance_key": _both.c.element_key,
        "element_id": _both.c.element_id,
        "message_name": _both.c.message_name,
        "correlation_key": _both.c.correlation_key,
        "business_id": _both.c.business,
        "last_updated_date": _both.c.created_at,
        "tenant_id": literal(TENANT),
        "tool_name": no_text(),
        "inbound_connector_type": no_text(),
    },
    keys=(_both.c.key,),
)
