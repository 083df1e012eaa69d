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
    ("condition", "amount > 1000 and days <= 30", lambda c: c["amount"] > 1000 and c["days"] <= 30, SIMPLE_TARGET, 2_000),
    ("if", 'if amount > 1000 then "审批" else "备案"', lambda c: "审批" if c["amount"] > 1000 else "备案", SIMPLE_TARGET, 2_000),
    ("filter of 1,000", "items[price > 500]", lambda c: [i for i in c["items"] if i["price"] > 500], FILTER_TARGET, 10),
    (
        "date comparison",
        'date(due) < date("2024-06-01")',
        lambda c: date.fromisoformat(c["due"]) < date(2024, 6, 1),
        SIMPLE_TARGET,
        2_000,
    ),
)


def run() -> list[dict[str, Any]]:
    """Rows of the table in var/bench.json; those against feelin only where Node and feelin are installed."""
    ours, rows = [], []
    for name, text, logic, target, times in CASES:
        expression = compile_expression(text)
        mine, plain = _best_of_both(_evaluation(expression), _logic(logic), times)
        ours.append(mine)
        rows.append(_row(f"feel {name} / python", mine, plain, target))
    if find_feelin() is not None:
        questions = [{"expression": text, "context": CONTEXT} for _, text, _, _, _ in CASES]
        answers = ask(questions, "--time", "200")
        for (name, *_), value, answer in zip(CASES, ours, answers, strict=True):
            rows.append(_row(f"feel {name} / feelin", value, answer["micros"], 1.0))
    compiling, _ = _best_of_both(_compilation, _compilation, 20)
    rows.append(_row("feel compile a condition", compiling, ours[0], float("inf")))
    return rows


def _evaluation(expression: Expression) -> Callable[[], Any]:
    return lambda: expression.evaluate(CONTEXT)


def _logic(logic: Logic) -> Callable[[], Any]:
    return lambda: logic(CONTEXT)


_texts = iter(f"amount > {number} and days <= 30" for number in range(10_000_000))


def _compilation() -> None:
    compile_expression(next(_texts))


def _best_of_both(ours: Callable[[], Any], theirs: Callable[[], Any], times: int, rounds: int = 25) -> tuple[float, float]:
    """Microseconds of CPU of one call of each: the best of short rounds that alternate, because the machine is shared."""
    pairs = [(_round(ours, times), _round(theirs, times)) for _ in range(rounds)]
    return min(mine for mine, _ in pairs), min(their for _, their in pairs)


def _round(action: Callable[[], Any], times: int) -> float:
    start = time.thread_time()
    for _ in range(times):
        action()
    return (time.thread_time() - start) / times * 1e6


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
