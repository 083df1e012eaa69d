"""Returning to an earlier element (退回), and taking back what has just been done (撤回).

Returning from token T to element E: the last instance of E that T came after is looked up in the history; whatever came after that
instance is cancelled (through joins too; the history stays), and a fresh instance of E opens where the old one stood. A join among what
is cancelled that had consumed tokens of other branches gives them back, so that it counts right when it is reached again. Branches that
do not come after E's instance keep their tokens.

Modes: "branch" is refused when live tokens of other branches would be cancelled; "all" recalls them.

E may be in T's scope, in one around it (the subprocess in between is cancelled), or inside an embedded subprocess that has completed
since: that is entered again at E instead of at its start. Refused, with the place to return to instead: elements inside a multi-instance
that has ended or inside a subprocess that was interrupted. Refused too: gateways, events and event subprocesses, what an
event-based gateway chose, and going back over a complex gateway, which swallows late tokens that nobody could give back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.bpmn.kernel.ancestry import Ancestry
from engine.bpmn.kernel.scope import PLACES, Place
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import COMPLETED, FUTURE, WAITING
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.bpmn.kernel.element import Element, ScopeSpec
    from engine.bpmn.kernel.scope import Scope

Mode = Literal["branch", "all"]


@dataclass(frozen=True, slots=True)
class ReturnPoint:
    """An element that can be returned to. `old`: its instance in the history; `recalled`: ids of the live tokens of other branches that
    would be cancelled, which only mode "all" may do."""

    element_id: str
    old: int
    recalled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """How to go back: from `start` (the token, or the subprocess around it) to `old` in the same scope, and to `places` inside of it."""

    start: Token
    old: int
    undone: frozenset[int]
    places: tuple[Place, ...] = ()


def return_to(token: Token, element_id: str, ancestry: Ancestry, mode: Mode = "all") -> Token:
    """Re-enter an earlier element: the fresh token (of the subprocess that is entered again, if it is inside one), activated.

    Raises Conflict when the element is not behind the token, or when the mode or the kinds of elements on the way forbid it.
    """
    way = _way(token, element_id, ancestry)
    if mode == "branch":
        recalled = _recalled(token, way)
        if recalled:
            names = "、".join(dict.fromkeys(each.task_spec.bpmn_name or each.task_spec.bpmn_id for each in recalled))
            raise Conflict(reason=f"退回到 {element_id} 会收回其他并行分支（{names}），本环节只允许退回本分支")
    return _reenter(way, ancestry)


def return_points(token: Token, ancestry: Ancestry) -> list[ReturnPoint]:
    """The activities the token can go back to, the last one first."""
    found: dict[str, ReturnPoint] = {}
    tried: set[str] = set()
    start: Token | None = token
    while start is not None:
        behind = ancestry.ancestors(start.id)
        inner = {each for old in behind & ancestry.scopes for each in ancestry.inside(old)}
        for old in sorted(behind | inner, reverse=True):
            element_id = ancestry.entered[old].element_id
            if element_id in tried:
                continue
            tried.add(element_id)
            try:
                way = _way(token, element_id, ancestry)
            except Conflict:
                continue
            found[element_id] = ReturnPoint(element_id, old, tuple(each.id for each in _recalled(token, way)))
        start = start.workflow.owner
    return list(found.values())


def reopen(scope: Scope, old: int, ancestry: Ancestry) -> Token:
    """Open a completed element instance of a live scope anew: what came after it is cancelled. The fresh token, activated."""
    undone = frozenset(ancestry.descendants(old))
    _check_undone(scope, undone, ancestry)
    return _renew(scope, old, undone, (), ancestry)


# ---------------------------------------------------------------------- where to
def path_to(spec: ScopeSpec, element_id: str) -> tuple[str, ...] | None:
    """Ids of the subprocesses between a scope and an element, the outermost first; None when it is not inside."""
    if element_id in spec.task_specs:
        return ()
    for name, inner in spec.inner.items():
        rest = path_to(inner, element_id)
        if rest is not None:
            return (name, *rest)
    return None


def _way(token: Token, element_id: str, ancestry: Ancestry) -> _Way:
    start: Token | None = token
    while start is not None:
        way = _way_from(start, element_id, ancestry)
        if way is not None:
            _check_undone(start.workflow, way.undone, ancestry)
            return way
        start = start.workflow.owner
    raise Conflict(reason=f"{element_id} 不在 {token.task_spec.bpmn_id} 之前（is not behind it）")


def _way_from(start: Token, element_id: str, ancestry: Ancestry) -> _Way | None:
    spec, path = start.workflow.spec, path_to(start.workflow.spec, element_id)
    if path is None:
        return None
    top = (*path, element_id)[0]
    old = ancestry.behind(start.id, top)
    if old is None:
        return None
    element: Element = spec.task_specs[top]
    _check_target(element, old, ancestry)
    undone = frozenset(ancestry.descendants(old))
    if top == element_id:
        return _Way(start, old, undone)
    return _Way(start, old, undone, _places(element, old, element_id, ancestry))


def _places(element: Element, old: int, element_id: str, ancestry: Ancestry) -> tuple[Place, ...]:
    """Where to begin inside a completed subprocess: at the element, and at the joins that other tokens had reached."""
    whole = f"请退回到“{element.bpmn_name or element.bpmn_id}”整体"
    if element.is_loop:
        raise Conflict(reason=f"{element_id} 在已结束的多实例内，{whole}（inside an ended multi-instance: return to {element.bpmn_id}）")
    if ancestry.ended.get(old) != "completed" or element.listens:
        raise Conflict(reason=f"{element_id} 在已中断的子流程内，{whole}（inside an interrupted subprocess: return to {element.bpmn_id}）")
    spec: ScopeSpec = element._wf_spec.inner[element.spec]
    top = (*(path_to(spec, element_id) or ()), element_id)[0]
    own = {each for each, event in ancestry.entered.items() if event.scope_id == old}
    passed = own.union(*(ancestry.ancestors(each) for each in own))
    within = [each for each in passed if ancestry.entered[each].element_id == top]
    if not within:
        raise Conflict(reason=f"{element_id} 没有办理过（was never reached）")
    chosen = ancestry.opened(max(within))
    target: Element = spec.task_specs[top]
    _check_target(target, chosen, ancestry)
    nested = () if top == element_id else _places(target, chosen, element_id, ancestry)
    undone = ancestry.descendants(chosen)
    back = [_place(spec, each, (), ancestry) for each in ancestry.given_back(undone, chosen)]
    return (_place(spec, chosen, nested, ancestry), *back)


def _place(spec: ScopeSpec, old: int, nested: tuple[Place, ...], ancestry: Ancestry) -> Place:
    event = ancestry.entered[old]
    element: Element = spec.task_specs[event.element_id]
    flow = element.incoming.index(event.flow_id) if event.flow_id in element.incoming else None
    return {"name": element.name, "flow": flow, "came_from": event.predecessor, "replaces": old, "inside": list(nested)}


def _check_target(element: Element, old: int, ancestry: Ancestry) -> None:
    if element.kind.endswith(("Gateway", "Event")):
        raise Conflict(reason=f"只能退回到任务或子流程，{element.bpmn_id} 不是（not an activity）")
    if element.listens:
        raise Conflict(reason=f"事件子流程 {element.bpmn_id} 只能由其触发器启动，不能退回到它（an event subprocess）")
    before = ancestry.before(old)
    source = element._wf_spec.task_specs.get(ancestry.entered[before].element_id) if before in ancestry.entered else None
    if source is not None and source.trigger is not None and source.trigger.kind == "compensate":
        raise Conflict(reason=f"不能退回到补偿环节 {element.bpmn_id}（a compensation handler）")
    if source is not None and source.kind == "eventBasedGateway":
        raise Conflict(reason=f"{element.bpmn_id} 由事件网关选中，不能退回（chosen by an event-based gateway）")


def _check_undone(scope: Scope, undone: frozenset[int], ancestry: Ancestry) -> None:
    elements = scope.elements()
    for each in undone:
        element = elements.get(ancestry.entered[each].element_id)
        if element is not None and element.kind == "complexGateway" and len(element.incoming) > 1:
            raise Conflict(reason=f"不能退回到复杂网关 {element.bpmn_id} 之前（not back over a complex gateway）")


# ---------------------------------------------------------------------- who goes with it
def lineage(token: Token) -> Iterator[Token]:
    """The token and what is live around it: its host or multi-instance body, the subprocess, and so on outwards."""
    current: Token | None = token
    while current is not None:
        yield current
        scope = current.workflow
        parent = scope.tasks.get(current._parent) if current._parent is not None else None
        current = parent if parent is not None and parent.live else scope.owner


def others(token: Token) -> list[Token]:
    """The live tokens of the instance that are neither around the token nor part of it, in id order; listeners do not count."""
    own = {each.id for each in lineage(token)}
    tokens = token.workflow.process.tokens
    found = (tokens[each] for each in sorted(tokens) if each > 0 and tokens[each].live and each not in own)
    return [each for each in found if not is_silent(each) and token not in lineage(each)]


def is_silent(token: Token) -> bool:
    """A boundary event or event subprocess that has not occurred is no element instance yet."""
    return token.task_spec.listens and token._state in (FUTURE, WAITING)


def _recalled(token: Token, way: _Way) -> list[Token]:
    """Live tokens of other branches that go when the way is gone back."""
    scope = way.start.workflow
    return [each for each in others(token) if any(up.workflow is scope and up.id in way.undone for up in lineage(each))]


# ---------------------------------------------------------------------- going there
def _reenter(way: _Way, ancestry: Ancestry) -> Token:
    return _renew(way.start.workflow, way.old, way.undone, way.places, ancestry)


def _renew(scope: Scope, old: int, undone: frozenset[int], places: tuple[Place, ...], ancestry: Ancestry) -> Token:
    fresh = _again(scope, old, ancestry)
    if places:
        fresh.internal_data[PLACES] = list(places)
    given_back = [_again(scope, each, ancestry) for each in ancestry.given_back(set(undone), old)]
    for each in sorted(undone):
        gone = scope.tasks.get(each)
        if gone is not None and gone.live:
            scope.cancel_tree(gone)
    scope.process.stopping = False  # what is undone has not ended
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


def _again(scope: Scope, token_id: int, ancestry: Ancestry) -> Token:
    """A new token where an old one was: same element, same incoming flow, same predecessor in history. Raises Conflict when the instance
    has migrated since to a diagram without that element."""
    event = ancestry.entered[token_id]
    element: Any = scope.elements().get(event.element_id)
    if element is None:
        raise Conflict(reason=f"经过的 {event.element_id} 在现在的流程版本中已不存在（is not in the version it runs on now）")
    flow = element.incoming.index(event.flow_id) if event.flow_id in element.incoming else None
    return Token(
        scope, element, _branching_point(scope, event.predecessor, ancestry), flow=flow, came_from=event.predecessor, replaces=token_id
    )
