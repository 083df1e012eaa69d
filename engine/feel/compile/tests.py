"""Unary tests: the cells of decision tables (DMN 1.5 unary tests, rules 7, 15-17, and table 55 of §10.3.2.8)."""

from __future__ import annotations

from typing import Any

from engine.feel import ast
from engine.feel.compile.core import compile_node
from engine.feel.compile.operators import Test, any_of, compile_test, contained
from engine.feel.runtime import Code
from engine.feel.scope import Scope


def compile_tests(node: ast.UnaryTests, scope: Scope) -> Test:
    """All tests of a cell as `(frame, input) -> bool | None`; the frame holds the input as `?`."""
    inner = Scope(scope, {"?"})
    if not node.tests:
        return lambda _frame, _value: True
    tests = [_compile_one(test, inner) for test in node.tests]
    matches = tests[0] if len(tests) == 1 else _any(tests)
    if len(tests) > 1 and all(not test.op and isinstance(test.operand, ast.Literal) for test in node.tests):
        matches = _one_of(frozenset(test.operand.value for test in node.tests if isinstance(test.operand, ast.Literal)), matches)
    return _negated(matches) if node.negated else matches


def _any(tests: list[Test]) -> Test:
    return lambda frame, value: any_of([test(frame, value) for test in tests])


def _one_of(literals: frozenset[Any], general: Test) -> Test:
    """`"a", "b", "c"`: a string is looked up once; any other input, or literals of other kinds, go the general way."""
    if not all(type(literal) is str for literal in literals):
        return general
    return lambda frame, value: value in literals if type(value) is str else general(frame, value)


def _negated(matches: Test) -> Test:
    def test(frame: Any, value: Any) -> bool | None:
        answer = matches(frame, value)
        return None if answer is None else not answer

    return test


def _compile_one(test: ast.UnaryTest, scope: Scope) -> Test:
    if test.op or isinstance(test.operand, (ast.Literal, ast.RangeNode, ast.UnaryRange)):
        return compile_test(test, scope)
    operand = compile_node(test.operand, scope)
    if mentions_input(test.operand):
        return _with_input(operand, test.pos)
    return _without_input(operand, test.pos)


def mentions_input(node: ast.Node) -> bool:
    """True if `?` occurs in the expression."""
    return (isinstance(node, ast.Name) and node.name == "?") or any(map(mentions_input, ast.children(node)))


def _with_input(operand: Code, pos: int) -> Test:
    """The expression speaks of `?`: its truth is the answer; a value of another kind is compared with the input."""

    def test(frame: Any, value: Any) -> bool | None:
        result = operand(frame)
        if result is None or isinstance(result, bool):
            return result
        return contained(value, result, frame.run, pos)

    return test


def _without_input(operand: Code, pos: int) -> Test:
    """A boolean decides by itself unless the input is a boolean too; everything else is compared with the input."""

    def test(frame: Any, value: Any) -> bool | None:
        result = operand(frame)
        if isinstance(result, bool) and not isinstance(value, bool):
            return result
        return contained(value, result, frame.run, pos)

    return test
