"""Putting tokens on elements and taking them away (Camunda 8: process instance modification).

Activate: the subprocesses around the element that are not open are opened first, each with its input mappings, boundary events and event
subprocesses, but with a token on the element instead of on its start events. Where a subprocess is open more than once, the caller names
the instance. Terminate: the element instance goes with everything in it; a subprocess left empty goes too, and an instance left empty is
TERMINATED. Not possible: start and boundary events, an event subprocess as such, what follows an event-based gateway, and elements inside
a multi-instance that is not open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.bpmn.kernel.moves import is_silent, lineage, path_to
from engine.bpmn.kernel.scope import PLACES, Place
from engine.bpmn.kernel.signing import SIGN, remove_sign
from engine.bpmn.kernel.token import Token
from engine.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from engine.bpmn.kernel.element import Element, ScopeSpec
    from engine.bpmn.kernel.process import Process
    from engine.bpmn.kernel.scope import Scope

Json = dict[str, Any]
ACTIVE, TERMINATED = "numberOfActiveInstances", "numberOfTerminatedInstances"


@dataclass(frozen=True, slots=True)
class Activation:
    """Put a token on an element. `ancestor`: token id of the open subprocess to put it into (0: the process instance), None: the only
    one there is. `variables`: element id of the scope ("": the process instance) -> local variables to create there first."""

    element_id: str
    ancestor: int | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """Put a token on `activation`'s element for every instance of the source, in the same surroundings, and terminate the source."""

    activation: Activation
    source_element: str | None = None
    source_token: int | None = None


@dataclass(frozen=True, slots=True)
class Termination:
    """Terminate one element instance, or all of an element."""

    element_id: str | None = None
    token: int | None = None


@dataclass(frozen=True, slots=True)
class Modification:
    """What to change in one command: activations and moves first, then terminations, so that the instance does not end in between."""

    activations: tuple[Activation, ...] = ()
    moves: tuple[Move, ...] = ()
    terminations: tuple[Termination, ...] = ()


def modify(process: Process, change: Modification) -> None:
    """Check the whole modification, then do it. Raises NotFound, Invalid or Conflict before anything has changed."""
    gone = _terminated(process, change)
    activations: list[tuple[Activation, Token | None]] = [(each, None) for each in change.activations]
    for move in change.moves:
        activations.extend(_moved(process, move))
    if not activations and not gone:
        raise Invalid(reason="修改请求是空的（nothing to modify）")
    for activation, _ in activations:
        _check(process, activation)
    for activation, source in activations:
        activate(process, activation, source)
    terminate(process, gone)


def start_at(process: Process, element_ids: Iterable[str]) -> None:
    """Begin a new process instance at these elements instead of at its start events (Camunda 8: start instructions); each brings the
    subprocesses around it. Raises NotFound or Invalid before anything has happened, by the rules of activation."""
    places = []
    for element_id in element_ids:
        _check(process, Activation(element_id))
        place: Place = {"name": element_id, "flow": None}
        for name in reversed(path_to(process.spec, element_id) or ()):
            place = {"name": name, "flow": None, "inside": [place]}
        places.append(place)
    process.begin(places)


def jump(token: Token, target: Activation, *, everything: bool) -> None:
    """Move one token to an element. `everything`: all other tokens go too, but for the open subprocesses around the target."""
    process = token.workflow.process
    if is_silent(token):
        raise Conflict(reason=f"{token.task_spec.bpmn_id} 还没有触发，不能由它跳转（has not occurred）")
    if not everything:
        modify(process, Modification(moves=(Move(target, source_token=token.id),)))
        return
    path = path_to(process.spec, target.element_id) or ()
    live = [each for _, each in sorted(process.tokens.items()) if each.id > 0 and each.live and not is_silent(each)]
    outside = {each.id for each in live if each.task_spec.bpmn_id not in path}
    gone = [each for each in live if each.id in outside and not any(up.id in outside for up in lineage(each) if up is not each)]
    others = tuple(Termination(token=each.id) for each in gone if each is not token)
    if token in gone:
        modify(process, Modification(moves=(Move(target, source_token=token.id),), terminations=others))
    else:
        modify(process, Modification((target,), terminations=others))


