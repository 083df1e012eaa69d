"""What comes next: a walk over the diagram's sequence flows from where the tokens stand to the next user tasks and awaited events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    told: dict[str, ComingStep] = {}
    queue = deque((target, model) for element in seen for target in _following(model, element))
    while len(told) < MOST:
        if not queue:
            calling = None if told else next(outer, None)
            if calling is None:
                break
            queue.extend((target, calling[0]) for target in _following(calling[0], calling[1]))
            continue
        element_id, inside = queue.popleft()
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
            queue.extend((start, inside) for start in _starts_of(inside, element_id))
        elif element.kind == "callActivity" and element.called:
            queue.extend(_called(session, element.called))
        else:
            queue.extend((target, inside) for target in _following(inside, element_id))
    return list(told.values())


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
