"""Boundary events.

Activate: with their activity, as waiting tokens below it (not an entered element yet). Names, keys and timers see the activity's local
variables.
Occurred: interrupting - the activity and everything in it is cancelled before the thrower's next instruction, and the event goes on in
its place; non-interrupting - a new token goes on beside the activity, and messages, signals, escalations, conditions and cycle timers
may occur again. The payload is propagated from outside the activity.
Cancel: with the activity's completion or cancellation.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn import spiff
from engine.bpmn.elements.catch_event import CatchingElement
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import deliver


class BoundaryEvent(CatchingElement, spiff.BoundaryEvent):
    """bpmn:boundaryEvent."""

    listens = True

    def occurred(self, token: Token, payload: dict[str, Any], *, repeat: bool) -> None:
        scope = token.workflow
        if token._parent is None:
            return
        host = scope.tasks[token._parent]
        before = scope.tasks[host._parent] if host._parent is not None else scope.task_tree
        fired = token
        if self.interrupting:
            token.reparent(before)
            scope.cancel_tree(host, keep_parent=True)
        elif repeat:
            fired = Token(scope, self, before, came_from=host.id)
        else:
            token.reparent(before)
        fired.record_entered(host.id)
        deliver(fired, payload)
        fired._ready()
        if self.interrupting:
            scope.compact(before)
