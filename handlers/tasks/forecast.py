"""What comes next: a walk over the diagram's sequence flows from where the tokens stand to the next user tasks and awaited events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from sqlalchemy.orm import Session

from engine.bpmn import ProcessModel
from engine.definitions import process_model
from engine.store import definitions

MOST = 4
"""How many possible next steps are told."""


@dataclass(frozen=True, slots=True)
class ComingStep:
    """A step that may come next; `unit` is its office when the diagram names it, `applicant` tells that the investor does it."""

    element_id: str
    name: str
    unit: str


def coming(
    session: Session,
    model: ProcessModel,
    current: Iterable[str],
    passed: Iterable[str] = (),
    callers: Sequence[tuple[ProcessModel, str]] = (),
) -> list[ComingStep]:
    """The next user tasks after the elements `current`, nearest first; elements that were `passed` already are not told again.

    `callers`: the call activities that called this process, innermost first: where the flow goes on when it ends.
    """
    seen = {e for e in current if e in model.elements and model.elements[e].kind not in ("subProcess", "startEvent")}
    outer = iter(callers)
    queue = _Queue()
    told: dict[str, ComingStep] = {}
    for element_id in seen:
        queue.add(model, _following(model, element_id), 0)
    while len(told) < MOST:
        if not queue:
            calling = None if told else next(outer, None)
            if calling is None:
                break
            queue.add(calling[0], _following(*calling), 0)
            continue
        detours, element_id, inside = queue.take()
        key = f"{inside.process_id}/{element_id}"
        if key in seen or (inside is model and element_id in seen):
            continue
        seen.add(key)
        element = inside.elements[element_id]
        if element.kind in ("userTask", "receiveTask") or (element.kind == "intermediateCatchEvent" and element.trigger == "message"):
            if element_id not in passed or inside is not model:
                told[key] = ComingStep(element_id, element.name, element.properties.get("unit", ""))
            if element.kind == "userTask":
                continue
        if element.kind == "subProcess":
            queue.add(inside, _starts_of(inside, element_id), detours)
        elif element.kind == "callActivity" and element.called:
            for start, called in _called(session, element.called):
                queue.add(called, [start], detours)
        else:
            queue.add(inside, _following(inside, element_id), detours, choice=element.kind == "exclusiveGateway")
    return list(told.values())


class _Queue:
    """Elements to look at: those on the default way first, then by how many times one must leave it, then by distance."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str, ProcessModel]] = []
        self._number = count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, model: ProcessModel, targets: Sequence[str], detours: int, *, choice: bool = False) -> None:
        """Add the targets of an element; of a choice only the first (the default flow's) is no detour."""
        for place, target in enumerate(targets):
            heappush(self._heap, (detours + (choice and place > 0), next(self._number), target, model))

    def take(self) -> tuple[int, str, ProcessModel]:
        """(detours, element id, model) of the nearest."""
        detours, _number, element_id, model = heappop(self._heap)
        return detours, element_id, model


def _following(model: ProcessModel, element_id: str) -> list[str]:
    """Targets of the outgoing flows; at the end of a subprocess those of the subprocess."""
    targets = [target for _flow, target in model.flows.get(element_id, ())]
    element = model.elements.get(element_id)
    if targets or element is None or not element.parent:
        return targets
    return _following(model, element.parent)


def _starts_of(model: ProcessModel, scope: str) -> list[str]:
    return [e.id for e in model.elements.values() if e.parent == scope and e.kind == "startEvent"]


def _called(session: Session, process_id: str) -> list[tuple[str, ProcessModel]]:
    row = definitions.latest(session, "process", process_id)
    if row is None:
        return []
    called = process_model(session, row.key)
    return [(e.id, called) for e in called.elements.values() if not e.parent and e.kind == "startEvent"]
