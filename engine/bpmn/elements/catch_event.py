"""Catching: what intermediate catch events, receive tasks, boundary events and event subprocess starts share.

Activate: the subscription is evaluated and the token WAITS, or goes on at once (a link, a condition that holds already). What is awaited
and when it occurs is told by trigger: message_event, signal_event, timer_event, conditional_event, error_event, escalation_event,
cancel_event, link_event.
Occurred: the payload is propagated, or stays local if there are output mappings; the losers of an event-based gateway are cancelled; the
token becomes READY and completes.
Cancel: the subscription is closed.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from engine.bpmn.elements import conditional_event, message_event, timer_event
from engine.bpmn.elements.link_event import is_link
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.process import Write
from engine.bpmn.kernel.token import Token, in_order
from engine.bpmn.kernel.variables import deliver
from engine.bpmn.spiff import WAITING
from engine.bpmn.vocabulary import Trigger
from engine.changes import SubscriptionOpened


@dataclass(slots=True)
class Wait:
    """An evaluated subscription: what goes into the token's row, and the message subscription to open."""

    notes: dict[str, Any]
    subscription: SubscriptionOpened | None = None


class CatchingElement(Element):
    """A token that waits for its trigger."""

    def prepare(self, token: Token) -> Any:
        trigger = self.trigger
        if trigger is not None and trigger.kind == "message":
            return Wait({}, self.subscription(token, trigger))
        if trigger is not None and trigger.kind == "signal" and trigger.name is not None:
            return Wait({"signal": expressions.required_text(token, trigger.name)})
        if trigger is not None and trigger.kind == "timer":
            return Wait(timer_event.schedule(token, trigger, token.workflow.process.env.now()))
        return Wait({})

    def subscription(self, token: Token, trigger: Trigger) -> SubscriptionOpened:
        """The message subscription that a token opens now. Raises StepFailed."""
        return message_event.subscription(token, trigger, self, self.shown_event())

    def shown_event(self) -> Element:
        """The event on the diagram that waits."""
        return self

    def activate(self, token: Token, prepared: Any) -> bool:
        if self.trigger is None or is_link(self.trigger):
            return True
        self.wait(token, prepared)
        return False

    def wait(self, token: Token, prepared: Wait) -> None:
        """Open the subscription."""
        process = token.workflow.process
        token.internal_data.update(prepared.notes)
        token._set_state(WAITING)
        process.subscribe(token)
        changes = process.changes
        if prepared.subscription is not None:
            changes.subscriptions.append(prepared.subscription)
        elif "signal" in prepared.notes:
            changes.signal_waits.append((token.id, prepared.notes["signal"]))
        elif self.trigger is not None and self.trigger.kind == "conditional":
            self.test_condition(token, None)

    def run_again(self, token: Token) -> None:
        """The incident of a waiting token is resolved: evaluate its timer or condition again."""
        if token._state != WAITING:
            super().run_again(token)
        elif self.trigger is not None and self.trigger.kind == "timer":
            timer_event.reschedule(token, self.trigger)
        else:
            self.test_condition(token, None)

    def test_condition(self, token: Token, written: Set[Write] | None) -> None:
        if self.trigger is not None and self.trigger.kind == "conditional":
            conditional_event.test_condition(token, self, self.trigger, written)

    def rearm(self, token: Token, changed: set[str] | None) -> None:
        if self.trigger is not None:
            timer_event.rearm(token, self.trigger, changed)

    def timer_due(self, token: Token) -> None:
        timer_event.fire(token, self)

    def occurred(self, token: Token, payload: dict[str, Any], *, repeat: bool) -> None:
        deliver(token, payload)
        gate = token.internal_data.get("gate")
        scope = token.workflow
        if gate is not None:
            for other in [t for t in in_order(scope.live) if t is not token and t.internal_data.get("gate") == gate]:
                scope.cancel_tree(other)
        token._ready()
