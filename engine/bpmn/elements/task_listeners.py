"""Transitions of a user task that listeners may hold up, correct or deny (zeebe:taskListener; Camunda 8.9, user task listeners).

creating    before the task opens
assigning   before the task opens if the diagram names an assignee, and before somebody is assigned or gives the task back
updating    before other attributes are changed
completing  after somebody submitted the task, before it is closed; the submitted variables reach the diagram only when all have agreed
canceling   when the task is taken away

A listener sees the task's variables and, as headers, what is about to change (io.camunda.zeebe:action, :assignee, :changedAttributes).
Corrections replace attributes of the task when the transition is made. Denied: an assignment or update is dropped, a task that was about to
open with an assignee opens without one, a submitted task is open again as if nothing had happened; creating and canceling cannot be denied.
A listener that denies in the very command (a transactional handler) makes the command a Conflict that shows its reason. While a listener is
pending the task can neither be changed nor completed.

Unlike Camunda, a canceling listener does not hold up what cancels the task (firing is synchronous, design/engine.md §4): a handler of ours
runs within the transaction, any other worker gets its job when the task is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import orjson

from engine.bpmn.interface import Completed
from engine.bpmn.kernel.expressions import VALUE_ERROR
from engine.bpmn.kernel.failure import Step, StepFailed, TransitionDenied
from engine.bpmn.kernel.listeners import NOTE, listener_job, run_listeners
from engine.bpmn.kernel.timers import parse_moment
from engine.bpmn.kernel.token import AT
from engine.bpmn.spiff import READY
from engine.changes import UserTaskChanged
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.bpmn.kernel.token import Token
    from engine.bpmn.vocabulary import Listener

CHANGE, CORRECTIONS, SUBMITTED, HELD = "change", "corrections", "submitted", "held"
"""Notes of a token: the change in progress, what listeners corrected, what a person submitted, and that the task's row says COMPLETING."""
LISTS, MOMENTS = ("candidate_groups", "candidate_users"), ("due_date", "follow_up_date")
HIGHEST_PRIORITY = 100
HEADER = "io.camunda.zeebe:"
ALL_RUN = 1_000_000
"""A listener number behind the last one."""

TaskEvent = Literal["assigning", "updating"]


def typed(token: Token, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as UserTaskOpened has them, from JSON values; an empty text clears. Raises StepFailed for an unknown or unfit one."""
    made: dict[str, Any] = {}
    for name, value in raw.items():
        fits = True
        if name == "assignee":
            fits, made[name] = isinstance(value, str) or value is None, value or None
        elif name in LISTS:
            fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
            made[name] = tuple(value) if fits else ()
        elif name in MOMENTS:
            fits, made[name] = _moment(token, value)
        elif name == "priority":
            fits, made[name] = isinstance(value, int) and 0 <= value <= HIGHEST_PRIORITY, value
        else:
            fits = False
        if not fits:
            raise StepFailed(VALUE_ERROR, f"任务属性 {name} 不能是 {value!r}。", {"attribute": name, "value": value})
    return made


def _moment(token: Token, value: Any) -> tuple[bool, Any]:
    if value is None or value == "":
        return True, None
    try:
        return True, parse_moment(value, token.workflow.process.env.now().tzinfo)
    except (ValueError, AttributeError, TypeError):
        return False, None


def begin_change(token: Token, event: TaskEvent, attributes: Mapping[str, Any], action: str) -> bool:
    """Assign or update an open task: True when it is done, False when a listener is pending. Raises Conflict."""
    if token._state != READY or CHANGE in token.internal_data:
        raise Conflict(reason=f"{token.task_spec.bpmn_id} 现在不能改（is not open, or is being changed）")
    typed(token, attributes)
    token.remember(**{CHANGE: [event, dict(attributes), action]})
    return go_on_changing(token)


def go_on_changing(token: Token) -> bool:
    """Run what is left of a change's listeners, then make the change."""
    event, attributes, _ = token.internal_data[CHANGE]
    ext = token.task_spec.ext
    try:
        if not run_listeners(token, event, ext.assigning_listeners if event == "assigning" else ext.updating_listeners):
            return False
        changed = typed(token, attributes | token.internal_data.get(CORRECTIONS, {}))
    except StepFailed as failure:
        token.stop(failure, Step.ACTIVATE)
        return False
    drop_change(token)
    token.workflow.process.changes.changed_user_tasks.append(UserTaskChanged(token.id, changed))
    return True


def drop_change(token: Token) -> None:
    """The change is made, or not wanted any more."""
    token.forget(CHANGE, CORRECTIONS, NOTE, AT)


def denied(token: Token) -> None:
    """A pending listener denied its transition."""
    phase = token.internal_data[NOTE][0]
    if CHANGE in token.internal_data:
        drop_change(token)
    elif phase == "assigning":
        open_unassigned(token)
        token.task_spec._update(token)
    elif phase == "completing":
        token.forget(NOTE, SUBMITTED, CORRECTIONS, HELD, AT)
        token._set_state(READY)
        token.workflow.process.changes.changed_user_tasks.append(UserTaskChanged(token.id, {"state": "CREATED"}))
    else:
        raise Conflict(reason=f"“{phase}”监听器不能拒绝（the transition cannot be denied）")


def open_unassigned(token: Token) -> None:
    """The assignee that the diagram names was denied: go on without the listeners that are left."""
    token.remember(**{NOTE: ["assigning", ALL_RUN], CORRECTIONS: {**token.internal_data.get(CORRECTIONS, {}), "assignee": ""}})


def run_opening(token: Token, listeners: tuple[Listener, ...]) -> bool:
    """The assigning listeners of a task that opens with an assignee."""
    try:
        return run_listeners(token, "assigning", listeners)
    except TransitionDenied:
        open_unassigned(token)
        return run_listeners(token, "assigning", listeners)


def hold(token: Token) -> None:
    """The completion waits for a listener (or its incident): the task's row says so, once."""
    if HELD not in token.internal_data:
        token.remember(**{HELD: 1})
        token.workflow.process.changes.changed_user_tasks.append(UserTaskChanged(token.id, {"state": "COMPLETING"}))


def tell_cancelled(token: Token) -> None:
    """Run the canceling listeners; what is not done at once becomes a job that outlives the task."""
    process = token.workflow.process
    for listener in token.task_spec.ext.canceling_listeners:
        job = listener_job(token, "canceling", listener)
        if not isinstance(process.env.perform(job), Completed):
            process.changes.jobs.append(job)


def headers(token: Token) -> dict[str, str]:
    """What a task listener is told about the transition besides the variables."""
    change = token.internal_data.get(CHANGE)
    if change is None:
        return {}
    _, attributes, action = change
    seen = attributes | token.internal_data.get(CORRECTIONS, {})
    told = {f"{HEADER}action": action, f"{HEADER}changedAttributes": orjson.dumps(sorted(seen)).decode()}
    if "assignee" in seen:
        told[f"{HEADER}assignee"] = seen["assignee"] or ""
    return told
