"""Conditional events (BPMN 2.0.2 §10.5.5): intermediate catch, boundary and event subprocess start, interrupting or not; process start.

Activate: a condition that holds already fires at once, on an activity before its work begins.
While waiting: it is looked at whenever variables changed, after the step that changed them; it fires when it turns from false to true, so
a non-interrupting event fires again only after it was false in between (BPMN; Camunda 8.9 fires at every change while it holds). A
variable filter narrows which changes count. A condition that fails is an incident of the event; its activity goes on.
Conditional starts of a process are listed in ProcessModel.conditional_starts; the host evaluates them when asked to.
"""

from __future__ import annotations

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import Step, StepFailed
from engine.bpmn.kernel.token import Token
from engine.bpmn.vocabulary import Trigger


def test_condition(token: Token, element: Element, trigger: Trigger, changed: set[str]) -> None:
    """Look at the condition of a waiting token; no names: in any case."""
    if trigger.expression is None or token.has_incident:
        return
    if changed and trigger.watched and not changed & set(trigger.watched):
        return
    try:
        holds = expressions.value(token, expressions.as_feel(trigger.expression)) is True
    except StepFailed as failure:
        token.stop(failure, Step.RUN)
        return
    if holds != ("holds" in token.internal_data):
        token.remember(holds=1) if holds else token.forget("holds")
        if holds:
            element.occurred(token, {}, repeat=True)
