"""Escalation events (BPMN 2.0.2 §10.5.5): intermediate throw, end, boundary and event subprocess start, interrupting or not.

Throw: as an error, but nothing is wrong: the thrower goes on unless the catching event interrupts it. Uncaught it is passed to the caller
of a called instance, which lives on, or ignored. Non-interrupting events catch it as often as it comes.
"""

from __future__ import annotations

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import local_json
from engine.bpmn.vocabulary import Trigger


def throw_escalation(token: Token, trigger: Trigger) -> None:
    """Raises StepFailed when the code is not a text."""
    code = "" if trigger.code is None else expressions.required_text(token, trigger.code)
    token.workflow.process.throw_escalation(token, code, local_json(token))
