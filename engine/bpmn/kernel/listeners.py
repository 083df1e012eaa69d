"""Execution and task listeners (zeebe:executionListener, zeebe:taskListener): blocking jobs at points of an element's life.

Execution listeners: "start" after the input mappings, before assignment expressions and subscriptions; their result variables are local.
"end" after the output mappings, before the conditions of the outgoing flows; their results are propagated. Task listeners are described in
engine.bpmn.elements.user_task. Several listeners run in order. A pending one parks the token; a failing one is the incident
EXECUTION_LISTENER_NO_RETRIES or TASK_LISTENER_NO_RETRIES, and `retry` runs that listener again, not those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.bpmn.interface import Completed, Denied, Failed, Pending
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.failure import BpmnThrow, StepFailed, TransitionDenied
from engine.bpmn.kernel.variables import set_variables, visible_json
from engine.changes import NO_RETRIES, JobOpened
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.bpmn.kernel.token import Token
    from engine.bpmn.vocabulary import Listener

NOTE = "listener"
LOCAL = ("start", "creating", "assigning", "updating")
"""Phases whose results are the element's own: it is not done yet."""
DENIABLE = ("assigning", "updating", "completing")
DEFAULT_RETRIES = 3


def run_listeners(token: Token, phase: str, listeners: tuple[Listener, ...]) -> bool:
    """Run what is left of a phase: True when all have run, False when one is pending. Raises StepFailed, BpmnThrow or TransitionDenied."""
    note = token.internal_data.get(NOTE)
    first = note[1] if note is not None and note[0] == phase else 0
    for number in range(first, len(listeners)):
        token.remember(**{NOTE: [phase, number]})
        job = listener_job(token, phase, listeners[number])
        outcome = token.workflow.process.env.perform(job)
        if isinstance(outcome, Pending):
            token.workflow.process.changes.jobs.append(job)
            token.remember(job=1)
            return False
        if isinstance(outcome, Failed):
            raise StepFailed(NO_RETRIES[job.kind], outcome.message, {"type": job.type, "listener": phase, **outcome.details})
        if isinstance(outcome, Denied):
            deny(token, outcome.reason)
        elif isinstance(outcome, Completed):
            take_result(token, phase, outcome.variables, outcome.corrections)
        else:
            token.forget(NOTE)
            raise BpmnThrow(outcome.code, outcome.message, outcome.variables)
    if listeners:
        token.forget(NOTE)
    return True


def deny(token: Token, reason: str) -> None:
    """A listener refuses. Raises TransitionDenied, or Conflict in a phase that cannot be refused."""
    phase = token.internal_data[NOTE][0]
    if phase not in DENIABLE:
        raise Conflict(reason=f"“{phase}”监听器不能拒绝（the transition cannot be denied）")
    token.forget(NOTE)
    raise TransitionDenied(phase, reason)


def take_pending(token: Token, variables: Mapping[str, Any], corrections: Mapping[str, Any]) -> None:
    """The pending listener of a token is done: its result is taken, the next one is noted."""
    phase, number = token.internal_data[NOTE]
    take_result(token, phase, variables, corrections)
    token.remember(**{NOTE: [phase, number + 1]})


def take_result(token: Token, phase: str, variables: Mapping[str, Any], corrections: Mapping[str, Any]) -> None:
    """Result variables: local before the work is done, propagated after. Corrections wait until the task makes its transition."""
    if corrections:
        token.remember(corrections={**token.internal_data.get("corrections", {}), **corrections})
    if phase not in LOCAL:
        set_variables(token, variables)
        return
    for name, value in variables.items():
        token.local().put(name, value)


def listener_job(token: Token, phase: str, listener: Listener) -> JobOpened:
    """The job of one listener. It sees the element's variables, and before a completion what the person submits."""
    element = token.task_spec
    return JobOpened(
        token_id=token.id,
        element_id=element.bpmn_id,
        type=expressions.required_text(token, listener.type),
        kind="EXECUTION_LISTENER" if phase in ("start", "end") else "TASK_LISTENER",
        listener_event=phase,
        retries=DEFAULT_RETRIES if listener.retries is None else expressions.integer(token, listener.retries),
        headers=dict(listener.headers) | element.listener_headers(token),
        variables=visible_json(token) | dict(token.internal_data.get("submitted", {})),
        properties=dict(element.ext.properties),
    )
