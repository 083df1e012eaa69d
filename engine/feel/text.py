"""FEEL values as text: what `string()` returns and what people read (DMN 1.5 §10.3.4.1 string(); nested strings are quoted)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel.lexer import is_plain_name
from engine.feel.numbers import number_text
from engine.feel.temporal import TEMPORAL_TYPES
from engine.feel.values import Context, FeelFunction, Range

_ESCAPED = re.compile(r'["\\\n\r\t]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """A FEEL string literal."""
    return '"' + _ESCAPED.sub(lambda found: _ESCAPES[found.group()], text) + '"'


def text_of(value: Any, charge: Callable[[int], None] | None = None) -> str:
    """The text of a value; a string is itself. `charge(characters so far)` may raise when it grows too long."""
    if isinstance(value, str):
        return value
    pieces: list[str] = []
    _write(value, _Sink(pieces, charge))
    return "".join(pieces)


class _Sink:
    """Collects pieces and reports the size while it grows, because shared sub-values can make a short value's text huge."""

    def __init__(self, pieces: list[str], charge: Callable[[int], None] | None) -> None:
        self.pieces = pieces
        self.charge = charge
        self.size = 0

    def add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.size += len(piece)
        if self.charge is not None:
            self.charge(self.size)


def _write(value: Any, sink: _Sink) -> None:
    if isinstance(value, tuple):
        _write_all("[", [("", item) for item in value], "]", sink)
    elif isinstance(value, Context):
        pairs = [(f"{key if is_plain_name(key) else quote(key)}: ", item) for key, item in value.items()]
        _write_all("{", pairs, "}", sink)
    elif isinstance(value, Range):
        _write_range(value, sink)
    else:
        sink.add(_scalar(value))


def _write_all(opening: str, pairs: list[tuple[str, Any]], closing: str, sink: _Sink) -> None:
    sink.add(opening)
    for index, (label, item) in enumerate(pairs):
        sink.add((", " if index else "") + label)
        _write(item, sink)
    sink.add(closing)


def _write_range(value: Range, sink: _Sink) -> None:
    if value.low is None and value.high is not None:
        sink.add("(<= " if value.high_closed else "(< ")
        _write(value.high, sink)
        sink.add(")")
    elif value.high is None and value.low is not None:
        sink.add("(>= " if value.low_closed else "(> ")
        _write(value.low, sink)
        sink.add(")")
    else:
        sink.add("[" if value.low_closed else "(")
        _write(value.low, sink)
        sink.add("..")
        _write(value.high, sink)
        sink.add("]" if value.high_closed else ")")


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, TEMPORAL_TYPES):
        return str(value)
    if isinstance(value, FeelFunction):
        return f"function({', '.join(value.parameters)})"
    return str(value)
