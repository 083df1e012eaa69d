"""Hit policies and the search for gaps and overlaps against naive models, on random tables (hypothesis)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dmn import parse_dmn
from engine.errors import DecisionError
from engine.feel import compile_unary_tests, to_feel, to_json
from tests.dmn.build import table

pytestmark = pytest.mark.scaled

PRIORITIES = ["高", "中", "低"]
Cell = tuple[str, int, int]  # kind, low, high
CELLS = st.one_of(
    st.just(("-", 0, 0)),
    st.tuples(st.sampled_from(["<", "<=", ">", ">=", "="]), st.integers(0, 6), st.just(0)),
    st.tuples(st.sampled_from(["[]", "()", "not", "or"]), st.integers(0, 5), st.integers(1, 6)),
)
RULES = st.lists(st.tuples(CELLS, CELLS, st.sampled_from(PRIORITIES)), min_size=1, max_size=6)


def cell_text(cell: Cell) -> str:
    kind, low, high = cell
    texts = {"-": "-", "=": f"{low}", "[]": f"[{low}..{low + high}]", "()": f"({low}..{low + high})"}
    texts |= {"not": f"not({low}, {high})", "or": f"{low}, {high}"}
    return texts.get(kind, f"{kind} {low}")


def cell_matches(cell: Cell, value: float) -> bool:
    kind, low, high = cell
    return {
        "-": True,
        "=": value == low,
        "<": value < low,
        "<=": value <= low,
        ">": value > low,
        ">=": value >= low,
        "[]": low <= value <= low + high,
        "()": low < value < low + high,
        "not": value not in (low, high),
        "or": value in (low, high),
    }[kind]


def naive(policy: str, rules: list[Any], x: float, y: float) -> Any:
    matched = [output for a, b, output in rules if cell_matches(a, x) and cell_matches(b, y)]
    ranked = sorted(matched, key=PRIORITIES.index)
    if not matched:
        return None
    if policy == "UNIQUE":
        return matched[0] if len(matched) == 1 else "error"
    if policy == "ANY":
        return matched[0] if len(set(matched)) == 1 else "error"
    answers: dict[str, Any] = {
        "FIRST": matched[0],
        "PRIORITY": ranked[0],
        "OUTPUT ORDER": ranked,
        "RULE ORDER": matched,
        "COLLECT": matched,
    }
    return answers[policy]


def build(policy: str, rules: list[Any]) -> bytes:
    rows = [(cell_text(a), cell_text(b), f'"{output}"') for a, b, output in rules]
    return table(policy, ["x", "y"], ["o"], rows, output_values=", ".join(f'"{text}"' for text in PRIORITIES))


@given(
    policy=st.sampled_from(["UNIQUE", "ANY", "FIRST", "PRIORITY", "OUTPUT ORDER", "RULE ORDER", "COLLECT"]),
    rules=RULES,
    x=st.integers(-1, 26),
    y=st.integers(-1, 26),
)
def test_every_hit_policy(policy: str, rules: list[Any], x: int, y: int) -> None:
    model = parse_dmn(build(policy, rules))
    try:
        answer = to_json(model.evaluate("d", {"x": x / 2, "y": y / 2}).value)
    except DecisionError:
        answer = "error"
    assert answer == naive(policy, rules, x / 2, y / 2)


@given(rules=RULES)
def test_overlaps_and_gaps_are_exactly_those_of_a_grid(rules: list[Any]) -> None:
    """Corners are integers, so a grid of halves from -1 to 13 has a point of every class."""
    findings = parse_dmn(build("UNIQUE", rules)).findings
    grid = [n / 2 for n in range(-2, 27)]
    pairs, gaps = set(), False
    for x in grid:
        for y in grid:
            hits = [n for n, (a, b, _) in enumerate(rules, 1) if cell_matches(a, x) and cell_matches(b, y)]
            pairs.update((first, second) for first in hits for second in hits if first < second)
            gaps = gaps or not hits
    overlaps = [finding for finding in findings if finding.rule == "dmn-overlap"]
    assert {finding.severity for finding in overlaps} <= {"error"}
    expected = {f"规则 {first} 与规则 {second} 重叠" for first, second in pairs}
    assert {finding.message.split("（")[0] for finding in overlaps} == expected
    assert any(finding.rule == "dmn-gap" for finding in findings) == gaps


TEXTS = st.sampled_from(["a", "b", "c"])
VALUES: st.SearchStrategy[Any] = st.one_of(TEXTS, st.just(None), st.integers(0, 2), st.lists(TEXTS, max_size=2))


@given(rows=st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=4), value=VALUES)
def test_look_up_of_strings_says_what_the_unary_tests_say(rows: list[list[str]], value: Any) -> None:
    cells = [", ".join(f'"{text}"' for text in row) for row in rows]
    model = parse_dmn(table("RULE ORDER", ["x"], ["o"], [[cell, str(n)] for n, cell in enumerate(cells)]))
    matched = [n for n, cell in enumerate(cells) if compile_unary_tests(cell).matches(to_feel(value), {}) is True]
    assert to_json(model.evaluate("d", {"x": value}).value) == (matched or None)


@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=5), aggregation=st.sampled_from(["SUM", "MIN", "MAX", "COUNT"]))
def test_aggregations(values: list[int], aggregation: str) -> None:
    model = parse_dmn(table("COLLECT", ["1"], ["o"], [["-", str(value)] for value in values], aggregation))
    expected = {"SUM": sum(values), "MIN": min(values), "MAX": max(values), "COUNT": len(values)}[aggregation]
    assert model.evaluate("d", {}).value == expected
