"""Arithmetic, comparison, logic, `between`, `in`, `instance of` (DMN 1.5 §10.3.2.13-§10.3.2.16).

The common case (two numbers) runs without a function call of ours; everything else goes to engine/feel/ops.py.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from engine.feel import ast, types
from engine.feel.compile.core import compile_node, compiles, report
from engine.feel.numbers import CONTEXT, is_integer
from engine.feel.ops import arithmetic_null, calculate, chinese_kind, compare, equal, in_range, kind_of, negate, power
from engine.feel.runtime import Code, FeelNull, Run
from engine.feel.scope import Scope, compile_raw
from engine.feel.values import Context, Range, to_feel

_FAST: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": CONTEXT.add,
    "-": CONTEXT.subtract,
    "*": CONTEXT.multiply,
    "/": CONTEXT.divide,
    "**": power,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PLAIN = frozenset({Decimal, str, bool})


@compiles(ast.Binary)
def _binary(node: ast.Binary, scope: Scope) -> Code:
    left, right = compile_node(node.left, scope), compile_node(node.right, scope)
    if node.op == "and":
        return _and(left, right, node)
    if node.op == "or":
        return _or(left, right, node)
    if node.op in ("=", "!="):
        return _equality(left, right, node, node.op == "=")
    if node.op in _ORDER:
        return _comparison(left, right, node, scope)
    return _arithmetic(left, right, node)


def _and(left: Code, right: Code, node: ast.Binary) -> Code:
    pos = node.pos

    def both(frame: Any) -> bool | None:
        a = left(frame)
        if a is False:
            return False
        b = right(frame)
        if b is False:
            return False
        if a is True and b is True:
            return True
        _unknown_logic(frame.run, a, b, pos)
        return None

    return both


def _or(left: Code, right: Code, node: ast.Binary) -> Code:
    pos = node.pos

    def either(frame: Any) -> bool | None:
        a = left(frame)
        if a is True:
            return True
        b = right(frame)
        if b is True:
            return True
        if a is False and b is False:
            return False
        _unknown_logic(frame.run, a, b, pos)
        return None

    return either


def _unknown_logic(run: Run, a: Any, b: Any, pos: int) -> None:
    for value in (a, b):
        if value is not None and not isinstance(value, bool):
            kind = kind_of(value)
            run.warn("type_mismatch", f"逻辑运算需要布尔值，得到{chinese_kind(kind)}", f"a boolean was expected, got {kind}", pos)


def _equality(left: Code, right: Code, node: ast.Binary, wanted: bool) -> Code:
    pos = node.pos

    def test(frame: Any) -> bool | None:
        a, b = left(frame), right(frame)
        if type(a) is type(b) and type(a) in _PLAIN:
            return (a == b) is wanted
        result = equal(a, b, frame.run)
        if result is None:
            kinds = f"{kind_of(a)} = {kind_of(b)}"
            frame.run.warn(
                "type_mismatch", f"不能比较{chinese_kind(kind_of(a))}和{chinese_kind(kind_of(b))}", f"cannot compare {kinds}", pos
            )
            return None
        return result is wanted

    return test


def _comparison(left: Code, right: Code, node: ast.Binary, scope: Scope) -> Code:
    holds, pos = _ORDER[node.op], node.pos
    if isinstance(node.right, ast.Literal) and type(node.right.value) is Decimal:
        raw = compile_raw(node.left.name, node.left.pos, scope) if isinstance(node.left, ast.Name) else None
        return _comparison_with(raw or left, node.right.value, holds, pos)

    def test(frame: Any) -> bool | None:
        a, b = left(frame), right(frame)
        if type(a) is Decimal and type(b) is Decimal:
            return holds(a, b)
        return ordered(a, b, holds, frame.run, pos)

    return test


def _comparison_with(left: Code, limit: Decimal, holds: Callable[[Any, Any], bool], pos: int) -> Code:
    """Against a number literal, the commonest of all conditions: a plain int of the caller is compared without conversion."""
    plain: int | Decimal = int(limit) if is_integer(limit) and abs(limit) < 10**18 else limit

    def test(frame: Any) -> bool | None:
        a = left(frame)
        if type(a) is int:
            return holds(a, plain)
        if type(a) is Decimal:
            return holds(a, limit)
        return ordered(to_feel(a), limit, holds, frame.run, pos)

    return test


def ordered(a: Any, b: Any, holds: Callable[[Any, Any], bool], run: Run, pos: int) -> bool | None:
    """An order comparison of any two values; null with a warning where they have no order."""
    try:
        return holds(compare(a, b), 0)
    except FeelNull as problem:
        report(problem, run, pos)
        return None


def _arithmetic(left: Code, right: Code, node: ast.Binary) -> Code:
    op, fast, pos = node.op, _FAST[node.op], node.pos

    def apply(frame: Any) -> Any:
        a, b = left(frame), right(frame)
        try:
            if type(a) is Decimal and type(b) is Decimal:
                return fast(a, b)
            if type(a) is str and type(b) is str:
                frame.run.check_chars(len(a) + len(b))
            return calculate(op, a, b)
        except DecimalException as problem:
            report(arithmetic_null(problem), frame.run, pos)
        except FeelNull as problem:
            report(problem, frame.run, pos)
        return None

    return apply


@compiles(ast.Negation)
def _negation(node: ast.Negation, scope: Scope) -> Code:
    operand, pos = compile_node(node.operand, scope), node.pos

    def apply(frame: Any) -> Any:
        try:
            return negate(operand(frame))
        except FeelNull as problem:
            report(problem, frame.run, pos)
            return None

    return apply


@compiles(ast.Between)
def _between(node: ast.Between, scope: Scope) -> Code:
    value, low, high = (compile_node(part, scope) for part in (node.value, node.low, node.high))
    pos = node.pos

    def test(frame: Any) -> bool | None:
        subject, lowest, highest = value(frame), low(frame), high(frame)
        try:
            above = compare(subject, lowest) >= 0
            below = compare(subject, highest) <= 0
        except FeelNull as problem:
            report(problem, frame.run, pos)
            return None
        return above and below

    return test


@compiles(ast.RangeNode)
def _range(node: ast.RangeNode, scope: Scope) -> Code:
    low, high = (part.value if isinstance(part, ast.Literal) else None for part in (node.low, node.high))
    simple = all(part is None or isinstance(part, ast.Literal) for part in (node.low, node.high))
    if simple and (low is None or high is None or kind_of(low) == kind_of(high)):
        fixed = Range(low, high, node.low_closed, node.high_closed)
        return lambda _frame: fixed
    lowest = None if node.low is None else compile_node(node.low, scope)
    highest = None if node.high is None else compile_node(node.high, scope)
    low_closed, high_closed = node.low_closed, node.high_closed
    pos = node.pos

    def build(frame: Any) -> Range | None:
        low = None if lowest is None else lowest(frame)
        high = None if highest is None else highest(frame)
        if low is not None and high is not None and kind_of(low) != kind_of(high):
            kinds = f"{kind_of(low)}..{kind_of(high)}"
            frame.run.warn(
                "type_mismatch",
                f"区间两端类型不同：{chinese_kind(kind_of(low))}和{chinese_kind(kind_of(high))}",
                f"range of two kinds: {kinds}",
                pos,
            )
            return None
        return Range(low, high, low_closed, high_closed)

    return build


@compiles(ast.UnaryRange)
def _unary_range(node: ast.UnaryRange, scope: Scope) -> Code:
    """`(= 5)` as a value is the range [5..5]; `(!= 5)` has no value (§10.3.2.7) and is null."""
    operand, pos = compile_node(node.operand, scope), node.pos

    def build(frame: Any) -> Range | None:
        value = operand(frame)
        if node.op == "=":
            return Range(value, value, True, True)
        frame.run.warn("invalid_value", "(!= …) 不是一个值", "(!= …) is not a value", pos)
        return None

    return build


Test = Callable[[Any, Any], bool | None]  # (frame, value) -> does it match


@compiles(ast.In)
def _in(node: ast.In, scope: Scope) -> Code:
    value = compile_node(node.value, scope)
    tests = [compile_test(test, scope) for test in node.tests]
    if len(tests) == 1:
        only = tests[0]
        return lambda frame: only(frame, value(frame))

    def test_all(frame: Any) -> bool | None:
        subject = value(frame)
        return any_of([test(frame, subject) for test in tests])

    return test_all


def any_of(results: list[bool | None]) -> bool | None:
    """Three-valued or."""
    if True in results:
        return True
    return None if None in results else False


def compile_test(test: ast.UnaryTest, scope: Scope) -> Test:
    """One positive unary test as `(frame, value) -> bool | None`; the commonest, against literals, take a short way."""
    general = _general_test(test, scope)
    literal = test.operand.value if isinstance(test.operand, ast.Literal) else None
    if test.op in _ORDER and type(literal) is Decimal:
        holds = _ORDER[test.op]
        return lambda frame, value: holds(value, literal) if type(value) is Decimal else general(frame, value)
    if test.op in ("", "=") and type(literal) in _PLAIN:
        kind = type(literal)
        return lambda frame, value: value == literal if type(value) is kind else general(frame, value)
    if not test.op and isinstance(test.operand, ast.RangeNode):
        return _range_test(test.operand, general)
    return general


def _range_test(node: ast.RangeNode, general: Test) -> Test:
    low, high = (part.value if isinstance(part, ast.Literal) else None for part in (node.low, node.high))
    if type(low) is not Decimal or type(high) is not Decimal:
        return general
    above = operator.ge if node.low_closed else operator.gt
    below = operator.le if node.high_closed else operator.lt
    return lambda frame, value: above(value, low) and below(value, high) if type(value) is Decimal else general(frame, value)


def _general_test(test: ast.UnaryTest, scope: Scope) -> Test:
    operand, pos = compile_node(test.operand, scope), test.pos
    if test.op in _ORDER:
        holds = _ORDER[test.op]
        return lambda frame, value: ordered(value, operand(frame), holds, frame.run, pos)
    if test.op in ("=", "!="):
        wanted = test.op == "="

        def equality(frame: Any, value: Any) -> bool | None:
            result = equal(value, operand(frame), frame.run)
            return None if result is None else result is wanted

        return equality
    if isinstance(test.operand, ast.UnaryRange):
        return compile_test(ast.UnaryTest(pos, test.operand.op, test.operand.operand), scope)
    return lambda frame, value: contained(value, operand(frame), frame.run, pos)


def contained(value: Any, target: Any, run: Run, pos: int) -> bool | None:
    """`value in target`: a range that holds it, a list that has it or a range with it, or an equal value (table 55)."""
    kind = type(target)
    if kind is Range and type(value) is not Range:
        try:
            return in_range(value, target)
        except FeelNull as problem:
            report(problem, run, pos)
            return None
    if kind is tuple:
        return _in_list(value, target, run, pos)
    if kind is Context and type(value) is not Context and value is not None:
        run.warn("type_mismatch", "不能在上下文中查找", "cannot look into a context", pos)
        return None
    return equal(value, target, run)


def _in_list(value: Any, target: tuple[Any, ...], run: Run, pos: int) -> bool:
    run.tick(len(target) // 4 + 1)
    if type(value) is tuple and equal(value, target, run) is True:
        return True
    for item in target:
        if type(item) is Range and type(value) is not Range:
            if value is not None and contained(value, item, run, pos) is True:
                return True
        elif equal(value, item, run) is True:
            return True
    return False


@compiles(ast.InstanceOf)
def _instance_of(node: ast.InstanceOf, scope: Scope) -> Code:
    value = compile_node(node.value, scope)
    wanted = types.from_node(node.type)
    if wanted is None:
        name, pos = node.type.name, node.pos

        def unknown_type(frame: Any) -> None:
            frame.run.warn("unknown_type", f"没有类型“{name}”", f'no type "{name}"', pos)

        return unknown_type
    return lambda frame: types.is_instance(value(frame), wanted, frame.run)
