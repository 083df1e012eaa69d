"""Inclusive gateway (bpmn:inclusiveGateway; BPMN 2.0.2 §13.4.3).

Join: tokens wait; when nothing else can run, the join fires if no live token of the scope can still reach an incoming flow that has no
token yet without passing the gateway. An open activity, a multi-instance too, is such a token; one with an incident as well. Camunda 8.9
waits for them too; BPMN 2.0.2 does not wait for a token that can also reach a flow that has one already, so that it would leave behind a
branch that may be sent back before the split. A token that gets here only through the split, in another round, is not waited for.
Joins that wait for each other only (in a diagram with loops across its blocks) do not wait for ever: the first of them fires.
Split: every flow whose condition holds, else the default flow, else the incident CONDITION_ERROR.
Cancel: a waiting token leaves the gateway, and the others may fire.
"""

from __future__ import annotations

from engine.bpmn import spiff
from engine.bpmn.elements.joining import no_way_out, one_per_flow, reachable_flows
from engine.bpmn.kernel.element import Element, Flow
from engine.bpmn.kernel.token import Token


class InclusiveGateway(Element, spiff.InclusiveGateway):
    """bpmn:inclusiveGateway."""

    joins_late = True
    _reach: dict[str, frozenset[int]] | None = None

    def choose(self, token: Token) -> list[Flow]:
        hit = super().choose(token)
        if not hit and self.flows:
            raise no_way_out(self, token)
        return hit

    def enter(self, token: Token) -> bool:
        if len(self.incoming) < 2 or token.flow is None:
            return True
        token.workflow.process.arrive(token)
        token.workflow.process.joins[token.id] = token
        return False

    def try_join(self, token: Token, *, stuck: bool) -> bool:
        scope = token.workflow
        waiting = scope.arrivals[self.name]
        if self.more_may_come(token, {t.flow for t in waiting.values()}, stuck=stuck):
            return False
        picked = one_per_flow(waiting)
        keep = picked.pop(token.flow)
        scope.merge(list(picked.values()), keep)
        scope.leave_queue(keep)
        keep._ready()
        return True

    def more_may_come(self, token: Token, full: set[int | None], *, stuck: bool) -> bool:
        """Can a live token still bring something to an incoming flow that has none? `stuck`: one that waits at a join cannot."""
        reach = reachable_flows(self)
        for other in token.workflow.live.values():
            if other.task_spec is not self and not (stuck and other.waits_at_join):
                flows = reach.get(other.task_spec.name)
                if flows and flows - full:
                    return True
        return False
