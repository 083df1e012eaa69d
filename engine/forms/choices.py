"""Options of select, radio, checklist and taglist, and whether a value is one of them (form-js 2.0's normalisation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.feel import Environment
from engine.forms import expressions
from engine.forms.expressions import Scope
from engine.forms.schema import Field


def options_of(field: Field, scope: Scope, initial: Mapping[str, Any], env: Environment) -> list[Any]:
    """The allowed values: from the data the form was shown with (`valuesKey`), the schema (`values`) or an expression."""
    source: Any
    if "valuesKey" in field.options:
        source = initial.get(str(field.options["valuesKey"]))
    elif "values" in field.options:
        source = field.options["values"]
    else:
        source = expressions.resolve(field.options.get("valuesExpression"), scope, env)
    return [value for value in map(_option_value, source if isinstance(source, list) else []) if value is not None]


def _option_value(option: Any) -> Any:
    """The value of one option; None if form-js would leave the option out."""
    if not isinstance(option, dict):
        return option if _is_scalar(option) else None
    label, value = option.get("label"), option.get("value")
    if isinstance(label, str) and label:
        return value if _is_scalar(value) or (isinstance(value, (dict, list)) and value) else None
    return value if _is_scalar(value) else None


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and value != "")


def allowed(value: Any, options: list[Any]) -> bool:
    """Deep equality as in JavaScript: true is not 1."""
    return any(same(value, option) for option in options)


def same(left: Any, right: Any) -> bool:
    """Equal JSON values of the same kind."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
