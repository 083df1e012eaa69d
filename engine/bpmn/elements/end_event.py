"""End event (bpmn:endEvent; BPMN 2.0.2 §10.5.3): none, message, signal, error, escalation, compensation, cancel or terminate.

As engine.bpmn.elements.throw_event; the token ends here. The scope ends when its last token has (terminate: at once).
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.throw_event import ThrowingElement


class EndEvent(ThrowingElement, spiff.EndEvent):
    """bpmn:endEvent."""
