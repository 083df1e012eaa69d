"""FEEL: common expressions against the same logic in plain Python, and against the JavaScript interpreter feelin (warm, under Node).

The 20-rule table and the compilation of a deployment's expressions are measured in benchmarks/dmn.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from engine.feel import compile_expression
from engine.feel.api import Expression
from tests.feel.feelin import ask, find_feelin

CONTEXT: dict[str, Any] = {
    "amount": 1200,
    "days": 20,
    "due": "2024-05-01",
    "items": [{"price": number, "name": f"第{number}项"} for number in range(1000)],
}
SIMPLE_TARGET = 15.0
FILTER_TARGET = 60.0  # not one of the simple ones: 1,000 elements are looked at; the target against feelin is what counts
Logic = Callable[[dict[str, Any]], Any]
CASES: tuple[tuple[str, str, Logic, float, int], ...] = (
    ("condition", "amount > 1000 and days <= 30", lambda c: c["amount"] > 1000 and c["days"] <= 30, SIMPLE_TARGET, 20_000),
    ("if", 'if amount > 1000 then "审批" else "备案"', lambda c: "审批" if c["amount"] > 1000 else "备案", SIMPLE_TARGET, 20_000),
    ("filter of 1,000", "items[price > 500]", lambda c: [i for i in c["items"] if i["price"] > 500], FILTER_TARGET, 50),
    (
        "date comparison",
        'date(due) < date("2024-06-01")',
        lambda c: date.fromisoformat(c["due"]) < date(2024, 6, 1),
        SIMPLE_TARGET,
        20_000,
    ),
)


def run() -> list[dict[str, Any]]:
    """Rows of the table in var/bench.json; those against feelin only where Node and feelin are installed."""
    ours, rows = [], []
    for name, text, logic, target, times in CASES:
        expression = compile_expression(text)
        ours.append(_best(_evaluation(expression), times))
        rows.append(_row(f"feel {name} / python", ours[-1], _best(_logic(logic), times), target))
    if find_feelin() is not None:
        questions = [{"expression": text, "context": CONTEXT} for _, text, _, _, _ in CASES]
        answers = ask(questions, "--time", "200")
        for (name, *_), value, answer in zip(CASES, ours, answers, strict=True):
            rows.append(_row(f"feel {name} / feelin", value, answer["micros"], 1.0))
    rows.append(_row("feel compile a condition", _best(_compilation, 20), ours[0], float("inf")))
    return rows


def _evaluation(expression: Expression) -> Callable[[], Any]:
    return lambda: expression.evaluate(CONTEXT)


def _logic(logic: Logic) -> Callable[[], Any]:
    return lambda: logic(CONTEXT)


_texts = iter(f"amount > {number} and days <= 30" for number in range(10_000_000))


def _compilation() -> None:
    compile_expression(next(_texts))


def _best(action: Callable[[], Any], times: int, rounds: int = 5) -> float:
    """Microseconds of one call: the best of some rounds, because the machine is shared."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            action()
        best = min(best, (time.perf_counter() - start) / times)
    return best * 1e6


def _row(name: str, value: float, baseline: float, target: float) -> dict[str, Any]:
    ratio = value / baseline
    return {
        "name": name,
        "value": value,
        "unit": "µs",
        "baseline": baseline,
        "ratio": ratio,
        "target": None if target == float("inf") else target,
        "ok": ratio <= target,
    }
