"""Every vector of tests/feel/vectors: one file per built-in function and grammar rule of DMN 1.5 chapter 10.

A vector is `expression`, optional `context` (JSON) or `input` (then it is a unary test), and `expected` or `error` (an error code). Values
are JSON; what JSON lacks is tagged by its FEEL type: {"date": "2024-02-29"}, {"number": "0.1"}, {"context": {…}}.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.errors import LianbanError
from engine.feel import Context, Environment, compile_expression, compile_unary_tests, text_of, to_feel
from engine.feel.ops import kind_of
from engine.feel.values import FeelFunction
from engine.workcalendar import WorkCalendar, load_overlay

FOLDER = Path(__file__).parent / "vectors"
ROOT = Path(__file__).parents[2]
NOW = datetime(2022, 8, 1, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
CALENDAR = WorkCalendar(load_overlay(ROOT / "processes" / "catalogue" / "work_calendar.csv"))
ENVIRONMENT = Environment(now=lambda: NOW, calendar=CALENDAR, functions={"host sum": lambda a, b: a + b})


def load_all() -> list[dict[str, Any]]:
    """All vectors, each with its file's name and section."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for vector in document["vectors"]:
            found.append({"file": path.stem, "section": document["section"], **vector})
    return found


def encode(value: Any) -> Any:
    """A FEEL value in the notation of the vector files."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) < 2**53
        return int(value) if whole else {"number": value}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Context):
        return {"context": {key: encode(item) for key, item in value.items()}}
    return {kind_of(value): "" if isinstance(value, FeelFunction) else text_of(value)}


def decode(expected: Any) -> Any:
    """The same notation with numbers comparable."""
    if isinstance(expected, list):
        return [decode(item) for item in expected]
    if isinstance(expected, dict):
        if "number" in expected:
            number = Decimal(expected["number"])
            return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else {"number": number}
        return {key: decode_entries(key, item) for key, item in expected.items()}
    return expected


def decode_entries(tag: str, value: Any) -> Any:
    return {key: decode(item) for key, item in value.items()} if tag == "context" else value


def actual(vector: dict[str, Any]) -> Any:
    """What our implementation says: an encoded value or {"error": code}."""
    context = vector.get("context", {})
    try:
        if "input" in vector:
            tests = compile_unary_tests(vector["expression"], names=context.keys())
            return encode(tests.matches(to_feel(vector["input"]), context, ENVIRONMENT))
        return encode(compile_expression(vector["expression"], names=context.keys()).evaluate(context, ENVIRONMENT))
    except LianbanError as problem:
        return {"error": problem.code}


VECTORS = load_all()


def test_the_standard_is_covered() -> None:
    assert len(VECTORS) >= 1_500
    assert all(vector["section"] for vector in VECTORS)


@pytest.mark.parametrize("name", sorted({vector["file"] for vector in VECTORS}))
def test_vectors_of(name: str) -> None:
    """All vectors of one file; the message names every one that fails."""
    failures = []
    for vector in VECTORS:
        if vector["file"] != name:
            continue
        expected = {"error": vector["error"]} if "error" in vector else decode(vector["expected"])
        result = actual(vector)
        if result != expected:
            failures.append(f"{vector['expression']!r}: expected {expected}, got {result}")
    assert not failures, "\n".join(failures)
