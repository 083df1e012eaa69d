"""Give running diagrams a value that the host keeps (a case's clock) and evaluate the timers that read it again, in one transaction.

A handler that runs inside a command of the same root may call it too: the values then reach the instances before that command ends. Null is
a value like any other: a timer that becomes null is unscheduled (design/engine.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine.commands.root_run import RootRun
from engine.policy import Actor


def reschedule(
    session: Session, actor: Actor, instance_key: int, variables: Mapping[str, Any], *, where: Mapping[str, Any] | None = None
) -> None:
    """Write `variables` to the process scope of an active instance and of every active instance it called, directly or not, and evaluate
    again the waiting timers and conditions there that read them. A timer over a function of the host reads no variable: give an empty
    mapping and every waiting FEEL timer is evaluated again. `where` leaves out the instances whose process scope does not have these values
    (one root may carry several cases). Locks the root.

    An instance that has ended is left alone. Raises NotFound when there is none with this key.
    """
    open_run = RootRun.open_in(session, instance_key)
    run = open_run or RootRun.locked(session, actor, instance_key)
    run.provide(instance_key, dict(variables), dict(where or {}))
    if open_run is None:
        run.finish()
