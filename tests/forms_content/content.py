"""Readers of the content under test: forms, their example submissions, decisions and catalogue files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.dmn import DecisionModel, parse_dmn
from engine.feel import Environment, to_json
from engine.forms import validate_submission

ROOT = Path(__file__).resolve().parents[2]
FORMS = ROOT / "forms"
PROCESSES = ROOT / "processes"
CHINA = ZoneInfo("Asia/Shanghai")
DEMO_DATE = "2022-08-01"  # the business date that the examples are written for


def environment(day: str = DEMO_DATE) -> Environment:
    """Expressions see this day, 11:00 Beijing time."""
    moment = datetime.fromisoformat(f"{day}T11:00").replace(tzinfo=CHINA)
    return Environment(now=lambda: moment)


def schema(form: str) -> dict[str, Any]:
    return _object(FORMS / f"{form}.form")


def example(form: str) -> dict[str, Any]:
    """A fresh copy of the form's valid example submission."""
    return _object(FORMS / "examples" / f"{form}.json")


def _object(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def shown(form: str) -> dict[str, Any]:
    """The variables that a task would show the form with, as far as its rules and readonly fields need them."""
    applications = {"planning_review": "planning_application", "feasibility_review": "feasibility_application"}
    variables: dict[str, Any] = {"unit": "ZRZYJ", **example("project_registration"), "application": {}}
    if form in applications:
        variables |= example(applications[form])
    if form == "intake_check":
        variables["intake"] = {"receipt_time": "2022-08-01T10:30:00+08:00"}
    return {name: value for name, value in variables.items() if name not in example(form) or form == "intake_check"}


def submit(form: str, submission: Mapping[str, Any], context: Mapping[str, Any] | None = None, day: str = DEMO_DATE) -> dict[str, Any]:
    """What the server stores; FormInvalid otherwise."""
    return validate_submission(schema(form), submission, shown(form) | dict(context or {}), environment(day))


def changed(data: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`data` with the values at dotted paths replaced (list positions are numbers)."""
    for path, value in changes.items():
        *parents, last = path.split(".")
        place: Any = data
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    return data


@lru_cache(maxsize=32)
def decision(name: str) -> DecisionModel:
    return parse_dmn((PROCESSES / f"{name}.dmn").read_bytes(), f"{name}.dmn")


def decide(name: str, **variables: Any) -> Any:
    """The decision's result as JSON."""
    return to_json(decision(name).evaluate(name, variables).value)


@lru_cache(maxsize=32)
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a catalogue file."""
    with (PROCESSES / "catalogue" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))
