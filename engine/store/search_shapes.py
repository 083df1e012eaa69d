"""Searches that differ only in their values share one statement: its SQL is written once for each shape, not for each request.

A shape is which fields are compared how, the order, and whether the page has an offset; the values become parameters. What is rare or
open-ended (patterns, alternatives, long lists, cursors) has no shape here and is written anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import TypeEngine

Operator = Literal["eq", "neq", "exists", "gt", "gte", "lt", "lte", "in", "notIn", "like"]
ONE_VALUE = frozenset({"eq", "neq", "gt", "gte", "lt", "lte"})
LISTED = 8
"""Longer lists are not worth a statement for each length."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: `field` is a name of the source; "like" has the wildcards * and ?, escaped by a backslash."""

    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Parametrised:
    """A special condition that can be written with parameters. `values`: those of a condition, None when it has another form; `types`:
    theirs; `clause`: the condition over the parameters."""

    values: Callable[[Condition], Sequence[Any] | None]
    types: tuple[TypeEngine[Any], ...]
    clause: Callable[..., ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Part:
    """What a condition has in common with others of its shape. `given`: the whole value where the SQL depends on it; `count`: how many
    parameters there are."""

    field: str
    operator: Operator
    given: bool | None
    count: int


def part_of(
    condition: object, special: Mapping[str, object], parametrised: Mapping[str, Parametrised]
) -> tuple[Part, Sequence[Any]] | None:
    """A condition's share of the shape and its values; None when it has no shape."""
    if not isinstance(condition, Condition):
        return None
    name, operator, value = condition.field, condition.operator, condition.value
    if name in parametrised:
        values = parametrised[name].values(condition)
        return None if values is None else (Part(name, operator, None, len(values)), values)
    if name in special:
        return None
    if operator == "exists":
        return Part(name, operator, bool(value), 0), ()
    if operator in ONE_VALUE:
        return (Part(name, operator, None, 0), ()) if value is None else (Part(name, operator, None, 1), (value,))
    if operator in {"in", "notIn"} and 0 < len(value) <= LISTED and None not in value:
        return Part(name, operator, None, len(value)), value
    return None


def parameters(number: int, types: Sequence[TypeEngine[Any]]) -> list[BindParameter[Any]]:
    """The parameters of the condition with this number."""
    return [bindparam(_name(number, index), type_=type_) for index, type_ in enumerate(types)]


def named(values: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The values of all conditions under their parameters' names."""
    return {_name(number, index): value for number, some in enumerate(values) for index, value in enumerate(some)}


def with_parameters(part: Part, found: Sequence[BindParameter[Any]]) -> Condition:
    """The condition on a field with its parameters for values."""
    if part.operator == "exists" or not found:
        return Condition(part.field, part.operator, part.given)
    return Condition(part.field, part.operator, list(found) if part.operator in {"in", "notIn"} else found[0])


def _name(number: int, index: int) -> str:
    return f"value_{number}_{index}"
