"""Exclusive gateway (bpmn:exclusiveGateway; BPMN 2.0.2 §13.4.2).

Join: none; every token passes by itself.
Split: the first flow in document order whose condition holds (a flow without a condition always does), else the default flow, else the
incident CONDITION_ERROR, and `retry` looks at the conditions again. A condition that is not a boolean is CONDITION_ERROR with the values
it read.
Cancel: nothing waits here but an incident.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.joining import no_way_out
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element, Flow
from engine.bpmn.kernel.token import Token


class ExclusiveGateway(Element, spiff.ExclusiveGateway):
    """bpmn:exclusiveGateway."""

    def choose(self, token: Token) -> list[Flow]:
        for flow in self.flows:
            if not flow.is_default and (flow.condition is None or expressions.condition(token, flow.condition)):
                return [flow]
        for flow in self.flows:
            if flow.is_default:
                return [flow]
        if not self.flows:
            return []
        raise no_way_out(self, token)
