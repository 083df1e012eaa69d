"""Set variables of a running instance from outside: at the process, or at an element instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine.commands.reasons import checked_reason
from engine.commands.root_run import RootRun
from engine.errors import Invalid
from engine.policy import Actor, require
from engine.store import audit
from engine.store.models import split_key

MAX_NAME = 200


def set_variables(
    session: Session,
    actor: Actor,
    scope_key: int,
    variables: Mapping[str, Any],
    *,
    local: bool = False,
    reason: str = "",
    request: str = "",
) -> None:
    """Write variables at a process instance's or an element instance's key, as Camunda 8's set variables does.

    Without `local` each goes to the nearest scope that has it, else to the process; with it to the named scope itself. What waits for
    the values (conditions, timers) reacts at once. A `reason` is kept in the audit trail, and so is the digest
    of the `request` (audit.has_request).
    Raises Forbidden (power `operate` or `deploy`), NotFound, Conflict (ended), Invalid.
    """
    require(actor, "operate", "deploy")
    said = checked_reason(reason)
    wrong = [name for name in variables if not name or name.startswith("#") or len(name) > MAX_NAME]
    if wrong:
        raise Invalid(reason=f"变量名不能使用（cannot be used as a name）：{wrong[0][:MAX_NAME]!r}")
    instance_key, token_id = split_key(scope_key)
    if instance_key == 0:  # a key that no token's bits were put beside is that of an instance
        instance_key, token_id = scope_key, 0
    run = RootRun.locked(session, actor, instance_key)
    row = run.row(instance_key)
    run.instance(instance_key).set_variables(variables, token_id, local=local)
    audit.record(
        session,
        actor,
        "variables.set",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={
            "scopeKey": str(scope_key),
            "names": sorted(variables),
            "local": local,
            **({"reason": said} if said else {}),
            **({"request": request} if request else {}),
        },
    )
    run.finish()
