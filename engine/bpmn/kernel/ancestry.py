"""Where tokens came from: the append-only history as a causal graph.

The tree keeps only live tokens and branching points, so whoever moves tokens back reads the history. A token comes after its predecessor
and after every token that was merged into it. Taking a token and everything that came after it out of the graph leaves the past of the
others whole: what they had given to a join that is taken out too has to be given back (`given_back`).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.changes import ElementEvent


class Ancestry:
    """The history of one instance: who came from whom, which token was merged into which, and how each ended.

    `dead`: what earlier returns have undone; it is not in the graph any more. `scopes`: the token ids of subprocesses and multi-instance
    bodies that something has been in.
    """

    def __init__(self, history: Iterable[ElementEvent]) -> None:
        self.entered: dict[int, ElementEvent] = {}
        self.ended: dict[int, str] = {}
        self.into: dict[int, int] = {}
        self._merged: dict[int, list[int]] = {}
        replaced: set[int] = set()
        for event in history:
            if event.kind == "entered":
                self.entered[event.token_id] = event
                self.ended.pop(event.token_id, None)
                if event.into is not None:
                    replaced.add(event.into)
            elif event.kind in ("completed", "terminated", "merged"):
                self.ended[event.token_id] = event.kind
            if event.kind == "merged" and event.into is not None:
                self.into[event.token_id] = event.into
                self._merged.setdefault(event.into, []).append(event.token_id)
        self._after: dict[int, list[int]] = {}
        for event in self.entered.values():
            if event.predecessor is not None:
                self._after.setdefault(event.predecessor, []).append(event.token_id)
        self.dead = self._closure(replaced)
        for each in self.dead:
            self.entered.pop(each, None)
            self.into.pop(each, None)
            self._merged.pop(each, None)
        self.scopes = {event.scope_id for event in self.entered.values()}

    def before(self, token_id: int) -> int | None:
        """The token it came from by its own flow."""
        event = self.entered.get(token_id)
        return None if event is None else event.predecessor

    def causes(self, token_id: int) -> list[int]:
        """The tokens it came from: its predecessor, and for a join the tokens that were merged into it."""
        predecessor = self.before(token_id)
        return [*([] if predecessor is None else [predecessor]), *self._merged.get(token_id, ())]

    def ancestors(self, token_id: int) -> set[int]:
        """Everything that came before the token, without itself."""
        found: set[int] = set()
        stack = self.causes(token_id)
        while stack:
            current = stack.pop()
            if current not in found and current in self.entered:
                found.add(current)
                stack.extend(self.causes(current))
        return found

    def behind(self, token_id: int, element_id: str) -> int | None:
        """The last instance of an element that the token came after; None when there is none."""
        found = [each for each in self.ancestors(token_id) if self.entered[each].element_id == element_id]
        return max(found, default=None)

    def opened(self, token_id: int) -> int:
        """The instance that the flow brought: a signature and a restart by modification are opened by another instance of the element."""
        event = self.entered[token_id]
        while event.flow_id is None and event.predecessor in self.entered:
            before = self.entered[event.predecessor]
            if before.element_id != event.element_id:
                break
            event = before
        return event.token_id

    def descendants(self, token_id: int) -> set[int]:
        """The token and everything that came after it, through joins too."""
        return self._closure({token_id})

    def _closure(self, start: Iterable[int]) -> set[int]:
        found: set[int] = set()
        stack = list(start)
        while stack:
            current = stack.pop()
            if current in found:
                continue
            found.add(current)
            stack.extend(self._after.get(current, ()))
            if current in self.into:
                stack.append(self.into[current])
        return found & self.entered.keys()

    def inside(self, scope_id: int) -> set[int]:
        """The element instances of a scope (the token id of its subprocess), and of the scopes inside."""
        found, wanted = set(), {scope_id}
        for each in sorted(self.entered):
            if self.entered[each].scope_id in wanted:
                found.add(each)
                wanted.add(each)
        return found

    def given_back(self, undone: set[int], old: int) -> list[int]:
        """Arrivals at joins that did not come after `old` but were consumed by something that did: they wait again where they waited.

        Either the arrival was merged into an undone join, or it became the join's own token (the join is undone, its predecessor is not).
        """
        merged = [each for each, join in self.into.items() if join in undone and each not in undone]
        became = [each for each in undone if each != old and (before := self.before(each)) is not None and before not in undone]
        return sorted({*merged, *became})
