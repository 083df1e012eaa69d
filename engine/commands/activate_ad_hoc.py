"""Activate elements inside an open ad-hoc subprocess (Camunda 8: ad-hoc activities; design/engine.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine.commands.root_run import RootRun
from engine.policy import Actor, require
from engine.store import audit
from engine.store.models import split_key


def activate_ad_hoc(
    session: Session, actor: Actor, element_instance_key: int, elements: Mapping[str, Mapping[str, Any]], *, cancel_remaining: bool = False
) -> None:
    """Put a token on each of the elements, with variables of its own, all or none. `cancel_remaining`: what runs inside is cancelled first;
    `element_instance_key` is that of the open ad-hoc subprocess.

    Needs the power `operate`. Raises Forbidden, NotFound (no such element instance, no such element inside), Conflict (not an open ad-hoc
    subprocess), Suspended.
    """
    require(actor, "operate")
    instance_key, token_id = split_key(element_instance_key)
    run = RootRun.locked(session, actor, instance_key)
    run.instance(instance_key).activate_ad_hoc(token_id, elements, cancel_remaining=cancel_remaining)
    row = run.row(instance_key)
    audit.record(
        session,
        actor,
        "ad_hoc.activated",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={"elements": list(elements), "variables": sorted({name for values in elements.values() for name in values})},
    )
    run.finish()
