"""Return a case to an earlier step (退回).

The diagram says who may: the zeebe property `returnPolicy` of the user task, or of the subprocess or process around it (the nearest one
counts): "branch" (back along one's own branch; the others keep their tokens and opinions), "all" (parallel branches that began after the
target are recalled), both separated by a comma, or "none". Without the property nothing may be returned. A subprocess that allows returns
is a fence: what is inside is returned to steps inside (a case that was accepted is not returned to before its acceptance).

Without a fence the target may lie in the process that called this one: the call is cancelled then. It may not lie inside a called process
that has ended, nor inside an ended multi-instance: these are returned to as a whole. What was said and done stays in the history and in the
audit trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import policy
from engine.bpmn import ProcessModel
from engine.commands.complete_task import open_task
from engine.commands.looking import Instances, Look
from engine.commands.reasons import required_reason
from engine.commands.root_run import RootRun
from engine.definitions import process_model
from engine.errors import Conflict, Forbidden, NotFound
from engine.policy import Actor
from engine.store import audit, history, reads
from engine.store import models as m
from engine.store.models import element_key, split_key

Mode = Literal["branch", "all"]
MODES: tuple[Mode, ...] = ("branch", "all")
POLICY = "returnPolicy"
PEOPLE = frozenset(("userTask", "subProcess", "adHocSubProcess", "transaction", "callActivity"))
"""What a person can be sent back to; a service task would do its work again."""


@dataclass(frozen=True, slots=True)
class ReturnTarget:
    """A step that a task may be returned to. `modes` are those that the diagram allows and that work; `recalled`: names
    of the open steps of other branches that mode "all" would recall; who completed it when, where a person did."""

    instance_key: int
    element_id: str
    name: str
    modes: tuple[Mode, ...]
    recalled: tuple[str, ...]
    completed_by: str | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Level:
    """The task's instance, or one that called it: the token to go back from, and the open steps of the called ones that would go too."""

    key: int
    token_id: int
    model: ProcessModel
    below: tuple[str, ...]


def return_task(
    session: Session, actor: Actor, task_key: int, element_id: str, *, reason: str, mode: Mode = "branch", instance_key: int | None = None
) -> int:
    """Go back from an open task to `element_id` -> the key of the element instance opened there (of a user task: the task's key).

    `instance_key`: the target's process instance where the same element id exists in several callers; the nearest one otherwise.
    Raises NotFound, Forbidden (not the actor's task, or the diagram forbids it), Invalid (no reason), Conflict (not behind the task, or it
    would recall other branches), Suspended. Nothing is changed then.
    """
    said = required_reason(reason, "退回")
    run = RootRun.locked(session, actor, split_key(task_key)[0])
    task = _returnable(session, actor, task_key)
    allowed = return_policy(process_model(session, task.definition_key), task.element_id)
    if mode not in allowed:
        names = "、".join(_NAMES[each] for each in allowed)
        raise Forbidden(reason=f"流程图只允许{names}" if allowed else "流程图没有允许从这个环节退回")
    level = _level_of(_fenced(_levels(session, run, task_key), task.element_id), element_id, instance_key)
    fence = _fence(level, task)
    if not _inside(level, fence, element_id):
        raise Conflict(reason=f"不能退回到“{_name(level.model, element_id)}”，它在“{_name(level.model, fence)}”以外")
    live, events = run.instance(level.key), history.element_events(session, level.key)
    if mode == "branch" and level.below:
        raise Conflict(reason=f"退回到 {element_id} 会收回其他并行分支（{'、'.join(level.below)}）")
    fresh = live.return_to(level.token_id, element_id, events, mode)
    element = level.model.elements[element_id]
    audit.record(
        session,
        actor,
        "task.returned",
        root_key=task.root_key,
        instance_key=task.instance_key,
        element_id=task.element_id,
        task_key=task_key,
        business_id=task.business_id,
        data={"name": task.name, "to": element_id, "toName": element.name or element_id, "mode": mode, "reason": said},
    )
    run.finish()
    key = element_key(level.key, fresh)
    _note_return(session, key, actor, said)
    return key


def return_targets(session: Session, actor: Actor, task_key: int) -> list[ReturnTarget]:
    """Where an open task may be returned to, the last step first; empty when the diagram allows nothing.

    Changes and locks nothing. Raises NotFound, Forbidden, Conflict and Suspended as return_task does.
    """
    look = Look.at(session, split_key(task_key)[0])
    task = _returnable(session, actor, task_key)
    allowed = return_policy(process_model(session, task.definition_key), task.element_id)
    if not allowed:
        return []
    doers = _doers(session, task.root_key)
    found: list[ReturnTarget] = []
    for level in _fenced(_levels(session, look, task_key), task.element_id):
        fence = _fence(level, task)
        live, events = look.instance(level.key), history.element_events(session, level.key)
        names = {token.token_id: _name(level.model, token.element_id) for token in live.live_tokens()}
        for point in live.return_points(level.token_id, events):
            element = level.model.elements.get(point.element_id)
            if element is None or element.kind not in PEOPLE or not _inside(level, fence, element.id):
                continue
            recalled = tuple(dict.fromkeys((*(names[each] for each in point.recalled), *level.below)))
            modes = tuple(each for each in allowed if each == "all" or not recalled)
            if modes:
                by, at = doers.get((level.key, point.element_id), (None, None))
                found.append(ReturnTarget(level.key, point.element_id, element.name or element.id, modes, recalled, by, at))
    return found


