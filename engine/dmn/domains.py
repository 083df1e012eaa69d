"""The values of one input column, cut into classes that no cell of the column can tell apart: the ground for gaps and overlaps.

Only cells of constants are understood: values, comparisons, ranges, lists of them, `not(...)`. All constants of a column are its corner
points. Every corner point and every open stretch between two of them is a class with one sample value, and the real evaluator says which
cells the sample satisfies; so this module knows nothing of how FEEL compares. A cell that is anything else is undecidable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.dmn.coverage import ANY_VALUE
from engine.dmn.session import Value
from engine.errors import Said
from engine.feel import Environment, ast, compile_expression
from engine.feel.compile.core import compile_node
from engine.feel.runtime import Run
from engine.feel.scope import Scope
from engine.feel.temporal import DaysDuration, FeelDate, FeelDateTime, MonthsDuration
from engine.feel.text import text_of
from engine.feel.values import Range

MAX_CLASSES = 1_500
_COMPARABLE = (Decimal, FeelDate, FeelDateTime, DaysDuration, MonthsDuration)
_OPERATORS = frozenset({"", "=", "!=", "<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class ValueClass:
    """A set of input values that every cell treats alike. `text` says which for people: "5", "(5..10)", "其他值"."""

    sample: Value
    text: str


class Undecidable(Exception):
    """The column has something that this analysis does not understand."""


def constants(tree: ast.UnaryTests) -> list[Value]:
    """The corner points of a cell. Raises Undecidable if it is more than constants."""
    found: list[Value] = []
    for test in tree.tests:
        if test.op not in _OPERATORS:
            raise Undecidable
        found.extend(_points(_constant(test.operand)))
    return found


def _constant(node: ast.Node) -> Value:
    if _reads_variables(node):
        raise Undecidable
    return compile_node(node, Scope(None, frozenset()))(Run({}, Environment(), ""))


def _reads_variables(node: ast.Node) -> bool:
    if isinstance(node, ast.Call):  # date("2024-01-01") and the like: constant if its arguments are
        return not isinstance(node.function, ast.Name) or any(map(_reads_variables, node.args)) or node.function.name in _IMPURE
    if isinstance(node, (ast.Name, ast.FunctionNode)):
        return True
    return any(map(_reads_variables, ast.children(node)))


_IMPURE = frozenset({"now", "today", "random number"})


def _points(value: Value) -> Iterator[Value]:
    if isinstance(value, tuple):
        for item in value:
            yield from _points(item)
    elif isinstance(value, Range):
        yield from (end for end in (value.low, value.high) if end is not None)
    elif value is None or isinstance(value, (bool, str, *_COMPARABLE)):
        yield value
    else:
        raise Undecidable


def classes(points: list[Value], type_name: str, allowed: list[Value] | None) -> list[ValueClass]:
    """The classes of a column. `type_name`: built-in type of the input ("" unknown); `allowed`: its closed list of values, if it has one.

    Null is no class: a missing value is not an overlap, and a table need not foresee it.
    """
    points = [point for point in points if point is not None]
    if allowed is not None:
        return [ValueClass(value, text_of(value)) for value in allowed]
    kinds = {type(point) for point in points}
    if not points and type_name != "boolean":
        return [ValueClass(_ANY_SAMPLE, ANY_VALUE)]
    if kinds <= {bool} and (type_name in ("boolean", "", "Any")):
        return [ValueClass(True, "true"), ValueClass(False, "false")]
    if kinds == {str}:
        return [
            *(ValueClass(text, text_of(text)) for text in dict.fromkeys(points)),
            ValueClass(_other(points), Said("其他值", "any other value")),
        ]
    if len(kinds) == 1 and issubclass(next(iter(kinds)), _COMPARABLE):
        found = list(_ordered(points))
        if len(found) <= MAX_CLASSES:
            return found
    raise Undecidable


class _Anything:
    """Stands for a value that no cell looks at."""


_ANY_SAMPLE = _Anything()


def _other(texts: list[str]) -> str:
    """A string that is none of `texts`; strings that are ordered by a range are compared by their text, so it sorts last."""
    return max(texts) + "\uffff其他"


_BEFORE = {
    Decimal: compile_expression("a - 1"),
    FeelDate: compile_expression('a - duration("P1D")'),
    FeelDateTime: compile_expression('a - duration("P1D")'),
    DaysDuration: compile_expression('a - duration("P1D")'),
    MonthsDuration: compile_expression('a - duration("P1M")'),
}
_AFTER = {kind: compile_expression(code.text.replace(" - ", " + ")) for kind, code in _BEFORE.items()}
_MIDDLE = compile_expression("a + (b - a) / 2")


def _key(value: Any) -> Any:
    return value if isinstance(value, Decimal) else value.key


def _between(low: Any, high: Any) -> Value | None:
    """A value strictly between two; None if there is none (neighbouring days or months)."""
    if isinstance(low, FeelDate):
        middle: Value = FeelDate.from_days((low.key + high.key) // 2)
    else:
        middle = _MIDDLE.evaluate({"a": low, "b": high})
    return middle if middle is not None and _key(low) < _key(middle) < _key(high) else None


def _ordered(points: list[Any]) -> Iterator[ValueClass]:
    ordered: list[Any] = []
    for point in sorted(points, key=_key):
        if not ordered or _key(ordered[-1]) != _key(point):
            ordered.append(point)
    yield ValueClass(_BEFORE[type(ordered[0])].evaluate({"a": ordered[0]}), f"< {text_of(ordered[0])}")
    for low, high in zip(ordered, [*ordered[1:], None], strict=True):
        yield ValueClass(low, text_of(low))
        if high is None:
            yield ValueClass(_AFTER[type(low)].evaluate({"a": low}), f"> {text_of(low)}")
        elif (middle := _between(low, high)) is not None:
            yield ValueClass(middle, f"({text_of(low)}..{text_of(high)})")
