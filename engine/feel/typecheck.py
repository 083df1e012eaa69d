"""Type errors that are certain: what can only ever be null, with its position, for lint (DMN 1.5 §10.3.2.9, tables 50-57).

Inference is by kind ("number", "list", …). A kind that is not known is "Any" and never an error, so a finding is never a false alarm
about data; `known` gives the kinds of variables where the caller knows them (a decision's typed inputs, say).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.feel import ast
from engine.feel.builtins.registry import BUILTINS, Overload
from engine.feel.compile.paths import PROPERTY_NAMES
from engine.feel.ops import KIND_TYPES, OPERATIONS, chinese_kind, kind_of

ANY = "Any"
_ORDERED = frozenset({"number", "string", "date", "time", "date and time", "days and time duration", "years and months duration"})
Kinds = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TypeProblem:
    """One certain type error: 0-based position and what is wrong, in Chinese and English."""

    position: int
    message: str
    message_en: str


def find_type_problems(node: ast.Node, known: Kinds | None = None) -> tuple[TypeProblem, ...]:
    """All certain type errors of an expression or of unary tests, in reading order."""
    checker = _Checker()
    checker.kind(node, dict(known or {}))
    return tuple(sorted(checker.problems, key=lambda problem: problem.position))


class _Checker:
    """Walks the tree once; `kind` returns what a node evaluates to."""

    def __init__(self) -> None:
        self.problems: list[TypeProblem] = []

    def report(self, node: ast.Node, chinese: str, english: str) -> str:
        self.problems.append(TypeProblem(node.pos, chinese, english))
        return ANY

    def kind(self, node: ast.Node, names: Kinds) -> str:
        handler: Callable[[Any, Any, Kinds], str] | None = _HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node, names)
        for child in ast.children(node):
            self.kind(child, names)
        return _RESULTS.get(type(node), ANY)

    def literal(self, node: ast.Literal, _names: Kinds) -> str:
        return kind_of(node.value)

    def name(self, node: ast.Name, names: Kinds) -> str:
        return names.get(node.name, ANY)

    def binary(self, node: ast.Binary, names: Kinds) -> str:
        left, right = self.kind(node.left, names), self.kind(node.right, names)
        if node.op in ("and", "or"):
            for part, kind in ((node.left, left), (node.right, right)):
                self.expect_boolean(part, kind)
            return "boolean"
        if node.op in OPERATIONS:
            return self.arithmetic(node, left, right)
        self.comparison(node, node.op, left, right)
        return "boolean"

    def expect_boolean(self, node: ast.Node, kind: str) -> None:
        if kind not in (ANY, "boolean", "null"):
            self.report(node, f"这里需要布尔值，得到{chinese_kind(kind)}", f"a boolean is needed here, this is a {kind}")

    def arithmetic(self, node: ast.Binary, left: str, right: str) -> str:
        if ANY in (left, right):
            return ANY
        if "null" in (left, right):
            return self.report(node, f"{node.op} 的操作数是 null", f"an operand of {node.op} is null")
        if (KIND_TYPES[left], KIND_TYPES[right]) not in OPERATIONS[node.op]:
            return self.report(node, f"不能计算 {chinese_kind(left)} {node.op} {chinese_kind(right)}", f"no {left} {node.op} {right}")
        return _result(node.op, left, right)

    def comparison(self, node: ast.Node, op: str, left: str, right: str) -> None:
        if ANY in (left, right) or (op in ("=", "!=") and "null" in (left, right)):
            return
        if left != right or (op not in ("=", "!=") and left not in _ORDERED):
            self.report(node, f"不能比较 {chinese_kind(left)} {op} {chinese_kind(right)}", f"cannot compare {left} {op} {right}")

    def negation(self, node: ast.Negation, names: Kinds) -> str:
        kind = self.kind(node.operand, names)
        if kind in (ANY, "number", "days and time duration", "years and months duration"):
            return kind
        return self.report(node, f"不能取负：{chinese_kind(kind)}", f"cannot negate {kind}")

    def between(self, node: ast.Between, names: Kinds) -> str:
        value = self.kind(node.value, names)
        for end in (node.low, node.high):
            self.comparison(end, "<=", value, self.kind(end, names))
        return "boolean"

    def condition(self, node: ast.If, names: Kinds) -> str:
        self.expect_boolean(node.condition, self.kind(node.condition, names))
        then, otherwise = self.kind(node.then, names), self.kind(node.otherwise, names)
        return then if then == otherwise else ANY

    def path(self, node: ast.Path, names: Kinds) -> str:
        source = self.kind(node.source, names)
        if source in PROPERTY_NAMES and node.name not in PROPERTY_NAMES[source]:
            return self.report(node, f"{chinese_kind(source)}没有属性“{node.name}”", f'{source} has no property "{node.name}"')
        return ANY

    def filter(self, node: ast.Filter, names: Kinds) -> str:
        source = self.kind(node.source, names)
        # Inside, any name may be a key of the element: nothing is known but what stands there literally.
        condition = self.kind(node.condition, {})
        if condition in ("string", "list"):
            self.report(node.condition, f"筛选条件不能是{chinese_kind(condition)}", f"a filter cannot be a {condition}")
        return "list" if source == "list" and condition == "boolean" else ANY

    def context(self, node: ast.ContextNode, names: Kinds) -> str:
        inner = dict(names)
        for key, value in node.entries:
            inner[key] = self.kind(value, inner)
        return "context"

    def iteration(self, node: ast.For | ast.Quantified, names: Kinds) -> str:
        inner = dict(names)
        for iterator in node.iterators:
            self.kind(iterator.source, inner)
            if iterator.end is not None:
                self.kind(iterator.end, inner)
            inner[iterator.name] = ANY
        if isinstance(node, ast.For):
            self.kind(node.body, {**inner, "partial": "list"})
            return "list"
        self.expect_boolean(node.condition, self.kind(node.condition, inner))
        return "boolean"

    def function(self, node: ast.FunctionNode, names: Kinds) -> str:
        inner = dict(names)
        for name, declared in node.parameters:
            simple = declared is not None and declared.name in KIND_TYPES
            inner[name] = declared.name if declared is not None and simple else ANY
        self.kind(node.body, inner)
        return "function"

    def call(self, node: ast.Call, names: Kinds) -> str:
        given = [self.kind(argument, names) for argument in node.args]
        if not isinstance(node.function, ast.Name) or node.function.name in names:
            callee = self.kind(node.function, names)
            if callee not in (ANY, "function"):
                self.report(node, f"{chinese_kind(callee)}不能调用", f"a {callee} cannot be called")
            return ANY
        known = BUILTINS.get(node.function.name)
        if known is None:
            return ANY
        fitting = [overload for overload in known.overloads if _shape_fits(overload, node)]
        if not fitting:
            return self.report(node.function, f"{known.name}() 的参数个数或名称不对", f"wrong arguments for {known.name}()")
        if not any(_kinds_fit(overload, node, given) for overload in fitting):
            kinds = ", ".join(given)
            return self.report(
                node.function, f"{known.name}() 不接受（{'、'.join(map(chinese_kind, given))}）", f"{known.name}() does not take ({kinds})"
            )
        results = {overload.result for overload in fitting}
        return results.pop() if len(results) == 1 else ANY

    def test(self, node: ast.UnaryTest, names: Kinds) -> str:
        operand = self.kind(node.operand, names)
        if node.op and "?" in names:
            self.comparison(node, node.op, names["?"], operand)
        return ANY


def _result(op: str, left: str, right: str) -> str:
    """The kind of `left op right`, given that there is such an operation."""
    moments = [kind for kind in (left, right) if kind in ("date", "time", "date and time")]
    if left == right and not moments:
        return "number" if op == "/" else left
    if len(moments) == 1:
        return moments[0]
    if len(moments) == 2:
        return "days and time duration"
    return left if right == "number" else right


def _shape_fits(overload: Overload, node: ast.Call) -> bool:
    return overload.order(node.names) is not None if node.names is not None else overload.accepts_count(len(node.args))


def _kinds_fit(overload: Overload, node: ast.Call, given: list[str]) -> bool:
    """Could these kinds be accepted, implicit conversions included?"""
    by_name = {parameter.name: parameter for parameter in overload.parameters}
    last = len(overload.parameters) - 1
    for index, kind in enumerate(given):
        parameter = by_name[node.names[index]] if node.names is not None else overload.parameters[min(index, last)]
        if parameter.accepts_anything or kind in (ANY, "list") or kind in parameter.kinds:
            continue
        if kind == "null":
            if not parameter.optional:
                return False
        elif "list" not in parameter.kinds and not (kind == "date" and "date and time" in parameter.kinds):
            return False
    return True


_HANDLERS: dict[type[ast.Node], Callable[[Any, Any, Kinds], str]] = {
    ast.Literal: _Checker.literal,
    ast.Name: _Checker.name,
    ast.Binary: _Checker.binary,
    ast.Negation: _Checker.negation,
    ast.Between: _Checker.between,
    ast.If: _Checker.condition,
    ast.Path: _Checker.path,
    ast.Filter: _Checker.filter,
    ast.ContextNode: _Checker.context,
    ast.For: _Checker.iteration,
    ast.Quantified: _Checker.iteration,
    ast.FunctionNode: _Checker.function,
    ast.Call: _Checker.call,
    ast.UnaryTest: _Checker.test,
}
_RESULTS: dict[type[ast.Node], str] = {
    ast.ListNode: "list",
    ast.RangeNode: "range",
    ast.In: "boolean",
    ast.InstanceOf: "boolean",
}
