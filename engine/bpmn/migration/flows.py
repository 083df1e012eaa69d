"""Which sequence flow of the new model stands for which of the old one. It matters where tokens wait at a join: each is counted by the flow
it came by, and a step that was inserted before the join, or taken out, gives that flow another id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from engine.bpmn.model import ProcessModel

Mapped = Callable[[str], str | None]


def match_flows(
    source: ProcessModel, target: ProcessModel, mapping: Mapping[str, str | None], explicit: Mapping[str, str]
) -> dict[str, str]:
    """Flow id -> flow id, for the flows into elements that are mapped.

    In this order: the explicit counterpart; the same id; the only flow into the target that comes from the same elements, where what has
    no counterpart (inserted or removed steps) is looked through.
    """
    wanted = {new for new in mapping.values() if new is not None}
    old, new = _Ways(source, mapping.get), _Ways(target, lambda id: id if id in wanted else None)
    found: dict[str, str] = {}
    for element, flows in old.into.items():
        counterpart = mapping.get(element)
        candidates = new.into.get(counterpart, []) if counterpart is not None else []
        same_id = {flow: explicit.get(flow, flow) for flow in flows if explicit.get(flow, flow) in candidates}
        free = set(candidates) - set(same_id.values())
        found |= same_id
        for flow in flows if free else ():
            same = [each for each in free if flow not in same_id and new.sources(each) == old.sources(flow)]
            if len(same) == 1:
                found[flow] = same[0]
    times = Counter(found.values())
    return {before: after for before, after in found.items() if times[after] == 1}


class _Ways:
    """A model's flows, seen backwards. `mapped`: the id that both models share for an element, None for one that only this model has."""

    def __init__(self, model: ProcessModel, mapped: Mapped) -> None:
        self._mapped = mapped
        self._origin: dict[str, str] = {}
        self.into: dict[str, list[str]] = {}
        self._host = {info.id: info.attached_to for info in model.elements.values()}
        for element, flows in model.flows.items():
            for flow, target in flows:
                self._origin[flow] = element
                self.into.setdefault(target, []).append(flow)

    def sources(self, flow: str) -> frozenset[str]:
        """The nearest elements before a flow that both models have, in shared ids."""
        found: set[str] = set()
        stack, seen = [self._origin[flow]], {self._origin[flow]}
        while stack:
            element = stack.pop()
            shared = self._mapped(element)
            if shared is not None:
                found.add(shared)
                continue
            before = [self._origin[each] for each in self.into.get(element, [])]
            before += [self._host[element]] if self._host.get(element) else []
            for each in before:
                if each not in seen:
                    seen.add(each)
                    stack.append(each)
        return frozenset(found)
