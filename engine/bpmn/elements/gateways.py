"""Exclusive, parallel and inclusive gateways.

Exclusive: no join; takes the first flow (in document order) whose condition holds, else the default flow, else CONDITION_ERROR.
Parallel: with several incoming flows a token waits until every incoming flow has brought one; the waiting tokens are merged into the
last, surplus tokens stay for the next round. Conditions are not looked at.
Inclusive: takes every flow whose condition holds, else the default flow, else CONDITION_ERROR. The join fires when nothing else can run
and no live token of the scope can still reach an incoming flow that has no token yet without passing a flow that has one
(BPMN 2.0.2, 13.4.3); an open activity, a multi-instance too, is such a token.
A token that was put on a gateway by a move, not by a flow, passes it.
Cancel: a waiting token leaves the gateway.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn import spiff
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element, Flow
from engine.bpmn.kernel.failure import StepFailed
from engine.bpmn.kernel.token import Token, in_order


def one_per_flow(tokens: dict[int, Token]) -> dict[int | None, Token]:
    """The token that waited longest on each incoming flow."""
    picked: dict[int | None, Token] = {}
    for token in in_order(tokens):
        picked.setdefault(token.flow, token)
    return picked


def no_way_out(element: Element) -> StepFailed:
    """No condition holds and there is no default flow."""
    conditions = [flow.condition.text for flow in element.flows if flow.condition is not None]
    message = f"网关“{element.bpmn_name or element.bpmn_id}”没有任何条件成立，也没有默认流向。"
    return StepFailed(expressions.CONDITION_ERROR, message, {"conditions": conditions})


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
        raise no_way_out(self)


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


class InclusiveGateway(Element, spiff.InclusiveGateway):
    """bpmn:inclusiveGateway."""

    joins_late = True
    _reach: dict[str, frozenset[int]] | None = None

    def choose(self, token: Token) -> list[Flow]:
        hit = super().choose(token)
        if not hit and self.flows:
            raise no_way_out(self)
        return hit

    def enter(self, token: Token) -> bool:
        if len(self.incoming) < 2 or token.flow is None:
            return True
        token.workflow.process.arrive(token)
        token.workflow.process.joins[token.id] = token
        return False

    def try_join(self, token: Token) -> bool:
        scope = token.workflow
        waiting = scope.arrivals[self.name]
        if self.more_may_come(token, {t.flow for t in waiting.values()}):
            return False
        picked = one_per_flow(waiting)
        keep = picked.pop(token.flow)
        scope.merge(list(picked.values()), keep)
        scope.leave_queue(keep)
        keep._ready()
        return True

    def more_may_come(self, token: Token, full: set[int | None]) -> bool:
        """Can a live token still bring something to an incoming flow that has none?"""
        reach = reachable_flows(self)
        for other in token.workflow.live.values():
            if other.task_spec is not self:
                flows = reach.get(other.task_spec.name)
                if flows and not (flows & full) and flows - full:
                    return True
        return False


def reachable_flows(gateway: Any) -> dict[str, frozenset[int]]:
    """Element name -> incoming flows of the gateway that a token there can reach without passing the gateway. Computed once."""
    cached: dict[str, frozenset[int]] | None = gateway._reach
    if cached is not None:
        return cached
    elements: dict[str, Element] = gateway._wf_spec.task_specs
    back: dict[str, list[tuple[str, int]]] = {}
    for element in elements.values():
        outgoing = [*element.flows, *(flow for name in element.boundary for flow in elements[name].flows)]
        for flow in outgoing:
            back.setdefault(flow.target.name, []).append((element.name, flow.index))
    reach: dict[str, set[int]] = {}
    for source, index in back.get(gateway.name, ()):
        stack = [source]
        while stack:
            name = stack.pop()
            if name == gateway.name or index in reach.setdefault(name, set()):
                continue
            reach[name].add(index)
            stack.extend(before for before, _ in back.get(name, ()))
    gateway._reach = {name: frozenset(flows) for name, flows in reach.items()}
    return reachable_flows(gateway)
