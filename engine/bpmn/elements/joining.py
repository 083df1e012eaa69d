"""What joining gateways share: the waiting tokens by incoming flow, and what can still reach a gateway."""

from __future__ import annotations

from typing import Any

from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.element import Element
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
