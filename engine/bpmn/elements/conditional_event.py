"""Conditional events (BPMN 2.0.2 §10.5.5): intermediate catch, boundary and event subprocess start, interrupting or not; process start.

Activate: a condition that holds already fires at once, on an activity before its work begins.
While waiting: it is looked at after each step that wrote a variable it reads and sees, and fires when it holds: a non-interrupting event
at every such change (Camunda 8.9; BPMN 2.0.2 wants the condition to be false in between), once for all that one step wrote. A filter
narrows which variables and which kinds of changes (create, update) count. What was written before it began to wait, and what its own
activity writes when it completes, does not count. Conditions of outer scopes come first. A condition that fails is an incident of the
event; its activity goes on.
Conditional starts of a process are listed in ProcessModel.conditional_starts; the host evaluates them when asked to.
"""

from __future__ import annotations

from collections.abc import Set

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.failure import Step, StepFailed
from engine.bpmn.kernel.process import Write
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import visible_scopes
from engine.bpmn.vocabulary import Trigger


def test_condition(token: Token, element: Element, trigger: Trigger, written: Set[Write] | None) -> None:
    """Look at the condition of a waiting token if one of the writes concerns it; None: in any case."""
    if trigger.expression is None or token.has_incident:
        return
    if written is not None and not _concerned(token, trigger, written):
        return
    try:
        holds = expressions.value(token, expressions.as_feel(trigger.expression)) is True
    except StepFailed as failure:
        token.stop(failure, Step.RUN)
        return
    if holds:
        element.occurred(token, {}, repeat=True)


def _concerned(token: Token, trigger: Trigger, written: Set[Write]) -> bool:
    """Was one of the variables that the token sees and looks at written in a way that it looks at?"""
    names = trigger.watched & {name for _, name, kind in written if not trigger.changes or kind in trigger.changes}
    for name in names:
        scope = next((each.scope_id for each in visible_scopes(token) if each.shows(name)), None)
        if any((scope, name, kind) in written for kind in trigger.changes or ("create", "update")):
            return True
    return False
