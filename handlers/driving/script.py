"""Scripts: data that say how the people of a driven project decide, wait and report. Rules are JSON; conditions are FEEL.

A rule: `element`, `form`, `process`, `unit`, `label` or `message` say where it applies (all that are given must fit), `when` is FEEL over
the task's variables, `chance` its probability each time (default 1), `most` how often it applies to one element of a project,
`answer` what differs from the form's example ("{+10}" is the day ten days from today), `hold` leaves the task (or event) alone,
`claim` only signs for it, `wait` delays it by working days, `until` to a Beijing date-time.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from engine.feel import Environment, compile_expression

_DAY = re.compile(r"^\{\+(\d+)\}$")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; "" and None mean: not asked."""

    element: str = ""
    form: str = ""
    process: str = ""
    unit: str = ""
    label: str = ""
    message: str = ""
    when: str = ""
    chance: float = 1.0
    most: int | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    hold: bool = False
    claim: bool = False
    wait: int = 0
    until: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a decision is asked for; `key` counts how often a rule was used."""

    element: str
    form: str
    process: str
    unit: str
    label: str
    message: str
    variables: Mapping[str, Any]


def read_rules(path: Path) -> list[Rule]:
    """The rules of a JSON file: a list of objects."""
    return rules_of(orjson.loads(path.read_bytes()))


def rules_of(entries: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Rules from JSON objects; an unknown key is a TypeError."""
    return [Rule(**entry) for entry in entries]


class Script:
    """Rules with a source of chance. The first rule that fits and is drawn decides; without one the form's example is the answer."""

    def __init__(self, rules: Sequence[Rule], chance: random.Random) -> None:
        self._rules, self._chance = rules, chance
        self._used: Counter[tuple[int, str]] = Counter()

    def choose(self, situation: Situation, today: date) -> Rule:
        """The rule for a situation, its answer's days filled in; an empty rule when none applies."""
        for number, rule in enumerate(self._rules):
            key = (number, situation.process + situation.element + situation.message)
            if not _fits(rule, situation) or (rule.most is not None and self._used[key] >= rule.most):
                continue
            if rule.chance < 1 and self._chance.random() >= rule.chance:
                continue
            self._used[key] += 1
            return replace(rule, answer=_with_days(rule.answer, today))
        return Rule()


def _fits(rule: Rule, situation: Situation) -> bool:
    asked = ("element", "form", "process", "unit", "label", "message")
    if any(getattr(rule, name) and getattr(rule, name) != getattr(situation, name) for name in asked):
        return False
    if bool(situation.message) != bool(rule.message):
        return False
    return not rule.when or compile_expression(rule.when.removeprefix("=")).evaluate(situation.variables, Environment()) is True


def _with_days(value: Any, today: date) -> Any:
    if isinstance(value, dict):
        return {key: _with_days(inner, today) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_days(inner, today) for inner in value]
    found = _DAY.match(value) if isinstance(value, str) else None
    return (today + timedelta(days=int(found[1]))).isoformat() if found else value
