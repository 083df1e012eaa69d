"""Catching: intermediate catch events, receive tasks, and what boundary events and event subprocess starts share with them.

Activate: the subscription is evaluated (message name and correlation key, signal name, timer) and the token WAITS. A null timer means
unscheduled; a condition that holds already fires at once. A link catch event passes through.
Occurred: the payload is propagated, or stays local if there are output mappings; the losers of an event-based gateway are cancelled; the
token becomes READY and completes.
While waiting: a timer whose expression reads a variable that changes is evaluated again (a duration counts from when the wait began); a
condition fires when it turns from false to true.
Cancel: the subscription is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.bpmn import spiff
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import Step, StepFailed
from engine.bpmn.kernel.process import to_micros
from engine.bpmn.kernel.timers import Cycle, parse_cycle, parse_duration, parse_moment
from engine.bpmn.kernel.token import Token, in_order
from engine.bpmn.kernel.variables import deliver
from engine.bpmn.spiff import WAITING
from engine.bpmn.vocabulary import Text, Trigger
from engine.changes import SubscriptionOpened
from engine.errors import ExpressionError
from engine.feel import compile_expression


@dataclass(slots=True)
class Wait:
    """An evaluated subscription: what goes into the token's row, and the message subscription to open."""

    notes: dict[str, Any]
    subscription: SubscriptionOpened | None = None


class CatchingElement(Element):
    """A token that waits for its trigger."""

    def prepare(self, token: Token) -> Any:
        trigger = self.trigger
        if trigger is None or trigger.kind in ("link", "error", "escalation", "cancel", "compensate", "conditional"):
            return Wait({})
        if trigger.kind == "message":
            return Wait({}, self.subscription(token, trigger))
        if trigger.kind == "signal" and trigger.name is not None:
            return Wait({"signal": expressions.required_text(token, trigger.name)})
        return Wait(schedule(token, trigger, token.workflow.process.env.now()))

    def subscription(self, token: Token, trigger: Trigger) -> SubscriptionOpened:
        """The message subscription that a token opens now. Raises StepFailed."""
        name = "" if trigger.name is None else expressions.required_text(token, trigger.name)
        key = "" if trigger.correlation_key is None else expressions.required_text(token, trigger.correlation_key)
        shown = self.shown_event()
        return SubscriptionOpened(
            token_id=token.id,
            element_id=shown.bpmn_id,
            element_name=shown.bpmn_name or shown.bpmn_id,
            message_name=name,
            correlation_key=key,
            interrupting=self.interrupting,
            properties=dict(shown.ext.properties),
        )

    def shown_event(self) -> Element:
        """The event on the diagram that waits."""
        return self

    def activate(self, token: Token, prepared: Any) -> bool:
        if self.trigger is None or self.trigger.kind == "link":
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
            self.test_condition(token, set())

    def run_again(self, token: Token) -> None:
        """The incident of a waiting token is resolved: evaluate its timer or condition again."""
        if token._state != WAITING:
            super().run_again(token)
        elif self.trigger is not None and self.trigger.kind == "timer":
            self._reschedule(token, self.trigger)
        elif self.trigger is not None and self.trigger.kind == "conditional":
            self.test_condition(token, set())

    # ------------------------------------------------------------------ conditions and timers
    def test_condition(self, token: Token, changed: set[str]) -> None:
        trigger = self.trigger
        if trigger is None or trigger.expression is None or token.has_incident:
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
                self.occurred(token, {}, repeat=True)

    def rearm(self, token: Token, changed: set[str] | None) -> None:
        trigger = self.trigger
        if trigger is None or trigger.expression is None or token.has_incident or token.internal_data.get("fired"):
            return
        if changed is None or _reads(trigger.expression, changed):
            self._reschedule(token, trigger)

    def _reschedule(self, token: Token, trigger: Trigger) -> None:
        process = token.workflow.process
        since = token.internal_data.get("since")
        try:
            notes = schedule(token, trigger, process.env.now() if since is None else datetime.fromisoformat(since))
        except StepFailed as failure:
            token.stop(failure, Step.RUN)
            return
        process.timers.pop(token.id, None)
        token.forget("due", "cycle")
        token.remember(**notes)
        process.subscribe(token)

    def timer_due(self, token: Token) -> None:
        process = token.workflow.process
        cycle = token.internal_data.get("cycle")
        process.timers.pop(token.id, None)
        token.forget("due")
        more = False
        if cycle is not None:
            text, anchor, done = cycle
            parsed = parse_cycle(text, None)
            more = parsed.repetitions is None or done + 1 < parsed.repetitions
            if more:
                start = datetime.fromisoformat(anchor)
                due = _occurrence(parsed, start, done + 1)
                token.remember(cycle=[text, anchor, done + 1], due=to_micros(due), fired=1)
                process.subscribe(token)
        if not more:
            token.remember(fired=1)
        self.occurred(token, {}, repeat=more)

    def occurred(self, token: Token, payload: dict[str, Any], *, repeat: bool) -> None:
        deliver(token, payload)
        gate = token.internal_data.get("gate")
        scope = token.workflow
        if gate is not None:
            for other in [t for t in in_order(scope.live) if t is not token and t.internal_data.get("gate") == gate]:
                scope.cancel_tree(other)
        token._ready()


def _reads(source: Text, names: set[str]) -> bool:
    """Does an expression read one of these variables?"""
    try:
        return bool(compile_expression(source.text).variables & names)
    except ExpressionError:
        return False


def _occurrence(cycle: Cycle, anchor: datetime, number: int) -> datetime:
    """The moment of one repetition (0 = the first): from the explicit start, else one duration after the wait began."""
    return cycle.duration.after(anchor, number if cycle.start is not None else number + 1)


def schedule(token: Token, trigger: Trigger, since: datetime) -> dict[str, Any]:
    """Evaluate a timer: {"due": microseconds, ...}, without "due" when it is null. Raises StepFailed."""
    source = trigger.expression
    if source is None:
        return {}
    written = expressions.json(token, source)
    notes: dict[str, Any] = {"since": since.isoformat()} if source.is_feel else {}
    if written is None or written == "":
        return notes
    try:
        if not isinstance(written, str):
            raise ValueError(written)
        if trigger.timer_kind == "cycle":
            cycle = parse_cycle(written, since.tzinfo)
            anchor = cycle.start or since
            if cycle.repetitions == 0:
                return notes
            due = _occurrence(cycle, anchor, 0)
            return {**notes, "cycle": [written, anchor.isoformat(), 0], "due": to_micros(due)}
        is_duration = written.lstrip("-").startswith("P")
        due = parse_duration(written).after(since) if is_duration else parse_moment(written, since.tzinfo)
    except (ValueError, OverflowError) as error:
        message = f"定时器“{source.text}”得到的 {written!s} 不是 ISO 8601 的日期、时长或周期。"
        raise StepFailed(expressions.VALUE_ERROR, message, {"expression": source.text, "result": written}) from error
    return {**notes, "due": to_micros(due)}


class IntermediateCatchEvent(CatchingElement, spiff.IntermediateCatchEvent):
    """bpmn:intermediateCatchEvent."""


class ReceiveTask(CatchingElement, spiff.ReceiveTask):
    """bpmn:receiveTask: an activity (loops, boundary events, mappings) that waits for its message."""


class StartEvent(CatchingElement, spiff.StartEvent):
    """bpmn:startEvent: its trigger has happened when a token gets here."""

    def prepare(self, token: Token) -> Any:
        return None

    def activate(self, token: Token, prepared: Any) -> bool:
        return True
