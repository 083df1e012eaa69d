"""Adding signatures to an open user task (加签) and taking them away again (减签).

A signer gets a user task of the same element: a token below the task's own token, with the note "sign". It shares the task's variables;
what it submits is kept with its task and changes no variable, because the diagram decides by what the task itself says.
Before: the task stands still (STARTED) until every signer has signed or was taken away. After: the task is completed first, its signers
open then, and the diagram goes on when the last of them is done. Both at once are refused.
Boundary events of the element go on counting for the task alone; when they cancel it, its signers go with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.bpmn.kernel.failure import Parked, Step, StepFailed
from engine.bpmn.kernel.token import AT, Token
from engine.bpmn.spiff import COMPLETED, READY, STARTED
from engine.changes import UserTaskClosed, UserTaskOpened
from engine.errors import Conflict, Invalid

if TYPE_CHECKING:
    from engine.bpmn.kernel.element import Element

SIGN, AFTER = "sign", "after"
MAX_SIGNERS = 20

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is asked to sign: a user, or a group of which anybody may. `note` goes into the signer's task's properties."""

    user: str | None = None
    group: str | None = None
    note: tuple[tuple[str, str], ...] = ()


def signers(token: Token) -> list[Token]:
    """The open signatures of a task."""
    children = (token.workflow.tasks[each] for each in sorted(token._children))
    return [child for child in children if SIGN in child.internal_data and child.live]


def add_signs(token: Token, when: When, who: list[Signer]) -> list[Token]:
    """Ask for signatures: the opened tokens, none yet when they sign afterwards. Raises Conflict or Invalid."""
    if SIGN in token.internal_data:
        raise Conflict(reason="加签任务不能再加签（a signature cannot ask for signatures）")
    open_before, asked_after = signers(token), token.internal_data.get(AFTER, [])
    if (when == "before" and asked_after) or (when == "after" and open_before):
        raise Conflict(reason="前加签和后加签不能同时使用（before and after cannot be mixed）")
    if not who or len(who) + len(open_before) + len(asked_after) > MAX_SIGNERS:
        raise Invalid(reason=f"加签人数应在 1 到 {MAX_SIGNERS} 之间（1 to {MAX_SIGNERS} signers）")
    if any([each.user, each.group] == already[:2] for each in who for already in asked_after):
        raise Conflict(reason="已经向其加签（was asked to sign already）")
    if token._state != READY and not open_before:
        raise Conflict(reason=f"{token.task_spec.bpmn_id} 现在不能加签（not open）")
    if when == "after":
        token.remember(**{AFTER: [*asked_after, *([each.user, each.group, list(each.note)] for each in who)]})
        return []
    opened = [_open(token, each, "before") for each in who]
    token._set_state(STARTED)
    return opened


def open_after(token: Token) -> None:
    """The task is completed: open the signatures asked for. Raises Parked when there are any, StepFailed when one cannot be opened."""
    asked = token.internal_data.get(AFTER)
    if not asked:
        return
    for user, group, note in asked:
        _open(token, Signer(user, group, tuple((name, value) for name, value in note)), "after")
    token.forget(AFTER)
    token.remember(**{AT: int(Step.OUTPUT)})
    raise Parked


def sign(token: Token) -> None:
    """A signer has signed."""
    owner = _owner(token)
    token.workflow.process.changes.closed_user_tasks.append(UserTaskClosed(token.id, completed=True))
    token.remember(done=1)
    token.record_end("completed")
    token._set_state(COMPLETED)
    token.workflow.compact(token)
    _go_on(owner)


def remove_sign(token: Token) -> None:
    """Take a signer's task away."""
    if SIGN not in token.internal_data:
        raise Conflict(reason=f"{token.task_spec.bpmn_id} 不是加签任务（not a signature）")
    owner = _owner(token)
    token.workflow.cancel_tree(token, keep_parent=True)
    _go_on(owner)


def forget_after(token: Token, user: str | None, group: str | None) -> None:
    """Take back a signature that was asked for afterwards and is not open yet. Raises Conflict when it was not asked for."""
    asked: list[list[Any]] = token.internal_data.get(AFTER, [])
    left = [each for each in asked if [each[0], each[1]] != [user, group]]
    if len(left) == len(asked):
        raise Conflict(reason=f"没有向 {user or group} 后加签（was not asked to sign afterwards）")
    token.remember(**{AFTER: left}) if left else token.forget(AFTER)


def _owner(token: Token) -> Token:
    assert token._parent is not None
    owner: Token = token.workflow.tasks[token._parent]
    return owner


def _go_on(owner: Token) -> None:
    if owner._state != STARTED or signers(owner):
        return
    if "done" in owner.internal_data:
        owner.complete()
    else:
        owner._set_state(READY)


def _open(token: Token, who: Signer, when: When) -> Token:
    element: Element = token.task_spec
    made = Token(token.workflow, element, token)
    made.remember(**{SIGN: when})
    try:
        opened = element.prepare(made)
    except StepFailed as failure:
        raise Conflict(reason=failure.message) from failure
    assert isinstance(opened, UserTaskOpened)
    opened.assignee = who.user
    opened.candidate_groups, opened.candidate_users = ((who.group,) if who.group else ()), ()
    opened.properties = {**opened.properties, **dict(who.note), SIGN: when}
    token.workflow.process.changes.user_tasks.append(opened)
    made._set_state(READY)
    return made
