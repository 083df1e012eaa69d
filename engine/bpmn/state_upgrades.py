"""Rows of earlier state formats -> the next one, step by step until the newest. What a step needs to know about the past is frozen in it.

To change the format: raise FORMAT in engine.bpmn.state, describe the new rows there, add the step from the last format here, and keep an
instance of the last format as a golden file (tests/bpmn/formats), which is replayed for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from engine.changes import StoredState
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.bpmn.kernel.element import ScopeSpec

Step = Callable[["ScopeSpec", StoredState], StoredState]


def upgraded(spec: ScopeSpec, stored: StoredState, wanted: int) -> StoredState:
    """The same state in the wanted format. Raises Invalid when its format is not known (rows of a newer version of this program)."""
    number = _format(stored)
    while number != wanted:
        step = UPGRADES.get(number)
        if step is None:
            raise Invalid(reason=f"未知的实例存储格式 {number}（unknown state format）")
        stored = step(spec, stored)
        number = _format(stored)
    return stored


def _format(stored: StoredState) -> Any:
    return orjson.loads(stored.header)[0]


def _from_1(spec: ScopeSpec, stored: StoredState) -> StoredState:
    """Format 1 named elements by their position in the parser's table: in token rows, and as handlers in compensation records."""
    names = [element.name for element in _table_of_format_1(spec)]
    header = orjson.loads(stored.header)
    header[0] = 2
    if header[4]:
        header[4] = _named_handlers(header[4], names)
    tokens = []
    for raw in stored.tokens:
        row = orjson.loads(raw)
        row[3] = names[row[3]]
        if row[6] and "notes" in row[6]:
            row[6]["notes"] = _named_handlers(row[6]["notes"], names)
        tokens.append(orjson.dumps(row))
    return StoredState(orjson.dumps(header), tokens, stored.variables)


def _table_of_format_1(spec: ScopeSpec) -> list[Any]:
    """The order in which format 1 counted: scopes from the outside, those beside each other as in the file, elements as in the file."""
    table: list[Any] = []
    stack = [spec]
    while stack:
        scope = stack.pop()
        table.extend(scope.task_specs.values())
        stack.extend(reversed(scope.inner.values()))
    return table


def _named_handlers(notes: dict[str, Any], names: list[str]) -> dict[str, Any]:
    def named(records: list[Any]) -> list[Any]:
        return [
            [activity, None if handler is None else names[handler], named(inner) if inner else inner, *rest]
            for activity, handler, inner, *rest in records
        ]

    return {name: named(value) if name == "compensation" else value for name, value in notes.items()}


UPGRADES: dict[int, Step] = {1: _from_1}
"""Format -> the step to a later one."""
