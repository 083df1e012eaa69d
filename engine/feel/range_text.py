"""Reading a range from a string for `range("[18..21)")` (DMN 1.5 §10.3.4.1): ends are literals or temporal constructors of literals."""

from __future__ import annotations

from typing import Any

from engine.errors import ExpressionError
from engine.feel import ast
from engine.feel.names import index_names
from engine.feel.ops import kind_of
from engine.feel.parser import Parser
from engine.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time
from engine.feel.values import Range

_CONSTRUCTORS = {"date": parse_date, "time": parse_time, "date and time": parse_date_time, "duration": parse_duration}
_NAMES = index_names(_CONSTRUCTORS)
_MAX_LENGTH = 200


def parse_range(text: str) -> Range | None:
    """The range, None if the text is none or its ends are no literals of one kind."""
    if len(text) > _MAX_LENGTH:
        return None
    try:
        node = Parser(text, _NAMES, {}).whole_expression()
    except ExpressionError:
        return None
    if not isinstance(node, ast.RangeNode):
        return None
    ends = [_end(part) for part in (node.low, node.high)]
    if _NOTHING in ends or (None not in ends and kind_of(ends[0]) != kind_of(ends[1])):
        return None
    closed = [flag and end is not None for flag, end in zip((node.low_closed, node.high_closed), ends, strict=True)]
    return Range(ends[0], ends[1], closed[0], closed[1]) if ends != [None, None] else None


_NOTHING: Any = "not a literal"


def _end(node: ast.Node | None) -> Any:
    if node is None:
        return None
    if isinstance(node, ast.Literal) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and len(node.args) == 1:
        argument, parse = node.args[0], _CONSTRUCTORS.get(node.function.name)
        if parse is not None and isinstance(argument, ast.Literal) and isinstance(argument.value, str):
            found = parse(argument.value)
            return _NOTHING if found is None else found
    return _NOTHING
