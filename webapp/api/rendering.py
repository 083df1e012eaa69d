"""Values as programs expect them: JSON answers, instants in UTC with Z, keys as strings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response

from engine.feel import to_json


def json_answer(value: object, status: int = 200) -> Response:
    """A JSON answer; the content type is exactly application/json, because Camunda 7's client compares it letter by letter."""
    return Response(orjson.dumps(value, default=to_json), status, mimetype="application/json")


def instant(value: datetime | None) -> str | None:
    """2022-08-01T02:00:00.000Z: clients refuse other zones."""
    return None if value is None else sure_instant(value)


def sure_instant(value: datetime) -> str:
    """The same for an instant that is always there."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def key(value: int | None) -> str | None:
    """Keys are 64-bit numbers, which JavaScript cannot hold: strings."""
    return None if value is None else str(value)


def json_text(value: Any) -> str:
    """A value as JSON in a string, as Camunda 8 shows variables and decisions."""
    return orjson.dumps(value, default=to_json).decode()
