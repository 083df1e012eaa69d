"""Receive task (bpmn:receiveTask; BPMN 2.0.2 §10.3.3).

An activity that waits for its message: a message catch event (engine.bpmn.elements.message_event) that may have loops, boundary events,
listeners and io mappings; the correlation key sees its input mappings.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.catch_event import CatchingElement


class ReceiveTask(CatchingElement, spiff.ReceiveTask):
    """bpmn:receiveTask."""
