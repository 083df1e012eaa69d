"""Parallel gateway (bpmn:parallelGateway; BPMN 2.0.2 §13.4.1).

Join: with several incoming flows a token waits until every incoming flow has brought one; the waiting tokens are merged into the last. A
second token on a flow that has one already waits for the next round.
Split: a token on every outgoing flow; conditions are not looked at.
Cancel: a waiting token leaves the gateway.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.joining import one_per_flow
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.token import Token


class ParallelGateway(Element, spiff.ParallelGateway):
    """bpmn:parallelGateway."""

    conditional = False

    def enter(self, token: Token) -> bool:
        if len(self.incoming) < 2 or token.flow is None:
            return True
        scope = token.workflow
        picked = one_per_flow(scope.arrivals.get(self.name, {}))
        if token.flow not in picked and len(picked) + 1 == len(self.incoming):
            scope.merge(list(picked.values()), token)
            return True
        scope.process.arrive(token)
        return False
