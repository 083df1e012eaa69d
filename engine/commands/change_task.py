"""Assign a user task or change its other attributes, through the task listeners of its element (Camunda 8: assigning, updating)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy.orm import Session

from engine.commands.root_run import RootRun
from engine.policy import Actor
from engine.store.models import split_key


def change_task(
    session: Session,
    actor: Actor,
    task_key: int,
    event: Literal["assigning", "updating"],
    attributes: Mapping[str, Any],
    *,
    action: str = "",
) -> bool:
    """Write `attributes` (assignee, candidate_groups, candidate_users, due_date, follow_up_date, priority; JSON values) to an open task:
    True when it is done, False while one of its listeners is pending or has failed.

    Who may do that is the caller's question. Locks the root. Raises Conflict (not open, being changed, denied by a listener), NotFound.
    """
    instance_key, token_id = split_key(task_key)
    run = RootRun.locked(session, actor, instance_key)
    done = run.instance(instance_key).change_user_task(token_id, event, attributes, action)
    run.finish()
    return done