# ---------------------------------------------------------------------- activate
def activate(process: Process, activation: Activation, source: Token | None = None) -> None:
    """Put a token on the element, opening the subprocesses around it. In the history it comes after the `source` that it was moved from."""
    scope, missing = _surroundings(process, activation)
    _write_variables(process, scope, missing, activation)
    names = (*missing, activation.element_id)
    place: Place = {"name": names[-1], "flow": None, "locals": activation.variables.get(names[-1], {})}
    for name in reversed(names[:-1]):
        place = {"name": name, "flow": None, "inside": [place], "locals": activation.variables.get(name, {})}
    opening = next((t for t in scope.live.values() if missing and t.task_spec.name == missing[0] and PLACES in t.internal_data), None)
    if opening is not None:
        opening.remember(**{PLACES: [*opening.internal_data[PLACES], *place["inside"]]})
        return
    if source is not None:
        place["came_from"] = next((up.id for up in lineage(source) if up.workflow is scope), None)
    token = scope.put(place)
    token.task_spec._update(token)


def _check(process: Process, activation: Activation) -> None:
    spec, path = process.spec, path_to(process.spec, activation.element_id)
    if path is None:
        raise NotFound(what="元素 element", key=activation.element_id)
    for name in path:
        spec = spec.inner[name]
    element: Element = spec.task_specs[activation.element_id]
    if element.kind in ("startEvent", "boundaryEvent") or element.listens:
        raise Invalid(reason=f"不能激活 {element.bpmn_id}：启动事件、边界事件和事件子流程只能由其触发器激活（{element.kind}）")
    for other in spec.task_specs.values():
        if other.kind == "eventBasedGateway" and any(flow.target is element for flow in other.flows):
            raise Invalid(reason=f"不能激活 {element.bpmn_id}：它由事件网关 {other.bpmn_id} 等待，请激活网关（event-based gateway）")
    _, missing = _surroundings(process, activation)
    unknown = set(activation.variables) - {"", activation.element_id, *path}
    if unknown:
        raise Invalid(reason=f"变量的范围 {'、'.join(sorted(unknown))} 不是 {activation.element_id} 或其外层子流程（scopeId）")
    scope = process.spec
    for name in path:
        around: Element = scope.task_specs[name]
        if name in missing and around.is_loop:
            raise Invalid(reason=f"{activation.element_id} 在多实例 {name} 内：须指明已打开的实例，或激活 {name} 整体（multi-instance）")
        if name in missing and around.listens:
            raise Invalid(reason=f"{activation.element_id} 在未触发的事件子流程 {name} 内（event subprocess）")
        scope = scope.inner[name]


def _surroundings(process: Process, activation: Activation) -> tuple[Scope, tuple[str, ...]]:
    """The innermost open scope around the element, and the subprocesses that have to be opened inside of it."""
    path = path_to(process.spec, activation.element_id) or ()
    scope: Scope = process
    if activation.ancestor is not None:
        scope, path = _below(process, activation, path)
    while path:
        inner = scope.spec.inner[path[0]]
        found = [each for each in process.subprocesses.values() if each.spec is inner and _within(each, scope)]
        if len(found) > 1:
            keys = "、".join(str(each.parent_task_id) for each in found)
            raise Conflict(reason=f"子流程 {path[0]} 有多个实例（{keys}），请指明在哪一个里激活（ancestorElementInstanceKey）")
        if not found:
            break
        scope, path = found[0], path[1:]
    return scope, path


def _below(process: Process, activation: Activation, path: tuple[str, ...]) -> tuple[Scope, tuple[str, ...]]:
    if not activation.ancestor:
        return process, path
    scope = process.subprocesses.get(activation.ancestor)
    if scope is None:
        raise Conflict(reason=f"{activation.ancestor} 不是打开的子流程实例（ancestorElementInstanceKey）")
    spec, left = process.spec, path
    while left:
        spec, left = spec.inner[left[0]], left[1:]
        if spec is scope.spec:
            return scope, left
    raise Conflict(reason=f"{activation.element_id} 不在 {activation.ancestor} 之内（not inside that instance）")


def _within(scope: Scope, outer: Scope) -> bool:
    owner = scope.owner
    return owner is not None and owner.workflow is outer


