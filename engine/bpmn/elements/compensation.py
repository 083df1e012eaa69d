"""Compensation.

Every completed activity with a compensation boundary event leaves a record in its scope; a subprocess that completes leaves one with the
records of its inside (or its compensation event subprocess). A compensation throw event starts the handlers of the enclosing scope, last
completed first (only those of one activity if it names one), and completes when all of them have; a second throw finds nothing to undo.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn.kernel.scope import Scope
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import STARTED

RECORDS = "compensation"


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
    records: list[list[Any]] = scope.note(RECORDS) or []
    chosen = [record for record in records if activity is None or record[0] == activity]
    if not chosen:
        return 0
    scope.keep_note(RECORDS, [record for record in records if record not in chosen])
    token._set_state(STARTED)
    handlers = []
    for index, inner in _plan(chosen):
        handler = Token(token.workflow, token.workflow.process.spec.table[index], token)
        if inner is not None:
            handler.remember(notes={RECORDS: inner})
        handlers.append(handler)
    for handler in handlers:
        handler.task_spec._update(handler)
    return len(handlers)


def _plan(records: list[list[Any]]) -> list[tuple[int, list[Any] | None]]:
    """Handlers in order: (element index, records for a compensation event subprocess)."""
    plan: list[tuple[int, list[Any] | None]] = []
    for _, index, inner in reversed(records):
        if index is not None:
            plan.append((index, inner))
        elif inner:
            plan.extend(_plan(inner))
    return plan
