"""Camunda 7's typed variables and instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from engine.errors import Invalid
from webapp.api.types import Body, Json
from webapp.submission import BodyUnreadable, read_json

_KINDS = {str: "String", bool: "Boolean", int: "Integer", float: "Double"}
INTEGER_BITS = 31


class TypedValue(Body):
    """A variable's value; `type` may be left out. Json and Object values come as JSON text, read as strictly as the body around them."""

    value: Json = None
    type: str | None = None
    value_info: dict[str, Any] | None = None
    local: bool | None = None


class ValueInvalid(Invalid):
    """变量“{name}”的值不是 {kind}。

    The value of the variable "{name}" is no {kind}.
    """

    code = "invalid_argument"
    status = 400


def plain(variables: dict[str, TypedValue] | None) -> dict[str, Any]:
    """name -> JSON value. Raises ValueInvalid."""
    return {name: _plain(name, typed) for name, typed in (variables or {}).items()}


def _plain(name: str, typed: TypedValue) -> Any:
    kind = (typed.type or "").lower()
    if kind not in {"json", "object"} or not isinstance(typed.value, str):
        return typed.value
    try:
        return read_json(typed.value.encode())
    except BodyUnreadable:
        if kind == "object":  # another serialization; Camunda 7 keeps the text too
            return typed.value
        raise ValueInvalid(name=name, kind="JSON") from None


def typed(value: Any) -> dict[str, Any]:
    """A JSON value with its type in Camunda 7's words."""
    if value is None:
        return {"type": "Null", "value": None, "valueInfo": {}}
    if isinstance(value, (dict, list)):
        return {"type": "Json", "value": orjson.dumps(value).decode(), "valueInfo": {}}
    kind = "Long" if isinstance(value, int) and abs(value) >> INTEGER_BITS else _KINDS[type(value)]
    return {"type": kind, "value": value, "valueInfo": {}}


def instant(value: datetime | None) -> str | None:
    """2022-08-01T02:00:00.000+0000: with a zone, but without its colon."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
