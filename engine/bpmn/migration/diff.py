"""The semantic difference of two process models, element by element: what stayed, what changed in which respect, what is gone.

Layout, order in the file and documentation do not count. Two elements are of the same type when a token may stand at either of them:
the same BPMN tag, the same implementation (a job, a FEEL script, a called decision), the same loop (none, standard, parallel,
sequential) and, for events, the same trigger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.bpmn.kernel.element import Element
from engine.bpmn.model import ElementInfo, ProcessModel
from engine.bpmn.parser.nodes import MEMBER

Status = Literal["same", "changed", "added", "removed", "retyped", "moved"]
Aspect = Literal[
    "name", "form", "assignment", "job", "decision", "script", "call", "mappings", "listeners", "loop", "trigger", "properties", "flows"
]


@dataclass(frozen=True, slots=True)
class Place:
    """An element of a model: `outer` is what has its id (a loop's body, or the element itself), `member` what does the work."""

    info: ElementInfo
    outer: Element
    member: Element

    @property
    def catches(self) -> bool:
        """Waits beside its activity or scope without being entered: a boundary event or an event subprocess."""
        return self.outer.listens

    @property
    def joins(self) -> bool:
        """A gateway at which tokens wait for each other."""
        return self.info.kind in ("parallelGateway", "inclusiveGateway", "complexGateway") and len(self.outer.incoming) > 1


@dataclass(frozen=True, slots=True)
class ElementChange:
    """One line of the difference. `source` or `target` is "" when there is none; `aspects`: in what respects the two differ."""

    source: str
    target: str
    kind: str
    name: str
    status: Status
    aspects: tuple[Aspect, ...] = ()


def places(model: ProcessModel) -> dict[str, Place]:
    """Every element of a model by its id, enclosing scopes first."""
    by_name = {element.name: element for element in model.spec.table}
    return {id: Place(info, by_name[id], by_name.get(id + MEMBER, by_name[id])) for id, info in model.elements.items()}


def type_difference(a: Place, b: Place) -> tuple[str, str] | None:
    """Why a token cannot stand at `b` as it stood at `a` (Chinese, English); None when it can."""
    if a.info.kind != b.info.kind:
        return f"类型由 {a.info.kind} 变为 {b.info.kind}", f"its type changed from {a.info.kind} to {b.info.kind}"
    if a.catches != b.catches:
        return "普通子流程与事件子流程不能互换", "an embedded subprocess cannot become an event subprocess, or the reverse"
    if (a.outer.is_loop or b.outer.is_loop) and type(a.outer) is not type(b.outer):
        return "循环方式不同（并行、顺序、无）", "its loop differs (parallel, sequential, none)"
    if type(a.member) is not type(b.member):
        return "任务的实现方式不同", "its implementation differs"
    if a.info.trigger != b.info.trigger:
        before, after = a.info.trigger or "none", b.info.trigger or "none"
        return f"事件由 {before} 变为 {after}", f"its event changed from {before} to {after}"
    return None


def counterparts(source: ProcessModel, target: ProcessModel) -> dict[str, tuple[str, ...]]:
    """Source element id -> the ids of all target elements of the same type, in the order of the diagram."""
    by_kind: dict[str, list[Place]] = {}
    for place in places(target).values():
        by_kind.setdefault(place.info.kind, []).append(place)
    return {
        id: tuple(other.info.id for other in by_kind.get(place.info.kind, ()) if type_difference(place, other) is None)
        for id, place in places(source).items()
    }


def aspects(a: Place, b: Place, mapping: Mapping[str, str | None]) -> tuple[Aspect, ...]:
    """In what respects two elements of the same type differ, as far as running is concerned (and their names, which people read)."""
    x, y = a.member.ext, b.member.ext
    pairs: tuple[tuple[Aspect, object, object], ...] = (
        ("name", a.info.name, b.info.name),
        ("form", x.form, y.form),
        ("assignment", x.assignment, y.assignment),
        ("job", x.job, y.job),
        ("decision", x.called_decision, y.called_decision),
        ("script", x.script, y.script),
        ("call", x.called_process, y.called_process),
        ("mappings", (x.inputs, x.outputs), (y.inputs, y.outputs)),
        ("listeners", _listeners(a), _listeners(b)),
        ("loop", a.outer.loop, b.outer.loop),
        ("trigger", (a.member.trigger, a.outer.interrupting), (b.member.trigger, b.outer.interrupting)),
        ("properties", x.properties, y.properties),
        ("flows", _outgoing(a, mapping), _outgoing(b, None)),
    )
    return tuple(aspect for aspect, before, after in pairs if before != after)


def _listeners(place: Place) -> object:
    ext = place.member.ext
    return ext.start_listeners, ext.end_listeners, ext.creating_listeners, ext.completing_listeners


def _outgoing(place: Place, mapping: Mapping[str, str | None] | None) -> object:
    """Where flows lead and under which condition; the targets in the other model's ids."""
    flows = place.outer.flows
    return [(f.target.bpmn_id if mapping is None else mapping.get(f.target.bpmn_id), f.condition, f.is_default) for f in flows]
