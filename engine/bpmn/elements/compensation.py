"""Compensation.

Every completed activity with a compensation boundary event leaves a record in its scope; a subprocess that completes leaves one with the
records of its inside (or its compensation event subprocess); so does a call activity whose called instance left records (Camunda 8 stops
there, BPMN 2.0 §10.7.1 does not). A record keeps the activity's local variables as they were. A compensation throw event starts the
handlers of the enclosing scope, last completed first (only those of one activity if it names one), and completes when all of them have; a
second throw finds nothing to undo. A handler sees, as local variables, what the completed scopes around its activity had (a subprocess's
input, a multi-instance member's element and loopCounter), and everything else as it is now. What a handler itself completes is not undone.

A called instance is undone by an instance of its own: of the definition it ran on, with the variables it had at its end, running only
the handlers. The throw event waits for it as for any handler.
"""

from __future__ import annotations

from typing import Any

from engine.bpmn.kernel.scope import COMPENSATION, Scope
from engine.bpmn.kernel.token import Token
from engine.bpmn.spiff import STARTED

Record = list[Any]
"""[element id, handler's name or None, records of the inside or None, local variables], and of a call activity without a handler of its own
[element id, its name, None, {}, [definition key, records, variables of the called instance]]"""
CALL = 4
"""Where the fifth part of a call activity's record stands."""


def compensation_scope(token: Token) -> Scope:
    """The scope whose records a throw event uses: outside an ordinary event subprocess, inside a compensation one."""
    scope = token.workflow
    owner = scope.owner
    while owner is not None and owner.task_spec.listens and not owner.task_spec.undoes:
        scope = owner.workflow
        owner = scope.owner
    return scope


def start_compensation(token: Token, activity: str | None) -> int:
    """Start the handlers below the throwing token: how many there are."""
    scope = compensation_scope(token)
    records: list[Record] = scope.note(COMPENSATION) or []
    chosen = [record for record in records if activity is None or record[0] == activity]
    if not chosen:
        return 0
    scope.keep_note(COMPENSATION, [record for record in records if record not in chosen])
    token._set_state(STARTED)
    return _start_handlers(chosen, token.workflow, token)


def undo_process(scope: Scope, records: list[Record]) -> None:
    """Run the handlers of a completed instance's records as the whole of a new one."""
    _start_handlers(records, scope, scope.task_tree)
    scope.check_done()


def _start_handlers(records: list[Record], scope: Scope, parent: Token) -> int:
    handlers = []
    for name, inner, variables, called in _plan(records, {}):
        handler = Token(scope, scope.process.spec.named[name], parent)
        if called is not None:
            handler.remember(undoing=called)
        if inner:
            handler.remember(notes={COMPENSATION: inner})
        for variable, value in variables.items():
            handler.local().put(variable, value)
        handlers.append(handler)
    for handler in handlers:
        if handler.live:
            handler.task_spec._update(handler)
    return len(handlers)


Planned = tuple[str, list[Record] | None, dict[str, Any], list[Any] | None]


def _plan(records: list[Record], outer: dict[str, Any]) -> list[Planned]:
    """Handlers in order: (element name, records for a compensation event subprocess, variables, called instance to undo)."""
    plan: list[Planned] = []
    for record in reversed(records):
        name, inner = record[1], record[2]
        seen = {**outer, **record[3]}
        if len(record) > CALL:
            plan.append((name, None, {}, record[CALL]))
        elif name is not None:
            plan.append((name, inner, seen, None))
        elif inner:
            plan.extend(_plan(inner, seen))
    return plan
