"""The rows of an instance, rewritten for another process model: every place where a row names an element.

A token row holds the element's name and the incoming flow it came by; notes hold element ids (compensation records, elements still to
do in a sequential ad-hoc subprocess, the elements that end the instance) and gateway names (late tokens of a complex gateway). Nothing
else in the rows depends on the model.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn.kernel.element import Element
from engine.bpmn.kernel.process import LAST
from engine.bpmn.kernel.scope import COMPENSATION
from engine.bpmn.kernel.token import Token
from engine.bpmn.model import ProcessModel
from engine.bpmn.parser.nodes import MEMBER

LATE = "late."
"""Notes of complex gateways: `late.<gateway>`."""


class Rewriter:
    """Translates elements, flows and notes of `source` into those of `target` by a mapping of element ids."""

    def __init__(self, source: ProcessModel, target: ProcessModel, mapping: dict[str, str | None], flows: dict[str, str]) -> None:
        self._mapping, self._flows = mapping, flows
        self._old, self._new = source.spec.named, target.spec.named

    def id(self, element_id: str) -> str | None:
        """The target's id of a source element; None when it has none."""
        return self._mapping.get(element_id)

    def element(self, element: Element) -> Element | None:
        """The target of an element; a loop's body and its member are two elements with one id."""
        target = self._mapping.get(element.bpmn_id)
        if target is None:
            return None
        return self._new.get(target + MEMBER if element.name != element.bpmn_id else target)

    def flow(self, element: Element, number: int | None, target: Element) -> int | None:
        """The place, among the target's incoming flows, of the flow a token came by; None when it has no counterpart there."""
        if number is None or number >= len(element.incoming):
            return None
        flow = self._flows.get(element.incoming[number])
        return target.incoming.index(flow) if flow in target.incoming else None

    def internal(self, token: Token) -> dict[str, Any]:
        """A token's notes."""
        notes = dict(token.internal_data)
        if "todo" in notes:
            notes["todo"] = [self._mapping.get(name) for name in notes["todo"]]
        if "notes" in notes:
            notes["notes"] = self.scope_notes(notes["notes"])
        return notes

    def scope_notes(self, notes: dict[str, Any]) -> dict[str, Any]:
        """What a scope keeps."""
        written: dict[str, Any] = {}
        for name, value in notes.items():
            if name.startswith(LATE):
                gateway = self._mapping.get(name.removeprefix(LATE))
                if gateway is not None:
                    written[LATE + gateway] = value
            elif name == LAST:
                written[name] = [self._mapping.get(element) or element for element in value]
            elif name == COMPENSATION:
                kept = self._records(value)
                if kept:
                    written[name] = kept
            else:
                written[name] = value
        return written

    def _records(self, records: list[Any]) -> list[Any]:
        """Compensation records [activity, handler, records of its inside, ...]; one whose activity or handler was mapped to None
        is dropped: that was the analyst's wish (`lost_handlers` refuses the others)."""
        kept = []
        for activity, handler, inner, *rest in records:
            new_activity = self._mapping.get(activity)
            new_handler = None if handler is None else self.element(self._old[handler])
            if new_activity is None or (handler is not None and new_handler is None):
                continue
            kept.append([new_activity, new_handler.name if new_handler is not None else None, self._records(inner or []) or None, *rest])
        return kept

    def lost_handlers(self, notes: dict[str, Any]) -> list[str]:
        """Ids of activities whose compensation would silently get lost: they or their handlers have no mapping, not even to None."""
        lost: list[str] = []

        def look(records: list[Any]) -> None:
            for activity, handler, inner, *_ in records:
                names = [activity] if handler is None else [activity, self._old[handler].bpmn_id]
                lost.extend(name for name in names if name not in self._mapping)
                look(inner or [])

        look(notes.get(COMPENSATION, []))
        return sorted(set(lost))
