"""Returning to an earlier element (退回).

The tree keeps only live tokens and branching points; where a token came from stands in the append-only history, which is read only here.
Returning from token T to element E: the instance of E that T descends from is looked up; whatever descends from that instance is
cancelled (through joins too; the history stays), and a fresh instance of E opens where the old one stood. A join between the two that had
consumed tokens of other branches gives them back, so that it counts right when it is reached again. Branches that do not descend from
E's instance keep their tokens. E may be in T's scope or in one around it (the subprocess in between is cancelled), not inside a
subprocess that has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import COMPLETED
from engine.changes import ElementEvent
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.bpmn.kernel.scope import Scope


class Ancestry:
    """The history of an instance as a graph: who came from whom, and which token was merged into which."""

    def __init__(self, history: Iterable[ElementEvent]) -> None:
        self.entered: dict[int, ElementEvent] = {}
        self.into: dict[int, int] = {}
        for event in history:
            if event.kind == "entered":
                self.entered[event.token_id] = event
            elif event.kind == "merged" and event.into is not None:
                self.into[event.token_id] = event.into

    def before(self, token_id: int) -> int | None:
        """The token it came from."""
        event = self.entered.get(token_id)
        return None if event is None else event.predecessor

    def behind(self, token_id: int, element_id: str) -> int | None:
        """The nearest instance of an element that the token descends from, other than itself."""
        current = self.before(token_id)
        while current is not None:
            event = self.entered.get(current)
            if event is None or event.element_id == element_id:
                return current if event is not None else None
            current = event.predecessor
        return None

    def descendants(self, token_id: int) -> set[int]:
        """The token and everything that came from it, through joins too. Ids grow, so one pass is enough."""
        found = {token_id}
        for each in sorted(self.entered):
            if self.before(each) in found:
                found.add(each)
            if each in found and each in self.into:
                found.add(self.into[each])
        return found

    def path(self, token_id: int, back_to: int) -> set[int]:
        """The tokens between a token (included) and the one it descends from (not included)."""
        found: set[int] = set()
        current: int | None = token_id
        while current is not None and current != back_to:
            found.add(current)
            current = self.before(current)
        return found


def return_to(token: Token, element_id: str, history: Iterable[ElementEvent]) -> Token:
    """Re-enter an earlier element: the fresh token, activated. Raises Conflict when the element is not behind the token."""
    ancestry = Ancestry(history)
    start: Token | None = token
    while start is not None:
        old = ancestry.behind(start.id, element_id)
        if old is not None:
            return _reenter(start, old, ancestry)
        start = start.workflow.owner
    raise Conflict(reason=f"{element_id} 不在 {token.task_spec.bpmn_id} 之前（is not behind it）")


def _reenter(token: Token, old: int, ancestry: Ancestry) -> Token:
    scope = token.workflow
    undone = ancestry.descendants(old)
    path = ancestry.path(token.id, old)
    consumed = [each for each in sorted(ancestry.into) if ancestry.into[each] in path and each not in undone]
    parent = _branching_point(scope, ancestry.before(old), ancestry)
    fresh = _again(scope, old, parent, ancestry)
    given_back = [_again(scope, each, parent, ancestry) for each in consumed]
    for each in sorted(undone):
        gone = scope.tasks.get(each)
        if gone is not None and gone.live:
            scope.cancel_tree(gone)
    for made in (fresh, *given_back):
        made.task_spec._update(made)
    return fresh


def _branching_point(scope: Scope, token_id: int | None, ancestry: Ancestry) -> Token:
    """The finished ancestor under which a token hangs now: spliced ancestors are climbed over."""
    while token_id is not None and token_id not in scope.tasks:
        token_id = ancestry.before(token_id)
    parent = scope.task_tree if token_id is None else scope.tasks[token_id]
    while parent._state < COMPLETED and parent._parent is not None:
        parent = scope.tasks[parent._parent]
    return parent


def _again(scope: Scope, token_id: int, parent: Token, ancestry: Ancestry) -> Token:
    """A new token where an old one was: same element, same incoming flow, same predecessor in history."""
    event = ancestry.entered[token_id]
    element = scope.elements()[event.element_id]
    flow = element.incoming.index(event.flow_id) if event.flow_id in element.incoming else None
    return Token(scope, element, parent, flow=flow, came_from=event.predecessor)
