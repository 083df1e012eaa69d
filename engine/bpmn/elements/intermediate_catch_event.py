"""Intermediate catch event (bpmn:intermediateCatchEvent; BPMN 2.0.2 §10.5.4): message, signal, timer, conditional or link.

As engine.bpmn.elements.catch_event; behind an event-based gateway it loses when another event occurs first. A timer may not be a cycle.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.catch_event import CatchingElement


class IntermediateCatchEvent(CatchingElement, spiff.IntermediateCatchEvent):
    """bpmn:intermediateCatchEvent."""
