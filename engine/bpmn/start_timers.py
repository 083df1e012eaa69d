"""When the timer start events of a process are due: the first time, and after each start the next.

The text is ISO 8601 or FEEL without variables (a deployment has none). A cycle's moments are counted from its anchor: its start, or the
moment of the deployment; an unbounded one never ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from engine.bpmn.kernel.timers import Cycle, parse_cycle, parse_duration, parse_moment
from engine.bpmn.model import TimerStart
from engine.errors import ExpressionError, Invalid
from engine.feel import Environment, compile_expression, to_json


@dataclass(frozen=True, slots=True)
class Due:
    """The next start. `cycle` is the repeating interval (ISO 8601) counted from `anchor`, of which `done` starts have been made."""

    at: datetime
    anchor: datetime
    cycle: str | None = None
    done: int = 0


def first_due(start: TimerStart, now: datetime, feel: Environment) -> Due | None:
    """The first moment after a deployment at `now`; None when the expression is null or the cycle has no repetition. Raises Invalid."""
    try:
        text = start.expression
        if text.startswith("="):
            text = to_json(compile_expression(text[1:]).evaluate({}, feel))
        if text is None:
            return None
        if start.kind == "cycle":
            return _of_cycle(text, now)
        is_duration = text.lstrip("-").startswith("P")
        return Due(parse_duration(text).after(now) if is_duration else parse_moment(text, now.tzinfo), now)
    except (ValueError, AttributeError, TypeError, OverflowError, ExpressionError) as error:
        raise Invalid(reason=f"定时启动事件“{start.element_id}”的 {start.expression} 不是 ISO 8601 的日期、时长或周期") from error


def _of_cycle(text: str, now: datetime) -> Due | None:
    cycle = parse_cycle(text, now.tzinfo)
    anchor = cycle.start or now
    return None if cycle.repetitions == 0 else Due(_moment(cycle, anchor, 0), anchor, text)


def following(due: Due) -> Due | None:
    """The start after this one; None when there is none."""
    if due.cycle is None:
        return None
    cycle, done = parse_cycle(due.cycle, due.anchor.tzinfo), due.done + 1
    if cycle.repetitions is not None and done >= cycle.repetitions:
        return None
    return replace(due, at=_moment(cycle, due.anchor, done), done=done)


def _moment(cycle: Cycle, anchor: datetime, number: int) -> datetime:
    return cycle.duration.after(anchor, number if cycle.start is not None else number + 1)
