"""Event-based gateway.

Complete: every following event or receive task starts to wait, each with its own deadline. The first that occurs cancels the others.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token


class EventBasedGateway(Element, spiff.EventBasedGateway):
    """bpmn:eventBasedGateway."""

    conditional = False

    def leave(self, token: Token) -> None:
        for flow in token.taking:
            waiting = Token(token.workflow, flow.target, token, flow=flow.index)
            waiting.remember(gate=token.id)
