"""Take back what one has just completed (撤回), as long as nobody has gone on with it.

Untouched means: none of the tasks that followed was claimed, begun as a draft or completed, no job was done or is being done, nothing was
thrown, and no called process got further. A member of a joint review may take the opinion back while the review is open. The task opens
again for the same person with what was submitted as its draft; variables keep what they got until it is completed again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from engine import clock, policy
from engine.bpmn import Withdrawal
from engine.commands.looking import Instances, Look
from engine.commands.root_run import RootRun
from engine.errors import Conflict, Forbidden
from engine.policy import Actor
from engine.store import audit, history, reads
from engine.store import models as m
from engine.store.models import element_key, split_key
from engine.store.upserting import upsert


def withdraw_task(session: Session, actor: Actor, task_key: int) -> int:
    """Reopen a task that the actor completed -> the key of the new task.

    Raises NotFound, Forbidden (somebody else completed it), Conflict (what followed is no longer untouched, with the reason), Suspended.
    """
    instance_key, token_id = split_key(task_key)
    run = RootRun.locked(session, actor, instance_key)
    task = _own(session, actor, task_key)
    live, events = run.instance(instance_key), history.element_events(session, instance_key)
    _check_untouched(session, run, instance_key, live.withdrawal(token_id, events))
    key = element_key(instance_key, live.withdraw(token_id, events))
    session.execute(m.user_task.update().where(m.user_task.c.key == task_key).values(state="CANCELED"))
    audit.record(
        session,
        actor,
        "task.withdrawn",
        root_key=task.root_key,
        instance_key=instance_key,
        element_id=task.element_id,
        task_key=task_key,
        business_id=task.business_id,
        data={"name": task.name, "newTaskKey": str(key)},
    )
    run.finish()
    _give_to(session, actor, key, task.submission or {})
    return key


def withdrawable(session: Session, actor: Actor, task_key: int) -> str | None:
    """None when the actor may take the task back now, else the reason why not (Chinese). Changes and locks nothing."""
    instance_key, token_id = split_key(task_key)
    try:
        look = Look.at(session, instance_key)
        _own(session, actor, task_key)
        found = look.instance(instance_key).withdrawal(token_id, history.element_events(session, instance_key))
        _check_untouched(session, look, instance_key, found)
    except (Conflict, Forbidden) as refused:
        return refused.message()
    return None


def _own(session: Session, actor: Actor, task_key: int) -> Row[Any]:
    task = reads.get_task(session, task_key)
    if task.state != "COMPLETED" or task.completed_by is None:
        raise Conflict(reason=f"任务“{task.name}”没有办结，无需撤回")
    if task.completed_by != actor.username:
        raise Forbidden(reason="只能撤回自己办结的任务")
    policy.check(actor, "complete", reads.task_facts(session, task))
    return task


def _check_untouched(session: Session, run: Instances, instance_key: int, found: Withdrawal) -> None:
    for task in (reads.get_task(session, element_key(instance_key, each)) for each in found.tasks):
        _check_task(session, task)
    for token in found.jobs:
        _check_job(session, instance_key, token)
    for token in found.calls:
        child = reads.child_of(session, instance_key, token)
        if child is not None:
            _check_untouched(session, run, child, run.instance(child).untouched(history.element_events(session, child)))


def _check_task(session: Session, task: Row[Any]) -> None:
    drafted = session.scalar(select(exists().where(m.user_task_draft.c.task_key == task.key)))
    if task.claimed_at is not None or drafted:
        raise Conflict(reason=f"后续环节“{task.name}”已有人签收或开始办理，不能撤回")


def _check_job(session: Session, instance_key: int, token_id: int) -> None:
    of_token = (m.job.c.instance_key == instance_key) & (m.job.c.token_id == token_id)
    begun = session.scalar(select(exists().where(of_token, m.job.c.state.not_in(("CREATED", "CANCELED")))))
    if begun:
        raise Conflict(reason="后续的自动作业已经开始，不能撤回")


def _give_to(session: Session, actor: Actor, key: int, submission: dict[str, Any]) -> None:
    """The new task is the actor's own, with what was submitted as its draft."""
    now = clock.now()
    opened = reads.get_task(session, key)
    if opened.assignee is None:
        session.execute(m.user_task.update().where(m.user_task.c.key == key).values(assignee=actor.username, claimed_at=now))
    row = {"task_key": key, "username": actor.username, "data": submission, "saved_at": now}
    upsert(session.connection(), m.user_task_draft, [row], ("task_key", "username"), ("data", "saved_at"))
