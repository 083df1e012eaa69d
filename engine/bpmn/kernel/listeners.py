"""Execution and task listeners (zeebe:executionListener, zeebe:taskListener): blocking jobs at points of an element's life.

Execution listeners: "start" after the input mappings, before assignment expressions and subscriptions; their result variables are local.
"end" after the output mappings, before the conditions of the outgoing flows; their results are propagated. User task listeners: "creating"
before the task opens, "completing" after a person completed it and before it is closed. Several listeners run in order. A pending one parks
the token; a failing one is the incident JOB_NO_RETRIES, and `retry` runs that listener again, not those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.bpmn.interface import Completed, Failed, Pending
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.failure import BpmnThrow, StepFailed
from engine.bpmn.kernel.variables import set_variables, visible_json
from engine.changes import JobOpened

if TYPE_CHECKING:
    from engine.bpmn.kernel.token import Token
    from engine.bpmn.vocabulary import Listener

NOTE = "listener"
LOCAL = ("start", "creating")
DEFAULT_RETRIES = 3


def run_listeners(token: Token, phase: str, listeners: tuple[Listener, ...]) -> bool:
    """Run what is left of a phase: True when all have run, False when one is pending. Raises StepFailed or BpmnThrow."""
    note = token.internal_data.get(NOTE)
    first = note[1] if note is not None and note[0] == phase else 0
    for number in range(first, len(listeners)):
        token.remember(**{NOTE: [phase, number]})
        job = _job(token, phase, listeners[number])
        outcome = token.workflow.process.env.perform(job)
        if isinstance(outcome, Pending):
            token.workflow.process.changes.jobs.append(job)
            token.remember(job=1)
            return False
        if isinstance(outcome, Failed):
            raise StepFailed("JOB_NO_RETRIES", outcome.message, {"type": job.type, "listener": phase, **outcome.details})
        if not isinstance(outcome, Completed):
            token.forget(NOTE)
            raise BpmnThrow(outcome.code, outcome.message, outcome.variables)
        take_result(token, phase, outcome.variables)
    if listeners:
        token.forget(NOTE)
    return True


def resume(token: Token, variables: Mapping[str, Any]) -> None:
    """The pending listener of a token is done: go on with the next, or with the element."""
    phase, number = token.internal_data[NOTE]
    take_result(token, phase, variables)
    token.remember(**{NOTE: [phase, number + 1]})
    if phase in LOCAL:
        token.task_spec._update(token)
    else:
        token.complete()


def take_result(token: Token, phase: str, variables: Mapping[str, Any]) -> None:
    """Result variables: local before the element is active, propagated after."""
    if phase not in LOCAL:
        set_variables(token, variables)
        return
    for name, value in variables.items():
        token.local().put(name, value)


def _job(token: Token, phase: str, listener: Listener) -> JobOpened:
    element = token.task_spec
    return JobOpened(
        token_id=token.id,
        element_id=element.bpmn_id,
        type=expressions.required_text(token, listener.type),
        kind="EXECUTION_LISTENER" if phase in ("start", "end") else "TASK_LISTENER",
        listener_event=phase,
        retries=DEFAULT_RETRIES if listener.retries is None else expressions.integer(token, listener.retries),
        headers=dict(listener.headers),
        variables=visible_json(token),
        properties=dict(element.ext.properties),
    )
