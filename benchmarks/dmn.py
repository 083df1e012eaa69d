"""Decision tables: a 20-rule table against the same logic in plain Python; compiling FEEL against reading the XML it stands in."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from engine.dmn import parse_dmn
from engine.dmn.findings import Findings
from engine.dmn.reader import read_dmn
from engine.feel import api

PROCESSES = Path(__file__).resolve().parent.parent / "processes"
KINDS = ("政府", "企业", "社会", "外资")
LIMIT = Decimal(30)
# (kind, least area, greatest area or None, must days be below 30?) of rule n; the output is n
LOGIC = tuple((KINDS[n % 4], Decimal(n * 900), None if n % 2 == 0 else Decimal(n * 900 + 5000), n % 3 == 0) for n in range(20))
CASES: tuple[dict[str, Any], ...] = (
    {"kind": "政府", "area": Decimal(50), "days": Decimal(20)},
    {"kind": "外资", "area": Decimal(17500), "days": Decimal(20)},
    {"kind": "社会", "area": Decimal(9500), "days": Decimal(40)},
    {"kind": "无", "area": Decimal(9500), "days": Decimal(40)},
)


def run() -> list[dict[str, Any]]:
    """Rows of the table in var/bench.json."""
    xml = _table()
    model = parse_dmn(xml)
    for case in CASES:
        assert model.evaluate("d", case).value == plain(**case)
    ours = _best(lambda: [model.evaluate("d", case) for case in CASES], 200) / len(CASES)
    python = _best(lambda: [plain(**case) for case in CASES], 2000) / len(CASES)
    files = [path.read_bytes() for path in sorted(PROCESSES.glob("*.dmn"))] or [xml]
    reading = _best(lambda: [read_dmn(data, "x", Findings("x")) for data in files], 10)
    compiling = _best(lambda: _compile_cold(files), 10) - reading
    return [
        _row("20-rule decision table with trace vs plain Python", ours, python, 30.0, "µs", 1e6),
        _row(f"compile and lint {len(files)} decision file(s), cold, vs reading their XML", compiling, reading, 3.0, "ms", 1e3),
    ]


def plain(kind: str, area: Decimal, days: Decimal) -> int | None:
    """What the table says, as a Python programmer would write it."""
    for number, (wanted, least, most, short) in enumerate(LOGIC):
        if kind == wanted and area >= least and (most is None or area <= most) and (not short or days < LIMIT):
            return number
    return None


def _table() -> bytes:
    rows: list[Sequence[str]] = []
    for number, (kind, least, most, short) in enumerate(LOGIC):
        rows.append((f'"{kind}"', f">= {least}" if most is None else f"[{least}..{most}]", "< 30" if short else "-", str(number)))
    inputs = "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in ("kind", "area", "days"))
    rules = "".join(
        f"<rule>{''.join(f'<inputEntry><text>{escape(cell)}</text></inputEntry>' for cell in row[:3])}"
        f"<outputEntry><text>{row[3]}</text></outputEntry></rule>"
        for row in rows
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="drg" name="bench" namespace="bench">'
        f'<decision id="d" name="d"><decisionTable hitPolicy="FIRST">{inputs}<output name="n"/>{rules}</decisionTable></decision>'
        "</definitions>"
    ).encode()


def _compile_cold(files: list[bytes]) -> None:
    api._compile_expression.cache_clear()
    api._compile_tests.cache_clear()
    for data in files:
        parse_dmn(data)


def _best(work: Callable[[], object], rounds: int) -> float:
    """Seconds of one round: the median of five series."""
    work()
    series = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(rounds):
            work()
        series.append((time.perf_counter() - start) / rounds)
    return statistics.median(series)


def _row(name: str, value: float, baseline: float, target: float, unit: str, factor: float) -> dict[str, Any]:
    ratio = value / baseline
    return {
        "name": name,
        "value": value * factor,
        "unit": unit,
        "baseline": baseline * factor,
        "ratio": ratio,
        "target": target,
        "ok": ratio <= target,
    }
