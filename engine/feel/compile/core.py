"""The registry of node compilers and the nodes without structure: literals, names, lists, contexts, conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from engine.feel import ast
from engine.feel.runtime import Code, FeelNull, Frame, Run
from engine.feel.scope import Scope, compile_name
from engine.feel.values import Context

NodeCompiler = Callable[[Any, Scope], Code]
_COMPILERS: dict[type[ast.Node], NodeCompiler] = {}
C = TypeVar("C", bound=NodeCompiler)


def compiles(kind: type[ast.Node]) -> Callable[[C], C]:
    """Register the compiler of a node kind."""

    def register(function: C) -> C:
        _COMPILERS[kind] = function
        return function

    return register


def compile_node(node: ast.Node, scope: Scope) -> Code:
    """The closure of any node."""
    return _COMPILERS[type(node)](node, scope)


def report(problem: FeelNull, run: Run, pos: int) -> None:
    """Turn a FeelNull into a warning; the value is null."""
    run.warn(problem.code, problem.warning_message, problem.message_en, pos)


def constant(value: Any) -> Code:
    """A closure that always returns that value."""
    return lambda _frame: value


@compiles(ast.Literal)
def _literal(node: ast.Literal, _scope: Scope) -> Code:
    return constant(node.value)


@compiles(ast.Name)
def _name(node: ast.Name, scope: Scope) -> Code:
    from engine.feel.compile.calls import function_reference

    return function_reference(node, scope) or compile_name(node.name, node.pos, scope)


@compiles(ast.ListNode)
def _list(node: ast.ListNode, scope: Scope) -> Code:
    items = [compile_node(item, scope) for item in node.items]
    if all(isinstance(item, ast.Literal) for item in node.items):
        return constant(tuple(item.value for item in node.items if isinstance(item, ast.Literal)))
    return lambda frame: tuple([item(frame) for item in items])


@compiles(ast.ContextNode)
def _context(node: ast.ContextNode, scope: Scope) -> Code:
    """Entries see the entries before them (§10.3.2.6), and functions in them see themselves."""
    names: set[str] = set()
    inner = Scope(scope, names)
    entries: list[tuple[str, Code]] = []
    for key, value in node.entries:
        if isinstance(value, ast.FunctionNode):
            names.add(key)
        entries.append((key, compile_node(value, inner)))
        names.add(key)

    def build(frame: Any) -> Context:
        values: dict[str, Any] = {}
        local = Frame(values, frame, frame.run)
        for key, code in entries:
            values[key] = code(local)
        return Context(values)

    return build


@compiles(ast.If)
def _if(node: ast.If, scope: Scope) -> Code:
    condition = compile_node(node.condition, scope)
    then = compile_node(node.then, scope)
    otherwise = compile_node(node.otherwise, scope)
    pos = node.condition.pos

    def choose(frame: Any) -> Any:
        value = condition(frame)
        if value is True:
            return then(frame)
        if value is not False:
            not_boolean(frame.run, value, pos)
        return otherwise(frame)

    return choose


def not_boolean(run: Run, value: Any, pos: int) -> None:
    """Warn that a condition is neither true nor false; it counts as not true."""
    if value is None:
        run.warn("null_condition", "条件是 null，按不成立处理", "the condition is null and counts as not true", pos)
    else:
        run.warn("type_mismatch", "条件不是布尔值", "the condition is not a boolean", pos)
