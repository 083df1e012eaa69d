"""Which fields a person sees for given data: form-js's conditions, groups and dynamic lists (form-js 2.0, measured and read).

form-js first removes the values of hidden fields from the data (conditions look at the unfiltered data for this), then renders with
the filtered data laid over the initial data; what is rendered is submitted and validated. Both steps are repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.feel import Environment
from engine.forms import expressions
from engine.forms.expressions import Scope
from engine.forms.paths import ABSENT, DataPath, clear, copy, read
from engine.forms.schema import MULTIPLE, Field

MAX_ROWS = 2_000  # of one dynamic list: a submission is a form that somebody filled in, not a data set


@dataclass(frozen=True, slots=True)
class Instance:
    """A visible component: its field, the place of its value and what its expressions see."""

    field: Field
    path: DataPath
    scope: Scope


def empty_value(field: Field) -> Any:
    """What form-js puts in before anybody types."""
    if field.type in MULTIPLE:
        return []
    return {"checkbox": False, "textfield": "", "textarea": ""}.get(field.type)


def initial_value(field: Field) -> Any:
    """The default value of the schema, else the empty value."""
    default = field.options.get("defaultValue", ABSENT)
    return empty_value(field) if default is ABSENT else copy(default)


def rows_of(field: Field, value: Any) -> list[Any]:
    """The rows of a repeating list: the value's, else the default number of empty ones."""
    if isinstance(value, list):
        return [row if isinstance(row, dict) else {} for row in value[:MAX_ROWS]]
    count = field.options.get("defaultRepetitions", 1)
    return [{} for _ in range(min(max(count, 0), MAX_ROWS) if isinstance(count, int) else 1)]


def visible(root: Field, data: dict[str, Any], initial: dict[str, Any], env: Environment) -> list[Instance]:
    """All visible components in the order of the schema."""
    shown = {**initial, **_without_hidden(root, data, env)}
    return list(_render(root, (), Scope(shown, shown), data, env))


def _render(field: Field, base: DataPath, scope: Scope, data: dict[str, Any], env: Environment) -> Iterator[Instance]:
    if expressions.condition(field.hide, scope, env):
        return
    path = (*base, *field.path)
    yield Instance(field, path, scope)
    if not field.repeating:
        for inner in field.children:
            yield from _render(inner, path, scope, data, env)
        return
    rows = read(data, path)
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        inside = scope.row(row, index + 1)
        for inner in field.children:
            yield from _render(inner, (*path, index), inside, data, env)


def _without_hidden(root: Field, data: dict[str, Any], env: Environment) -> dict[str, Any]:
    hidden = list(_hidden(root, (), Scope(data, data), data, env, False))
    if not hidden:
        return data
    filtered: dict[str, Any] = copy(data)
    for path in hidden:
        clear(filtered, path)
    return filtered


def _hidden(field: Field, base: DataPath, scope: Scope, data: dict[str, Any], env: Environment, hidden: bool) -> Iterator[DataPath]:
    path = (*base, *field.path)
    # form-js looks at conditions of components that own a data path only
    if not hidden and (field.keyed or field.children):
        hidden = expressions.condition(field.hide, scope, env)
    if field.keyed or (field.repeating and hidden):
        if hidden:
            yield path
        return
    if not field.repeating:
        for inner in field.children:
            yield from _hidden(inner, path, scope, data, env, hidden)
        return
    rows = read(data, path)
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        inside = Scope(data, row, scope.this if scope.rows else data, (*scope.rows, index + 1))
        for inner in field.children:
            yield from _hidden(inner, (*path, index), inside, data, env, hidden)
