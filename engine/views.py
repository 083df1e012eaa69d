"""Reads that need more than rows: the variables a task sees. Nothing here changes an instance or the cache of live ones."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.commands.looking import Look
from engine.store.models import split_key


def visible_variables(session: Session, element_instance_key: int) -> dict[str, Any]:
    """The variables that an element instance (open user task, awaited event) sees, as JSON values; its own scopes first.

    Of an element instance that has ended only the process-level variables are left.
    """
    instance_key, token_id = split_key(element_instance_key)
    live = Look(session).instance(instance_key)
    alive = any(token.token_id == token_id for token in live.live_tokens())
    return live.variables(token_id if alive else 0)
