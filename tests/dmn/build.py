"""Builds small DMN files for tests that need many."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def definitions(body: str, namespace: str = "urn:test") -> bytes:
    """A file around decisions."""
    return f'<definitions xmlns="{NAMESPACE}" id="drg" name="drg" namespace="{namespace}">{body}</definitions>'.encode()


def table(
    policy: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    aggregation: str = "",
    output_values: str = "",
    default: str = "",
) -> bytes:
    """A file with one decision `d` that is a table; a rule lists its input cells, then its output cells."""
    parts = [f'<decision id="d" name="d"><decisionTable id="t" hitPolicy="{policy}"']
    parts.append(f' aggregation="{aggregation}">' if aggregation else ">")
    parts += [f"<input><inputExpression><text>{escape(text)}</text></inputExpression></input>" for text in inputs]
    values = f"<outputValues><text>{escape(output_values)}</text></outputValues>" if output_values else ""
    fallback = f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
    parts += [f'<output name="{name}">{values}{fallback}</output>' for name in outputs]
    for number, rule in enumerate(rules, 1):
        cells = [f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in rule[: len(inputs)]]
        cells += [f"<outputEntry><text>{escape(cell)}</text></outputEntry>" for cell in rule[len(inputs) :]]
        parts.append(f'<rule id="r{number}">{"".join(cells)}</rule>')
    return definitions("".join(parts) + "</decisionTable></decision>")
