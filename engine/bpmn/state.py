"""State and rows. A process instance is rebuilt from its header, its token rows and its variables; everything else (subscriptions, timers,
joins' arrivals, listeners, the run queue) is derived from them.

Format 2. Header: [format, last token id, state, called, notes of the process scope]. Token row: [id, parent, scope, element name, state,
incoming flow, internal], where parent -N or 0 is the start of the scope that token N (0: the process) owns, and internal is 0 when empty.
Variable: (scope id, name, JSON). Rows of earlier formats are upgraded when they are read (engine.bpmn.state_upgrades) and written in the
newest format with the next command on the instance.

An addition that older rows simply do not have (a new note of a token) is no new format; a new meaning of something old is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from engine.bpmn.kernel.process import Process
from engine.bpmn.kernel.scope import SubprocessScope
from engine.bpmn.kernel.token import Token, blank
from engine.bpmn.spiff import COMPLETED, READY, STARTED, WAITING
from engine.bpmn.state_upgrades import upgraded
from engine.changes import Changes, StoredState

if TYPE_CHECKING:
    from engine.bpmn.interface import Environment
    from engine.bpmn.kernel.element import ScopeSpec
    from engine.bpmn.kernel.scope import Scope

FORMAT = 2


def token_row(token: Token) -> bytes:
    """One token as a row."""
    return orjson.dumps(
        [
            token.id,
            token._parent,
            token.workflow.parent_task_id or 0,
            token.task_spec.name,
            token._state,
            token.flow,
            token.internal_data or 0,
        ]
    )


def header_row(process: Process) -> bytes:
    """What is true of the whole instance."""
    return orjson.dumps([FORMAT, process.last_id, process.state, int(process.called), process.header_notes or 0])


def continue_numbering(header: bytes, newest: bytes) -> bytes:
    """An earlier header of an instance with the token counter of its newest one: ids that were given since are never given again."""
    earlier: list[Any] = orjson.loads(header)
    return orjson.dumps([earlier[0], orjson.loads(newest)[1], *earlier[2:]])


def take_changes(process: Process) -> Changes:
    """Everything since the last call, ready to be stored."""
    changes, alive = process.changes, process.tokens
    changes.header = header_row(process)
    changes.state = process.state
    changes.next_due_at = process.next_due()
    changes.tokens = {token_id: token_row(token) for token_id, token in process.dirty.items() if token_id in alive}
    changes.first_new_token = process.saved_id + 1
    process.start_recording()
    process.saved_id = process.last_id
    return changes


def restore(spec: ScopeSpec, stored: StoredState, env: Environment, step_limit: int) -> Process:
    """Rebuild a process instance. Raises Invalid when the rows are of a format that this version does not know."""
    header: list[Any] = orjson.loads(stored.header)
    outdated = header[0] != FORMAT
    if outdated:
        stored = upgraded(spec, stored, FORMAT)
        header = orjson.loads(stored.header)
    process = Process(spec, env, header[1], step_limit)
    process.saved_id = header[1]
    process.state, process.called, process.header_notes = header[2], bool(header[3]), header[4] or {}
    process.completed = process.state != "ACTIVE"
    scopes: dict[int, Scope] = {0: process}
    for row in orjson.loads(b"[" + b",".join(stored.tokens) + b"]"):
        _restore_token(process, scopes, row)
    for scope_id, name, raw in stored.variables:
        variables = process.variables if scope_id == 0 else process.tokens[scope_id].local()
        variables.raw[name] = raw
    if outdated:
        process.dirty = dict(process.tokens)
    return process


def _restore_token(process: Process, scopes: dict[int, Scope], row: list[Any]) -> None:
    token_id, parent, scope_id, name, state, flow, internal = row
    scope, element = scopes[scope_id], process.spec.named[name]
    token: Token = Token.__new__(Token)
    token.__dict__ = blank(token_id, scope, element, parent, state, flow, internal or {})
    scope.tasks[token_id] = process.tokens[token_id] = token
    scope.tasks[parent]._children[token_id] = 1
    if state >= COMPLETED:
        return
    scope.live[token_id] = token
    if state == WAITING:
        if element.trigger is None:
            scope.arrivals.setdefault(element.name, {})[token_id] = token
            if element.joins_late:
                process.joins[token_id] = token
        else:
            process.subscribe(token)
    elif state == READY and not element.manual:
        process.queue.append(token)
    elif state == STARTED and element.opens_scope:
        inner = SubprocessScope(element._wf_spec.inner[element.spec], token)
        process.subprocesses[token_id] = scopes[token_id] = inner
    if element.opens_scope and element.listens and state < READY:
        scope.listeners[token_id] = token
