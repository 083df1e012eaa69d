"""Keep what a person has typed so far (暂存); the task stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from engine import clock, policy
from engine.commands.complete_task import open_task
from engine.errors import Invalid
from engine.policy import Actor
from engine.store import models as m
from engine.store import reads
from engine.store.models import split_key
from engine.store.upserting import upsert

MAX_DRAFT_BYTES = 1_000_000


def save_draft(session: Session, actor: Actor, task_key: int, data: Mapping[str, Any]) -> datetime:
    """Store the draft of this person for this task -> when. Not validated: half a form is a good draft. Over 1 MB: Invalid."""
    if len(orjson.dumps(data)) > MAX_DRAFT_BYTES:
        raise Invalid(reason="草稿超过 1 MB")
    reads.lock_root(session, split_key(task_key)[0])  # a completion under way deletes the task's drafts: none may come after it
    task = open_task(session, task_key)
    policy.check(actor, "save_draft", reads.task_facts(session, task))
    now = clock.now()
    row = {"task_key": task_key, "username": actor.username, "data": dict(data), "saved_at": now}
    upsert(session.connection(), m.user_task_draft, [row], ("task_key", "username"), ("data", "saved_at"))
    return now
