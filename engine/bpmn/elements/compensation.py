"""Compensation.

Every completed activity with a compensation boundary event leaves a record in its scope; a subprocess that completes leaves one with the
records of its inside (or its compensation event subprocess). A record keeps the activity's local variables as they were. A compensation
throw event starts the handlers of the enclosing scope, last completed first (only those of one activity if it names one), and completes
when all of them have; a second throw finds nothing to undo. A handler sees, as local variables, what the completed scopes around its
activity had (a subprocess's input, a multi-instance member's element and loopCounter), and everything else as it is now.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn.kernel.scope import COMPENSATION, Scope
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import STARTED

Record = list[Any]
"""[element id, handler index or None, records of the inside or None, local variables]"""


def compensation_scope(token: Token) -> Scope:
    """The scope whose records a throw event uses: outside an ordinary event subprocess, inside a compensation one."""
    scope = token.workflow
    owner = scope.owner
    while owner is not None and owner.task_spec.listens and not _is_handler(owner):
        scope = owner.workflow
        owner = scope.owner
    return scope


def _is_handler(owner: Token) -> bool:
    trigger = owner.task_spec.trigger
    return trigger is not None and trigger.kind == "compensate"


def start_compensation(token: Token, activity: str | None) -> int:
    """Start the handlers below the throwing token: how many there are."""
    scope = compensation_scope(token)
    records: list[Record] = scope.note(COMPENSATION) or []
    chosen = [record for record in records if activity is None or record[0] == activity]
    if not chosen:
        return 0
    scope.keep_note(COMPENSATION, [record for record in records if record not in chosen])
    token._set_state(STARTED)
    handlers = []
    for index, inner, variables in _plan(chosen, {}):
        handler = Token(token.workflow, token.workflow.process.spec.table[index], token)
        if inner:
            handler.remember(notes={COMPENSATION: inner})
        for name, value in variables.items():
            handler.local().put(name, value)
        handlers.append(handler)
    for handler in handlers:
        handler.task_spec._update(handler)
    return len(handlers)


def _plan(records: list[Record], outer: dict[str, Any]) -> list[tuple[int, list[Record] | None, dict[str, Any]]]:
    """Handlers in order: (element index, records for a compensation event subprocess, variables)."""
    plan: list[tuple[int, list[Record] | None, dict[str, Any]]] = []
    for _, index, inner, variables in reversed(records):
        seen = {**outer, **variables}
        if index is not None:
            plan.append((index, inner, seen))
        elif inner:
            plan.extend(_plan(inner, seen))
    return plan
