"""Taking back a completed user task (撤回) while what came after it is untouched.

What came after the task is looked up in the history, inside the subprocesses it opened too. It may be undone when nothing in it has an
effect outside the instance's variables: gateways, events without a trigger, inline scripts and decisions may have run; a completed user
task, a job that was done, a thrown event or a completed call may not. What is open (tasks, pending jobs, calls) is told to the host, which
knows whether somebody has begun. A multi-instance member is opened again beside the others as long as its multi-instance is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.bpmn.kernel import moves
from engine.bpmn.kernel.token import Token
from engine.errors import Conflict, NotFound

if TYPE_CHECKING:
    from engine.bpmn.kernel.ancestry import Ancestry
    from engine.bpmn.kernel.element import Element
    from engine.bpmn.kernel.process import Process
    from engine.bpmn.kernel.scope import Scope

HARMLESS = frozenset(
    ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "task", "manualTask", "subProcess", "startEvent")
)
INLINE = frozenset(("scriptTask", "businessRuleTask"))
PLAIN_EVENTS = frozenset(("endEvent", "intermediateThrowEvent"))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is undone: `tasks`, `jobs` and `calls` are the ids of open user tasks, pending jobs and open calls among it."""

    token_id: int
    scope_id: int
    member_of: int | None
    tasks: tuple[int, ...] = ()
    jobs: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()

    def undo(self, process: Process, ancestry: Ancestry) -> Token:
        """Do it: the fresh token."""
        if self.member_of is not None:
            body = process.tokens[self.member_of]
            counter = member_counter(body, self.token_id, ancestry)
            reopened: Token = body.task_spec.reopen(body, counter)  # type: ignore[attr-defined]  # only a multi-instance has members
            return reopened
        return moves.reopen(process.subprocesses[self.scope_id] if self.scope_id else process, self.token_id, ancestry)


def find_withdrawal(process: Process, token_id: int, ancestry: Ancestry) -> Withdrawal:
    """What would be undone. Raises NotFound for a token that never was, Conflict with the reason when it is too late."""
    if token_id in ancestry.dead:
        raise Conflict(reason="这一步已经退回过（has been undone already）")
    event = ancestry.entered.get(token_id)
    if event is None:
        raise NotFound(what="元素实例 element instance", key=str(token_id))
    body = process.tokens.get(event.scope_id)
    if body is not None and body.live and body.task_spec.is_loop and body.task_spec.bpmn_id == event.element_id:
        _check_member(body, ancestry.ended.get(token_id))
        return Withdrawal(token_id, event.scope_id, body.id)
    scope: Scope | None = process if event.scope_id == 0 else process.subprocesses.get(event.scope_id)
    if scope is None or process.state != "ACTIVE":
        raise Conflict(reason="所在的子流程或流程已经结束，不能撤回（its scope has ended）")
    if ancestry.ended.get(token_id) != "completed" and token_id not in scope.live:
        raise Conflict(reason=f"{event.element_id} 没有办结（was not completed）")
    before = ancestry.entered.get(event.predecessor or 0)
    source = scope.elements().get(before.element_id) if before is not None else None
    if event.element_id not in scope.elements() or (source is not None and source.trigger and source.trigger.kind == "compensate"):
        raise Conflict(reason="补偿环节不能撤回（a compensation handler cannot be taken back）")
    if before is not None and before.element_id == event.element_id and ancestry.ended.get(before.token_id) != "terminated":
        raise Conflict(reason="加签意见不能撤回（a signature cannot be taken back）")
    return _open_among(process, token_id, event.scope_id, _after(token_id, ancestry), ancestry)


def find_untouched(process: Process, ancestry: Ancestry) -> Withdrawal:
    """The same for everything in a called instance, which would be cancelled. Raises Conflict."""
    return _open_among(process, 0, 0, set(ancestry.entered), ancestry)


def _open_among(process: Process, token_id: int, scope_id: int, after: set[int], ancestry: Ancestry) -> Withdrawal:
    for each in sorted(after):
        _check_untouched(process, each, ancestry)
    live = [process.tokens[each] for each in sorted(after) if each in process.tokens and process.tokens[each].live]
    return Withdrawal(
        token_id,
        scope_id,
        None,
        tasks=tuple(each.id for each in live if each.task_spec.kind == "userTask" and not each.task_spec.is_loop),
        jobs=tuple(each.id for each in live if "job" in each.internal_data),
        calls=tuple(each.id for each in live if "call" in each.internal_data),
    )


def _after(token_id: int, ancestry: Ancestry) -> set[int]:
    """Everything that came after, and everything in the subprocesses among it."""
    found = ancestry.descendants(token_id) - {token_id}
    for each in sorted(found & ancestry.scopes):
        found |= ancestry.inside(each)
    return found


def _check_untouched(process: Process, token_id: int, ancestry: Ancestry) -> None:
    event = ancestry.entered[token_id]
    if ancestry.ended.get(token_id) != "completed":
        return
    element = _element(process, event.element_id)
    if element.kind == "userTask":
        raise Conflict(reason=f"后续环节“{element.bpmn_name or element.bpmn_id}”已经办理，不能撤回（the next task was completed）")
    listeners = element.ext.start_listeners or element.ext.end_listeners
    plain = element.kind in PLAIN_EVENTS and element.trigger is None and element.ext.job is None
    inline = element.kind in INLINE and element.ext.job is None
    if listeners or not (element.kind in HARMLESS or plain or inline):
        raise Conflict(reason=f"后续的“{element.bpmn_name or element.bpmn_id}”已经执行，不能撤回（what followed has been done）")


def _element(process: Process, element_id: str) -> Element:
    spec = process.spec
    for name in moves.path_to(spec, element_id) or ():
        spec = spec.inner[name]
    element: Element = spec.task_specs[element_id]
    return element


def _check_member(body: Token, ended: str | None) -> None:
    if ended != "completed":
        raise Conflict(reason=f"{body.task_spec.bpmn_id} 没有办结（was not completed）")
    if body.task_spec.loop is None or body.task_spec.loop.sequential or body.task_spec.loop.standard:
        raise Conflict(reason="依次办理的环节，下一位已经轮到，不能撤回（sequential members cannot be taken back）")


def member_counter(body: Token, token_id: int, ancestry: Ancestry) -> int:
    """The loopCounter of a member that has ended: members were made in order, reopened ones are noted at the body."""
    again: dict[str, int] = body.internal_data.get("reopened", {})
    if str(token_id) in again:
        return again[str(token_id)]
    first = [each for each in ancestry.entered if _is_member(ancestry, each, body) and str(each) not in again]
    return sorted(first).index(token_id) + 1


def _is_member(ancestry: Ancestry, token_id: int, body: Token) -> bool:
    event = ancestry.entered[token_id]
    return event.scope_id == body.id and event.predecessor == body.id and event.element_id == body.task_spec.bpmn_id
