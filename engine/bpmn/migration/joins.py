"""Will every parallel join still fire? A join that lacks a token on a flow which no live token can reach would wait for ever: that is
what happens when a migration adds a branch to a fork that was already passed, or cancels one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.bpmn.elements.parallel_gateway import ParallelGateway
from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.process import Process
from engine.bpmn.kernel.scope import Scope


@dataclass(frozen=True, slots=True)
class Starving:
    """A join that will never fire, and the incoming flows (ids) that nothing can reach."""

    scope: Scope
    gateway: Element
    missing: frozenset[str]

    @property
    def key(self) -> tuple[int, str]:
        """The same place before and after a migration."""
        return self.scope.parent_task_id or 0, self.gateway.bpmn_id


def starving_joins(process: Process) -> list[Starving]:
    """Every parallel join of every open scope that some token waits at or can reach, and that cannot get all its tokens any more."""
    found: list[Starving] = []
    for scope in (process, *process.subprocesses.values()):
        for element in scope.elements().values():
            if isinstance(element, ParallelGateway) and len(element.incoming) > 1:
                found += _look(scope, element)
    return found


def _look(scope: Scope, gateway: Element) -> Iterator[Starving]:
    waiting = {token.flow for token in scope.arrivals.get(gateway.name, {}).values()}
    coming: set[str] = set()
    for token in scope.live.values():
        if token.task_spec is not gateway:
            coming |= flows_ahead(token.task_spec, gateway)
    here = {flow for number, flow in enumerate(gateway.incoming) if number in waiting or flow in coming}
    if here and len(here) < len(gateway.incoming):
        yield Starving(scope, gateway, frozenset(gateway.incoming) - here)


def flows_ahead(element: Element, gateway: Element) -> set[str]:
    """Ids of the gateway's incoming flows that a token at the element may still take, without passing the gateway."""
    elements: dict[str, Element] = element._wf_spec.task_specs
    found: set[str] = set()
    stack, seen = [element], {element.name}
    while stack:
        current = stack.pop()
        hosts = [current, *(elements[name] for name in current.boundary)]
        for flow in (flow for host in hosts for flow in host.flows):
            if flow.target is gateway:
                found.add(flow.flow_id)
            elif flow.target.name not in seen:
                seen.add(flow.target.name)
                stack.append(flow.target)
    return found
