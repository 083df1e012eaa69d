"""FEEL in forms: what an expression of a component sees, and evaluation that never raises.

The context is form-js's: all data by name, `this` (the row of a dynamic list, else all data), `parent` (the context around the row)
and `i` (row numbers from 1, outermost first), each also as `_this_`, `_parent_`, `_i_` where data has a key of that name.
Conditions are unary tests against null, as in form-js: a condition whose value is null counts as true there too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import ExpressionError
from engine.feel import Environment, compile_expression, compile_unary_tests, to_json

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """The local expression context of a component."""

    data: Mapping[str, Any]
    this: Any
    parent: Any = None
    rows: tuple[int, ...] = ()
    names: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        special = {"this": self.this, "parent": self.parent, "i": list(self.rows)}
        wrapped = {f"_{name}_": value for name, value in special.items()}
        object.__setattr__(self, "names", {**special, **self.data, **wrapped})

    def row(self, item: Any, number: int) -> Scope:
        """The scope inside row `number` (from 1) whose data is `item`."""
        around = Scope(mapping_or_empty(self.this), self.this, self.parent, self.rows)
        return Scope(self.data, item, around.names, (*self.rows, number))


def mapping_or_empty(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def is_expression(value: Any) -> bool:
    """form-js takes a string that starts with "=" as FEEL."""
    return isinstance(value, str) and value.startswith("=")


def evaluate(text: str, scope: Scope, env: Environment, **extra: Any) -> Any:
    """The JSON value of "=expression"; null where it cannot be evaluated (lint_form reports such expressions before deployment)."""
    names = {**scope.names, **extra} if extra else scope.names
    try:
        return to_json(compile_expression(text[1:]).evaluate(names, env))
    except ExpressionError:
        return None


def condition(text: str, scope: Scope, env: Environment) -> bool:
    """True if "=condition" holds, by form-js's rule (unary tests against null). Not an expression: false."""
    if not is_expression(text):
        return False
    try:
        return compile_unary_tests(text[1:]).matches(None, scope.names, env) is True
    except ExpressionError:
        return False


def resolve(value: Any, scope: Scope, env: Environment) -> Any:
    """`value`, evaluated if it is an expression."""
    return evaluate(value, scope, env) if is_expression(value) else value


def text(template: str, scope: Scope, env: Environment) -> str:
    """A label for people: expressions and simple {{templates}} filled in."""
    if is_expression(template):
        value = evaluate(template, scope, env)
        return value if isinstance(value, str) else ""

    def fill(match: re.Match[str]) -> str:
        value = evaluate(f"={match.group(1)}", scope, env)
        return "" if value is None else str(value)

    return _TEMPLATE.sub(fill, template)