def _write_variables(process: Process, scope: Scope, missing: tuple[str, ...], activation: Activation) -> None:
    new = {*missing, activation.element_id}
    for name, values in activation.variables.items():
        if name in new:
            continue
        owner = scope.owner
        while name and owner is not None and owner.task_spec.bpmn_id != name:
            owner = owner.workflow.owner
        variables = owner.local() if name and owner is not None else process.variables
        for key, value in values.items():
            variables.put(key, value)


# ---------------------------------------------------------------------- move and terminate
def instances_of(process: Process, element_id: str) -> list[Token]:
    """The live instances of an element in id order: a multi-instance as its body, a user task without its signers."""
    found = [process.tokens[each] for each in sorted(process.tokens) if each > 0]
    found = [each for each in found if each.live and each.task_spec.name == element_id and not is_silent(each)]
    return [each for each in found if SIGN not in each.internal_data]


def _sources(process: Process, element_id: str | None, token_id: int | None) -> list[Token]:
    if token_id is not None:
        token = process.tokens.get(token_id)
        if token is None or token_id <= 0 or not token.live or is_silent(token):
            raise NotFound(what="元素实例 element instance", key=str(token_id))
        _check_source(token)
        return [token]
    found = instances_of(process, element_id or "")
    if not found:
        raise NotFound(what="元素实例 element instance", key=element_id)
    for token in found:
        _check_source(token)
    return found


def _check_source(token: Token) -> None:
    """The throw event that started a compensation handler waits for it."""
    around = list(lineage(token))
    parent = around[1] if len(around) > 1 and around[1].workflow is token.workflow else None
    if parent is not None and parent.task_spec.trigger is not None and parent.task_spec.trigger.kind == "compensate":
        raise Conflict(reason=f"{token.task_spec.bpmn_id} 正在补偿，只能连同 {parent.task_spec.bpmn_id} 一起终止（compensating）")


def _terminated(process: Process, change: Modification) -> list[Token]:
    found: dict[int, Token] = {}
    pairs = [(each.element_id, each.token) for each in change.terminations]
    for element_id, token_id in [*pairs, *((move.source_element, move.source_token) for move in change.moves)]:
        found.update({token.id: token for token in _sources(process, element_id, token_id)})
    return [found[each] for each in sorted(found)]


def _moved(process: Process, move: Move) -> Iterable[tuple[Activation, Token]]:
    """One activation for each source, with it, in the innermost scope around the source that is also around the target."""
    target = move.activation
    for source in _sources(process, move.source_element, move.source_token):
        if target.ancestor is not None:
            yield target, source
            continue
        path = path_to(process.spec, target.element_id) or ()
        if SIGN in source.internal_data:
            raise Conflict(reason=f"加签任务 {source.task_spec.bpmn_id} 不能移动，只能终止（a signature cannot be moved）")
        if source.task_spec.name in path:
            raise Conflict(reason=f"不能从 {source.task_spec.name} 移到它自己之内（into itself）")
        specs: list[ScopeSpec] = [process.spec]
        for name in path:
            specs.append(specs[-1].inner[name])
        around = next(up.workflow for up in lineage(source) if up.workflow.spec in specs)
        yield Activation(target.element_id, around.parent_task_id or 0, target.variables), source


def terminate(process: Process, tokens: list[Token]) -> None:
    """Terminate element instances, then whatever is left empty."""
    for token in tokens:
        if token.live and process.tokens.get(token.id) is token:
            _terminate(token)
    process.stopping = False  # it is a person who ended them


def _terminate(token: Token) -> None:
    if SIGN in token.internal_data:
        remove_sign(token)
        return
    scope = token.workflow
    body = token.container() if token.is_loop_member() else None
    scope.cancel_tree(token)
    if body is not None and body.live:
        local = body.local()
        local.put(ACTIVE, local.json(ACTIVE, 1) - 1)
        local.put(TERMINATED, local.json(TERMINATED, 0) + 1)
        if not body._children or not any(scope.tasks[child].live and not scope.tasks[child].task_spec.listens for child in body._children):
            _terminate(body)
        return
    if scope.dropped or scope.completed or len(scope.live) > len(scope.listeners):
        return
    owner = scope.owner
    if owner is None:
        scope.process.terminate()
    else:
        _terminate(owner)
