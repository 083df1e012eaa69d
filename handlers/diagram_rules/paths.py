"""The longest way through a process by the limits of its tasks: working days that a project may spend in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from engine.bpmn import ProcessModel


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """`days`: the sum of the limits; `elements`: ids of the limited elements on the way, in order."""

    days: int = 0
    elements: tuple[str, ...] = ()


def limit_of(properties: dict[str, str]) -> int:
    """Working days that count against the clock: property `limit`, unless `countsTime` is false (行政许可法 45)."""
    text = properties.get("limit", "").strip()
    return int(text) if text.isdigit() and properties.get("countsTime") != "false" else 0


def critical_path(model: ProcessModel) -> CriticalPath:
    """The way with the largest sum of limits; flows that lead back are not taken, parallel members count once."""
    members: dict[str, list[str]] = {"": []}
    after: dict[str, list[str]] = defaultdict(list)
    for element in model.elements.values():
        members.setdefault(element.parent, []).append(element.id)
        after[element.id] += [target for _, target in model.flows.get(element.id, [])]
        if element.attached_to:
            after[element.attached_to].append(element.id)
    inside: dict[str, CriticalPath] = {}
    for parent in sorted(members, key=lambda name: -_depth(model, name)):
        inside[parent] = _longest(model, members[parent], after, inside)
    return inside[""]


def _depth(model: ProcessModel, name: str) -> int:
    depth = 0
    while name:
        name, depth = model.elements[name].parent, depth + 1
    return depth


def _longest(model: ProcessModel, members: list[str], after: dict[str, list[str]], inside: dict[str, CriticalPath]) -> CriticalPath:
    best: dict[str, CriticalPath] = {}
    for name in _postorder(members, after):
        ways = [best[target] for target in after[name] if target in best]
        rest = max(ways, key=lambda way: way.days, default=CriticalPath())
        own = _own(model, name, inside)
        best[name] = CriticalPath(own.days + rest.days, own.elements + rest.elements)
    return max(best.values(), key=lambda way: way.days, default=CriticalPath())


def _own(model: ProcessModel, name: str, inside: dict[str, CriticalPath]) -> CriticalPath:
    days = limit_of(model.elements[name].properties)
    return CriticalPath(days, (name,)) if days else inside.get(name, CriticalPath())


def _postorder(members: list[str], after: dict[str, list[str]]) -> list[str]:
    """Every element after what can follow it, back edges left out (without recursion: diagrams may have 10,000 elements)."""
    done: list[str] = []
    inner = set(members)
    seen: set[str] = set()
    for start in members:
        stack: list[tuple[str, int]] = [(start, 0)] if start not in seen else []
        seen.add(start)
        while stack:
            name, position = stack.pop()
            if position < len(after[name]):
                stack.append((name, position + 1))
                target = after[name][position]
                if target in inner and target not in seen:
                    seen.add(target)
                    stack.append((target, 0))
            else:
                done.append(name)
    return done
