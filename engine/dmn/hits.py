"""Hit policies and aggregation of decision tables (DMN 1.5 §8.2.11), on outputs that are computed already.

Where the standard calls a result undefined (UNIQUE with several matches, ANY with different outputs), evaluation fails with DecisionError,
as in Camunda: a wrong table must not decide about a permit. Without any match the result is the default output, else null (§8.3.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.dmn.session import Value
from engine.errors import DecisionError, Said
from engine.feel import compile_expression
from engine.feel.values import Context


@dataclass(frozen=True, slots=True)
class Hit:
    """A matched rule: its number and its output values in the order of the output clauses."""

    index: int
    outputs: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a policy needs to know of a table: its name for errors, output names, output values in order of priority, aggregation."""

    decision: str
    names: tuple[str, ...]
    priorities: tuple[tuple[Value, ...], ...]
    aggregation: str

    def result(self, outputs: tuple[Value, ...]) -> Value:
        """One output is the value itself, several are a context."""
        return outputs[0] if len(self.names) == 1 else Context(dict(zip(self.names, outputs, strict=True)))

    def fail(self, reason: str) -> DecisionError:
        """The error of a table that contradicts its own policy."""
        return DecisionError(decision=self.decision, reason=reason)


Policy = Callable[[Shape, list[Hit]], tuple[Value, list[Hit]]]
_EQUAL = compile_expression("a = b")
_AGGREGATES = {name: compile_expression(f"{name}(values)") for name in ("sum", "min", "max")}
_KEYWORDS = {"SUM": "sum", "MIN": "min", "MAX": "max"}


def equal(left: Value, right: Value) -> bool:
    """FEEL equality; null equals null."""
    return _EQUAL.evaluate({"a": left, "b": right}) is True


def _numbers(hits: list[Hit], between: str) -> str:
    return between.join(str(hit.index) for hit in hits)


def _differ(one: Hit, other: Hit) -> Said:
    return Said(
        f"命中策略为 ANY，但规则 {one.index} 与规则 {other.index} 的输出不同",
        f"the hit policy is ANY, but the outputs of rules {one.index} and {other.index} differ",
    )


def unique(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """No two rules may match."""
    if len(hits) > 1:
        raise shape.fail(
            Said(
                f"命中策略为 UNIQUE，但规则 {_numbers(hits, '、')} 同时匹配",
                f"the hit policy is UNIQUE, but rules {_numbers(hits, ', ')} match",
            )
        )
    return shape.result(hits[0].outputs), hits


def any_(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """Several rules may match if they say the same."""
    first = hits[0]
    for hit in hits[1:]:
        if not all(map(equal, first.outputs, hit.outputs)):
            raise shape.fail(_differ(first, hit))
    return shape.result(first.outputs), hits


def first(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """The first matching rule in rule order."""
    return shape.result(hits[0].outputs), hits[:1]


def _rank(shape: Shape, hit: Hit) -> tuple[int, ...]:
    """Position of each output in its output values; a value that is not listed comes last."""
    return tuple(
        next((place for place, allowed in enumerate(order) if equal(value, allowed)), len(order))
        for value, order in zip(hit.outputs, shape.priorities, strict=True)
    )


def priority(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """The matching rule whose outputs come first in the output values; the leftmost output weighs most."""
    best = min(hits, key=lambda hit: _rank(shape, hit))
    return shape.result(best.outputs), [best]


def output_order(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """All matches in decreasing priority."""
    ordered = sorted(hits, key=lambda hit: _rank(shape, hit))
    return tuple([shape.result(hit.outputs) for hit in ordered]), ordered


def rule_order(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """All matches in rule order."""
    return tuple([shape.result(hit.outputs) for hit in hits]), hits


def collect(shape: Shape, hits: list[Hit]) -> tuple[Value, list[Hit]]:
    """All matches (in rule order), or their sum, minimum, maximum or count."""
    if not shape.aggregation:
        return rule_order(shape, hits)
    values: tuple[Any, ...] = tuple([hit.outputs[0] for hit in hits])
    if shape.aggregation == "COUNT":
        return Decimal(len(values)), hits
    return _AGGREGATES[_KEYWORDS[shape.aggregation]].evaluate({"values": values}), hits


POLICIES: dict[str, Policy] = {
    "UNIQUE": unique,
    "ANY": any_,
    "FIRST": first,
    "PRIORITY": priority,
    "OUTPUT ORDER": output_order,
    "RULE ORDER": rule_order,
    "COLLECT": collect,
}