def return_policy(model: ProcessModel, element_id: str) -> tuple[Mode, ...]:
    """The modes that the nearest `returnPolicy` around an element allows."""
    current = element_id
    while current:
        element = model.elements[current]
        if POLICY in element.properties:
            return _modes(element.properties[POLICY])
        current = element.parent
    return _modes(model.properties.get(POLICY, ""))


def _around(model: ProcessModel, element_id: str) -> Iterator[str]:
    """The subprocesses around an element, the innermost first."""
    current = model.elements[element_id].parent
    while current:
        yield current
        current = model.elements[current].parent


def _fence_around(model: ProcessModel, element_id: str) -> str:
    """The innermost subprocess around an element that allows returns, or ""."""
    return next((each for each in _around(model, element_id) if _modes(model.elements[each].properties.get(POLICY, ""))), "")


def _fence(level: _Level, task: Row[Any]) -> str:
    """What the target must lie in, or ""; the processes that called the task's own have no fence."""
    return _fence_around(level.model, task.element_id) if level.key == task.instance_key else ""


def _inside(level: _Level, fence: str, element_id: str) -> bool:
    return not fence or fence in _around(level.model, element_id)


def _fenced(levels: list[_Level], element_id: str) -> list[_Level]:
    """The levels that may be returned to: the task's own only, when there is a fence."""
    return levels[:1] if _fence_around(levels[0].model, element_id) else levels


def _modes(written: str) -> tuple[Mode, ...]:
    named = {each.strip() for each in written.split(",")}
    return tuple(mode for mode in MODES if mode in named)


_NAMES: dict[Mode, str] = {"branch": "退回本分支", "all": "收回全部分支"}


def _returnable(session: Session, actor: Actor, task_key: int) -> Row[Any]:
    task = open_task(session, task_key)
    policy.check(actor, "complete", reads.task_facts(session, task))
    if "sign" in task.properties:
        raise Conflict(reason="加签任务不能退回，请填写意见后提交")
    return task


def _levels(session: Session, run: Instances, task_key: int) -> list[_Level]:
    """The task's instance and its callers, the innermost first."""
    key, token_id = split_key(task_key)
    levels: list[_Level] = []
    below: tuple[str, ...] = ()
    while True:
        row = run.row(key)
        model = process_model(session, row.definition_key)
        levels.append(_Level(key, token_id, model, below))
        if row.parent_key is None or row.parent_token is None:
            return levels
        live = run.instance(key)
        names = {token.token_id: _name(model, token.element_id) for token in live.live_tokens()}
        below = (*below, *(names[each] for each in live.others(token_id)))
        key, token_id = row.parent_key, row.parent_token


def _level_of(levels: list[_Level], element_id: str, instance_key: int | None) -> _Level:
    known = [each for each in levels if element_id in each.model.elements and instance_key in (None, each.key)]
    if not known:
        raise NotFound(what="环节", key=element_id)
    level = known[0]
    if level.model.elements[element_id].kind not in PEOPLE:
        raise Conflict(reason=f"只能退回到办理环节，“{_name(level.model, element_id)}”不是")
    return level


def _name(model: ProcessModel, element_id: str) -> str:
    element = model.elements.get(element_id)
    return element.name or element_id if element is not None else element_id


def _doers(session: Session, root_key: int) -> dict[tuple[int, str], tuple[str | None, datetime | None]]:
    """(instance, element) -> who completed its last task when."""
    done = [task for task in reads.tasks_of_root(session, root_key) if task.state == "COMPLETED"]
    done.sort(key=lambda task: (task.completed_at, task.key))
    return {(task.instance_key, task.element_id): (task.completed_by, task.completed_at) for task in done}


def _note_return(session: Session, key: int, actor: Actor, reason: str) -> None:
    """The reopened task shows who returned it and why."""
    properties = session.scalar(m.user_task.select().with_only_columns(m.user_task.c.properties).where(m.user_task.c.key == key))
    if properties is not None:
        noted = {**properties, "returnedBy": actor.username, "returnReason": reason}
        session.execute(m.user_task.update().where(m.user_task.c.key == key).values(properties=noted))
