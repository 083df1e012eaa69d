"""Start event (bpmn:startEvent; BPMN 2.0.2 §10.5.2): none, message, signal, timer or conditional.

Its trigger has happened when a token gets here, so it passes at once; its output mappings map what came with it. A process may have one
none start and any number of others; the host starts it at one of them. An embedded subprocess has one none start, or begins with whatever
no flow leads to; the start of an event subprocess is described in engine.bpmn.elements.event_subprocess.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn import spiff
from engine.bpmn.elements.catch_event import CatchingElement
from engine.bpmn.kernel.token import Token


class StartEvent(CatchingElement, spiff.StartEvent):
    """bpmn:startEvent."""

    def prepare(self, token: Token) -> Any:
        return None

    def activate(self, token: Token, prepared: Any) -> bool:
        return True
