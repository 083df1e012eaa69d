"""Error events (BPMN 2.0.2 §10.5.5): end, boundary and event subprocess start (both always interrupting).

Throw: by an error end event, a handler or worker of a job, a listener, or a called instance. The innermost waiting event that catches the
code goes on: boundary events of the activities around the thrower and event subprocesses of its scopes, an exact code before a catch-all.
What it interrupts is cancelled before anything else runs; the error's variables are propagated from there.
What an instance that was called does not catch itself, but something above it does, ends it, and its call activity throws.
Uncaught: the incident UNHANDLED_ERROR_EVENT on the thrower, in a called instance too; nothing is lost.
"""

from __future__ import annotations

from typing import NoReturn

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.failure import BpmnThrow
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import local_json
from engine.bpmn.vocabulary import Trigger


def throw_error(token: Token, trigger: Trigger) -> NoReturn:
    """Raises BpmnThrow, which the token's life cycle takes to the catching event; StepFailed when the code is not a text."""
    raise BpmnThrow("" if trigger.code is None else expressions.required_text(token, trigger.code), "", local_json(token))
