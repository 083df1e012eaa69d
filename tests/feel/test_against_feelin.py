"""Differential test: our results against feelin's on generated expressions. Every difference must be one of feelin_differences.json,
which names the section of DMN 1.5 that decides it in our favour. Numbers are compared as doubles, because feelin computes with those."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LianbanError
from engine.feel import Context, FeelFunction, Range, compile_expression
from tests.feel.feelin import ask, find_feelin
from tests.feel.generate import CONTEXT, Generator

pytestmark = pytest.mark.scaled

SEEDS = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 400
ACCEPTED = json.loads((Path(__file__).parent / "feelin_differences.json").read_text(encoding="utf-8"))
# The older feelin that form-js brings (6.x) writes dates and durations in ways that lose their kind; it is asked nothing about them.
TEMPORAL = re.compile("@|date|duration|year|week")


def expressions() -> list[str]:
    found = []
    for seed in range(SEEDS):
        generator = Generator(seed, strays=("null", "missing") if seed % 2 else ())
        found += [generator.make("any", depth) for depth in (1, 2, 3)]
    whole = "@bpmn-io" not in str(find_feelin())
    return [text for text in dict.fromkeys(found) if whole or not TEMPORAL.search(text)]


def encode(value: Any) -> Any:
    """Our value in the notation of oracle.mjs."""
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Context):
        return {"context": {key: encode(item) for key, item in value.items()}}
    if isinstance(value, FeelFunction):
        return {"function": ""}
    return {"range": ""} if isinstance(value, Range) else {"temporal": str(value)}


def ours(text: str) -> dict[str, Any]:
    try:
        return {"value": encode(compile_expression(text).evaluate(CONTEXT))}
    except LianbanError as problem:
        return {"error": problem.code}


def agree(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(agree, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(agree(a[key], b[key]) for key in a)
    return bool(a == b)


def same_answer(own: dict[str, Any], their: dict[str, Any]) -> bool:
    if "error" in own or "error" in their:
        return "error" in own and "error" in their
    return agree(own["value"], their["value"])


@pytest.mark.skipif(find_feelin() is None and not os.environ.get("CI"), reason="feelin is not installed; CI installs it and fails without")
def test_every_difference_is_decided_by_the_standard() -> None:
    texts = expressions()
    answers = ask([{"expression": text, "context": CONTEXT} for text in texts])
    unexplained = []
    differing = 0
    for text, their in zip(texts, answers, strict=True):
        own = ours(text)
        if same_answer(own, their):
            continue
        differing += 1
        if not any(re.search(rule["pattern"], text, re.DOTALL) for rule in ACCEPTED):
            unexplained.append(f"{text}\n    ours   {own}\n    feelin {their}")
    assert not unexplained, "\n".join(unexplained[:20])
    assert differing < len(texts) / 5  # the list must not hide a broken evaluator


def test_every_accepted_difference_names_its_section() -> None:
    assert all(re.match(r"\d+\.\d+", rule["section"]) and rule["reason"] for rule in ACCEPTED)
    assert len({rule["id"] for rule in ACCEPTED}) == len(ACCEPTED)
