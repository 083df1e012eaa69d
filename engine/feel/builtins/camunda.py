"""Functions that only Camunda 8 documents (checked against its FEEL documentation); the Modeler offers them to analysts.

`is defined` and `get or else` are compiled in calls.py because their argument may be missing without a warning. `fromAi` is left out.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from decimal import Decimal
from typing import Any

from engine.errors import ExpressionError, Said
from engine.feel.builtins.patterns import find_pattern, limited
from engine.feel.builtins.registry import builtin, invalid
from engine.feel.numbers import CONTEXT
from engine.feel.runtime import Run
from engine.feel.values import to_feel, to_json


@builtin("is defined(value: any) -> boolean", "Camunda 8 boolean functions")
def is_defined(_run: Run, value: Any) -> bool:
    """Not null?"""
    return value is not None


@builtin("get or else(value: any, default: any) -> Any", "Camunda 8 boolean functions")
def get_or_else(_run: Run, value: Any, default: Any) -> Any:
    """The value, or the default if it is null."""
    return default if value is None else value


@builtin("assert(value: any, condition: any, cause?: string) -> Any", "Camunda 8 boolean functions")
def assert_that(run: Run, value: Any, condition: Any, cause: str | None = None) -> Any:
    """The value if the condition is true. Raises ExpressionError otherwise: the one way for an expression to fail on purpose."""
    if condition is True:
        return value
    raise ExpressionError(expression=run.text, position=0, reason=cause or Said("断言不成立", "assertion failed"))


@builtin("extract(string: string, pattern: string, flags?: string) -> list", "Camunda 8 string functions")
def extract(run: Run, text: str, pattern: str, flags: str | None = None) -> tuple[str, ...]:
    """All matches of a pattern."""
    found = find_pattern(pattern, flags)
    matches = limited(run, lambda timeout: tuple(match.group() for match in found.finditer(text, timeout=timeout)))
    run.check_items(len(matches))
    return matches


@builtin("trim(string: string) -> string", "Camunda 8 string functions")
def trim(_run: Run, text: str) -> str:
    """Without white space at both ends."""
    return text.strip()


@builtin("is blank(string: string) -> boolean", "Camunda 8 string functions")
def is_blank(_run: Run, text: str) -> bool:
    """Empty or only white space?"""
    return not text.strip()


@builtin("uuid() -> string", "Camunda 8 string functions")
def random_uuid(_run: Run) -> str:
    """A random UUID: every evaluation gives another one."""
    return str(uuid.uuid4())


@builtin("random number() -> number", "Camunda 8 numeric functions")
def random_number(_run: Run) -> Decimal:
    """A random number in 0..1: every evaluation gives another one."""
    return CONTEXT.scaleb(Decimal(secrets.randbelow(10**16)), -16)


@builtin("to base64(value: string) -> string", "Camunda 8 string functions")
def to_base64(run: Run, text: str) -> str:
    """UTF-8 in Base64."""
    run.check_chars(len(text) * 4)
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")


@builtin("from json(value: string) -> Any", "Camunda 8 conversion functions")
def from_json(run: Run, text: str) -> Any:
    """The value of a JSON text."""
    run.tick(len(text) // 16 + 1)
    try:
        return to_feel(json.loads(text, parse_float=CONTEXT.create_decimal, parse_constant=_refuse))
    except (ValueError, RecursionError, ArithmeticError):
        raise invalid("不是 JSON", "not JSON") from None


def _refuse(name: str) -> Any:
    raise ValueError(name)


@builtin("to json(value: any) -> string", "Camunda 8 conversion functions")
def to_json_text(run: Run, value: Any) -> str:
    """Compact JSON."""
    run.tick(16)
    text = json.dumps(to_json(value, run.tick), ensure_ascii=False, separators=(",", ":"))
    run.check_chars(len(text))
    return text
