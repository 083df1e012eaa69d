"""Complete a user task: the command everything else is built around.

One transaction: lock the root, ask policy, validate the submission against the task's form, step the diagram, write rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import policy
from engine.bpmn import Instance
from engine.commands.environment import feel_environment
from engine.commands.root_run import RootRun
from engine.definitions import form_schema
from engine.errors import Conflict
from engine.forms import validate_submission
from engine.policy import Actor
from engine.store import audit, reads
from engine.store.models import split_key
from engine.store.reads import LockedTask
from engine.store.task_rows import Completion


def complete_task(session: Session, actor: Actor, task_key: int, submission: Mapping[str, Any]) -> None:
    """Complete the task with what was typed into its form.

    Raises NotFound (no such task), Forbidden (policy says why), Conflict (already completed or cancelled; the case stands still),
    FormInvalid (field -> messages). Nothing is changed then.
    """
    instance_key, token_id = split_key(task_key)
    root, instance, task = reads.lock_task(session, task_key)
    run = RootRun.holding(session, actor, root, instance)
    _still_open(task)
    policy.check(actor, "complete", reads.task_facts(session, task))
    live = run.instance(instance_key)
    clean = _validated(session, actor, task, submission, live, token_id)
    live.complete_user_task(token_id, clean)
    audit.record(
        session,
        actor,
        "task.completed",
        root_key=task.root_key,
        instance_key=instance_key,
        element_id=task.element_id,
        task_key=task_key,
        business_id=task.business_id,
        data={"name": task.name, "onBehalfOf": task.owner} if _represents(actor, task) else {"name": task.name},
    )
    offered = bool(task.candidate_groups or task.candidate_users)
    run.finish(Completion(token_id, actor.username, clean, offered=offered, has_drafts=task.has_drafts))


def open_task(session: Session, task_key: int) -> Row[Any]:
    """The task's row if it is still open; Conflict when somebody was faster (second submit: 409)."""
    task = reads.get_task(session, task_key)
    _still_open(task)
    return task


def _still_open(task: Row[Any] | LockedTask) -> None:
    if task.state != "CREATED":
        done = "已由 {person} 办结" if task.completed_by else "已结束"
        raise Conflict(reason=f"任务“{task.name}”{done}，没有再次提交", person=task.completed_by)


def _validated(
    session: Session, actor: Actor, task: LockedTask, submission: Mapping[str, Any], live: Instance, token_id: int
) -> dict[str, Any]:
    """The submission as its form allows it; rules may read `actorName`, the name of whoever submits (two officers are two people)."""
    if task.form_key is None:
        return dict(submission)
    schema = form_schema(session, task.form_key)
    context = live.variables(token_id) | {"actorName": actor.display_name}
    return validate_submission(schema, dict(submission), context, feel_environment(session))


def _represents(actor: Actor, task: LockedTask) -> bool:
    return task.owner is not None and task.assignee == task.owner and actor.username != task.owner and task.owner not in actor.owns
