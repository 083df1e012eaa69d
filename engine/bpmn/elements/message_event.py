"""Message events (BPMN 2.0.2 §10.5.5): start of a process, intermediate catch and throw, end, boundary and event subprocess start.

Catch: name and correlation key are evaluated when the token begins to wait (a missing or empty key: EXTRACT_VALUE_ERROR, `retry` evaluates
again) and opened as a subscription. The host delivers a message to exactly one subscription of an instance (`correlate`); its variables
are propagated, or stay local if there are output mappings. Boundary and event subprocess keys see the variables of their activity or scope.
Not interrupting: it may come again. Cancel: the subscription is closed.
Throw: a job when the event has a job type, else the engine's own `publish_message`; delivered after the commit.
"""

from __future__ import annotations

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token
from engine.bpmn.vocabulary import JobDefinition, Text, Trigger
from engine.changes import SubscriptionOpened

PUBLISH = Text("publish_message", False)


def subscription(token: Token, trigger: Trigger, element: Element, shown: Element) -> SubscriptionOpened:
    """The subscription that a token opens now; `shown` is the event on the diagram. Raises StepFailed."""
    return SubscriptionOpened(
        token_id=token.id,
        element_id=shown.bpmn_id,
        element_name=shown.bpmn_name or shown.bpmn_id,
        message_name="" if trigger.name is None else expressions.required_text(token, trigger.name),
        correlation_key="" if trigger.correlation_key is None else expressions.required_text(token, trigger.correlation_key),
        interrupting=element.interrupting,
        properties={name: expressions.property_text(token, value) for name, value in shown.ext.properties.items()},
    )


def publication(trigger: Trigger) -> JobDefinition:
    """The job of a throw event without a job type (plain BPMN): the message's name is a header."""
    return JobDefinition(PUBLISH, headers={"messageName": trigger.name.text if trigger.name is not None else ""})
