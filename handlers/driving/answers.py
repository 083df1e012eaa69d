"""Form answers for a driver: the form's example submission, moved to today's date and to the project at hand."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from engine.errors import NotFound
from engine.feel import Environment, compile_expression, to_json
from engine.settings import ROOT

EXAMPLES = ROOT / "forms" / "examples"
FITS = Path(__file__).with_name("fits.json")
WRITTEN_ON = date(2022, 8, 1)
"""The day on which every example would be a valid submission."""
EXAMPLE_COMPANY, EXAMPLE_CODE = "昌吉市教育局", "116523010123456715"
"""The applicant of the examples; a driver puts the project's own in its place."""
_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2})(T.*)?$")


def answer(
    form_id: str, *, today: date, company: str = EXAMPLE_COMPANY, code: str = EXAMPLE_CODE, folder: Path = EXAMPLES
) -> dict[str, Any]:
    """The example submission of a form with every date moved by the days since the example was written. NotFound without an example."""
    shift = today - WRITTEN_ON
    words = {EXAMPLE_COMPANY: company, EXAMPLE_CODE: code}
    moved = _move(_example(form_id, folder), shift, words)
    assert isinstance(moved, dict)
    return moved


def fitted(form_id: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a form's answer takes from the project at hand: names, areas, amounts (fits.json). FEEL that gives null changes nothing."""
    fit = _fits().get(form_id)
    computed = _evaluate(fit, variables) if fit is not None else None
    return computed if isinstance(computed, dict) else {}


@lru_cache(maxsize=1)
def _fits() -> dict[str, Any]:
    return {entry["form"]: entry["answer"] for entry in orjson.loads(FITS.read_bytes())}


def _evaluate(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        computed = {key: _evaluate(inner, variables) for key, inner in value.items()}
        return {key: inner for key, inner in computed.items() if inner is not None}
    if isinstance(value, str) and value.startswith("="):
        return to_json(compile_expression(value[1:]).evaluate(variables, Environment()))
    return value


@lru_cache(maxsize=256)
def _example(form_id: str, folder: Path) -> Any:
    path = folder / f"{form_id}.json"
    if not path.exists():
        raise NotFound(what="表单示例", key=form_id)
    return orjson.loads(path.read_bytes())


def _move(value: Any, shift: timedelta, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _move(inner, shift, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_move(inner, shift, words) for inner in value]
    if isinstance(value, str):
        found = _DATE.match(value)
        if found:
            return (date.fromisoformat(found[1]) + shift).isoformat() + (found[2] or "")
        return words.get(value, value)
    return value


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, contexts merged deeply; neither is changed."""
    result = copy.deepcopy(dict(base))
    for key, value in over.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else copy.deepcopy(value)
    return result
