"""Event subprocess.

Activate: when its scope begins, as a listener that waits for the trigger of its start event (not an entered element yet); it never keeps
the scope open. A compensation event subprocess does not listen: a compensation throw event starts it after its scope has completed.
Occurred: interrupting - everything else in the scope is cancelled at once; non-interrupting - it runs beside, and may occur again. The
payload becomes local variables of the event subprocess. Then as a subprocess.
Cancel: with its scope.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn import spiff
from engine.bpmn.elements.catch_event import CatchingElement, Wait
from engine.bpmn.elements.subprocess import ScopeElement
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token


class EventSubProcess(CatchingElement, ScopeElement, spiff.EventSubprocess):
    """bpmn:subProcess with triggeredByEvent."""

    listens = True

    def shown_event(self) -> Element:
        """Its start event: that is what carries the name and the properties of what is awaited."""
        inside = self.inside()
        start: Element = inside.task_specs[inside.starts[0]]
        return start

    def activate(self, token: Token, prepared: Any) -> bool:
        if self.trigger is not None and self.trigger.kind == "compensate":
            token.record_entered(token._parent if token._parent is not None and token._parent > 0 else None)
            self.open(token, self.inside().starts)
            return False
        self.wait(token, prepared if isinstance(prepared, Wait) else Wait({}))
        return False

    def occurred(self, token: Token, payload: dict[str, Any], *, repeat: bool) -> None:
        scope = token.workflow
        fired = token
        if self.interrupting:
            scope.listeners.pop(token.id, None)
            scope.cancel_all(keep=token)
            if scope.owner is not None:
                scope.owner.task_spec.interrupted(scope.owner)
        elif repeat:
            fired = Token(scope, self, scope.task_tree)
        else:
            scope.listeners.pop(token.id, None)
        fired.record_entered(None)
        for name, value in payload.items():
            fired.local().put(name, value)
        self.open(fired, self.inside().starts)
