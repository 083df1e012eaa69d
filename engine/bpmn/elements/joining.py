"""What joining gateways share: the waiting tokens by incoming flow, and what can still reach a gateway."""

from __future__ import annotations

from collections import deque
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


def no_way_out(element: Element, token: Token) -> StepFailed:
    """No condition holds and there is no default flow: the incident tells the conditions and the values they read."""
    conditions = [flow.condition for flow in element.flows if flow.condition is not None]
    values: dict[str, Any] = {}
    for condition in conditions:
        values |= expressions.values_read(token, condition)
    message = f"网关“{element.bpmn_name or element.bpmn_id}”没有任何条件成立，也没有默认流向。"
    return StepFailed(expressions.CONDITION_ERROR, message, {"conditions": [condition.text for condition in conditions], "values": values})


def reachable_flows(gateway: Any) -> dict[str, frozenset[int]]:
    """Element name -> incoming flows of the gateway that a token there can reach without passing the gateway, nor the split before it if it
    is inclusive. Computed once."""
    cached: dict[str, frozenset[int]] | None = gateway._reach
    if cached is not None:
        return cached
    elements: dict[str, Element] = gateway._wf_spec.task_specs
    beyond = split_before(gateway) if gateway.joins_late else None
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
            if name == beyond:
                continue
            stack.extend(before for before, _ in back.get(name, ()))
    gateway._reach = {name: frozenset(flows) for name, flows in reach.items()}
    return reachable_flows(gateway)


def split_before(gateway: Any) -> str | None:
    """The last element that every way to the gateway passes: the split that it joins. None when there is none."""
    elements: dict[str, Element] = gateway._wf_spec.task_specs
    after = {name: [*(flow.target.name for flow in element.flows), *element.boundary] for name, element in elements.items()}
    entries = [name for name, element in elements.items() if not element.incoming and element.kind != "boundaryEvent"]
    came_from = _search(after, entries, None)
    step = came_from.get(gateway.name)
    while step is not None:
        if gateway.name not in _search(after, entries, step):
            return step
        step = came_from[step]
    return None


def _search(after: dict[str, list[str]], entries: list[str], without: str | None) -> dict[str, str | None]:
    """Everything that can be reached without one element, each with the element before it on one way there."""
    came_from: dict[str, str | None] = {}
    waiting: deque[tuple[str, str | None]] = deque((name, None) for name in entries)
    while waiting:
        name, before = waiting.popleft()
        if name not in came_from and name != without:
            came_from[name] = before
            waiting.extend((target, name) for target in after[name])
    return came_from
