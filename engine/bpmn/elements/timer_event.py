"""Timer events (BPMN 2.0.2 §10.5.5): start of a process, intermediate catch, boundary and event subprocess start, interrupting or not.

The text is ISO 8601, static or FEEL: a date-time or date, a duration, or a cycle R[n]/[start/]duration. Months and years are calendar
months (engine.bpmn.kernel.timers). FEEL dates, durations and texts are all taken; null and "" mean unscheduled, R0 never.
Activate: the text is evaluated; what cannot be read is the incident EXTRACT_VALUE_ERROR of the event, its activity goes on.
While waiting: when a variable changes that a FEEL text reads, or the host's values do (`refresh_timers`), it is evaluated again; a
duration counts from when the wait began, a moment that has passed is due at once. A cycle that has fired keeps its rhythm.
Occurred: due timers fire in the order of their dates. A cycle's next repetition is counted from its anchor, so it catches up one by one;
only a non-interrupting event may use one.
Timer starts of a process are the host's: they are listed in ProcessModel.timer_starts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import Step, StepFailed
from engine.bpmn.kernel.process import to_micros
from engine.bpmn.kernel.timers import Cycle, parse_cycle, parse_duration, parse_moment
from engine.bpmn.kernel.token import Token
from engine.bpmn.vocabulary import Text, Trigger
from engine.errors import ExpressionError
from engine.feel import compile_expression


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


def rearm(token: Token, trigger: Trigger, changed: set[str] | None) -> None:
    """Variables changed (None: the host's values): evaluate the timer again if it reads one of them and has not fired."""
    if trigger.expression is None or token.has_incident or token.internal_data.get("fired"):
        return
    if changed is None or _reads(trigger.expression, changed):
        reschedule(token, trigger)


def reschedule(token: Token, trigger: Trigger) -> None:
    """Evaluate a waiting timer again, counted from when the wait began."""
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


def fire(token: Token, element: Element) -> None:
    """The timer is due: note its next repetition, then it has occurred."""
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
            due = _occurrence(parsed, datetime.fromisoformat(anchor), done + 1)
            token.remember(cycle=[text, anchor, done + 1], due=to_micros(due), fired=1)
            process.subscribe(token)
    if not more:
        token.remember(fired=1)
    element.occurred(token, {}, repeat=more)


def _reads(source: Text, names: set[str]) -> bool:
    """Does an expression read one of these variables?"""
    try:
        return bool(compile_expression(source.text).variables & names)
    except ExpressionError:
        return False


def _occurrence(cycle: Cycle, anchor: datetime, number: int) -> datetime:
    """The moment of one repetition (0 = the first): from the explicit start, else one duration after the wait began."""
    return cycle.duration.after(anchor, number if cycle.start is not None else number + 1)
