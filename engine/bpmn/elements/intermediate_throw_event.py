"""Intermediate throw event (bpmn:intermediateThrowEvent; BPMN 2.0.2 §10.5.4): none, message, signal, escalation, compensation or link.

As engine.bpmn.elements.throw_event, then the outgoing flows. A none event passes; with a job type it is a job.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.throw_event import ThrowingElement


class IntermediateThrowEvent(ThrowingElement, spiff.IntermediateThrowEvent):
    """bpmn:intermediateThrowEvent."""
