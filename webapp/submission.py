"""The body of a form's post: JSON {"data": {...}}, read so that nothing in it can break what comes after (the engine, either database)."""

from __future__ import annotations

import json
from decimal import Decimal
from math import isinf
from typing import Any, NoReturn

from flask import request

from engine.errors import Invalid

MAX_DEPTH = 64
"""No form nests deeper than a table in a group; what the engine stores may be copied and walked by recursive code."""
MAX_INTEGER = 2**63 - 1


class BodyUnreadable(Invalid):
    """请求不是可以接收的 JSON：{reason}

    The request is not JSON that can be accepted: {reason}
    """

    code = "body_unreadable"
    status = 400


def submitted_data() -> dict[str, Any]:
    """The form's data; {} for an ordinary post without JSON (a task or an event without a form).

    Call it before a unit of work is opened: a client may send its body as slowly as it likes, and SQLite has one writer.

    Raises BodyUnreadable (400) for what is no JSON, nests too deep, or holds NaN, NUL, a half character or an integer beyond 64 bits;
    Invalid (422) for JSON of another shape.
    """
    if not request.is_json:
        return {}
    body = read_json(request.get_data())
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise Invalid(reason='应为 {"data": {…}}')
    return data


def read_json(raw: bytes) -> Any:
    """A JSON text that nothing can break on. Raises BodyUnreadable."""
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        raise BodyUnreadable(reason="嵌套太深") from None
    except ValueError as error:  # also UnicodeDecodeError, and a whole number of more than 4,300 digits
        raise BodyUnreadable(reason=str(error)[:200]) from None
    check_storable(value)
    return value


def check_storable(value: Any) -> None:
    """Raise BodyUnreadable for a value that the engine or a database could not keep."""
    _check(value, MAX_DEPTH)


def _refuse_constant(name: str) -> NoReturn:
    raise BodyUnreadable(reason=f"{name} 不是数字")


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise BodyUnreadable(reason="嵌套太深")
    if isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
    elif isinstance(value, str):
        _check_text(value)
    elif (isinstance(value, int) and abs(value) > MAX_INTEGER) or (isinstance(value, float | Decimal) and isinf(value)):  # 1e999, too
        raise BodyUnreadable(reason="数字太大")


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BodyUnreadable(reason="含有无法保存的字符")
