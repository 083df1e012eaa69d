"""What waits for a number of working days follows the calendar: when its days change, due dates of open user tasks and timers whose FEEL
counts working days are evaluated again, with now() as it was when the wait began. A timer that has passed by the new calendar is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from engine.bpmn.elements.user_task import UserTask
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.token import in_order
from engine.bpmn.spiff import WAITING
from engine.bpmn.vocabulary import Text
from engine.changes import UserTaskChanged

if TYPE_CHECKING:
    from engine.bpmn.interface import Environment
    from engine.bpmn.kernel.process import Process
    from engine.bpmn.kernel.token import Token

FUNCTIONS = "workday"
"""Part of the names of the FEEL functions over working days: add workdays, count workdays, is workday."""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """When an open user task was created, and when it is due."""

    created_at: datetime
    due: datetime | None


def counts_working_days(source: Text | None) -> bool:
    """Whether an expression asks the working calendar."""
    return source is not None and source.is_feel and FUNCTIONS in source.text


def follow_calendar(process: Process, tasks: Mapping[int, OpenTask]) -> dict[int, datetime | None]:
    """Evaluate again what counts working days -> the new due dates of the user tasks (`tasks`, by token) that moved."""
    for token in in_order(process.watched_timers):
        trigger, since = token.task_spec.trigger, token.internal_data.get("since")
        if token._state == WAITING and trigger is not None and counts_working_days(trigger.expression) and since is not None:
            with _as_of(process, datetime.fromisoformat(since)):
                token.task_spec.rearm(token, None)
    moved = {}
    for token_id, task in tasks.items():
        live = process.tokens.get(token_id)
        if live is not None and live.live and isinstance(live.task_spec, UserTask):
            due = _due(process, live, live.task_spec, task)
            if due != task.due:
                moved[token_id] = due
                process.changes.changed_user_tasks.append(UserTaskChanged(token_id, {"due_date": due}))
    return moved


def _due(process: Process, token: Token, element: UserTask, task: OpenTask) -> datetime | None:
    """When a task is due by the present calendar; as before when that cannot be said any more."""
    if not counts_working_days(element.ext.assignment.due_date):
        return task.due
    try:
        with _as_of(process, task.created_at):
            return element.due(token)
    except StepFailed:
        return task.due


@contextmanager
def _as_of(process: Process, moment: datetime) -> Iterator[None]:
    """Expressions see another now()."""
    env = process.env
    process.env = cast("Environment", _Then(env, moment))
    try:
        yield
    finally:
        process.env = env


class _Then:
    """The process's environment at another moment; everything but time is the environment's own."""

    def __init__(self, env: Environment, moment: datetime) -> None:
        self._env, self._moment = env, moment.astimezone(env.now().tzinfo)
        self.feel = replace(env.feel, now=self.now)

    def now(self) -> datetime:
        return self._moment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)
