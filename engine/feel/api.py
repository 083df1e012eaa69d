"""Compiled expressions and unary tests: the objects that callers keep and evaluate. Compilation is cached by text and names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from engine.errors import ExpressionError, LimitExceeded, Said
from engine.feel import ast, builtins
from engine.feel.analysis import Reads, find_reads
from engine.feel.builtins.registry import BUILTIN_NAMES
from engine.feel.compile import calls, core, iteration, operators, paths, tests
from engine.feel.lexer import is_plain_name
from engine.feel.limits import check_result
from engine.feel.names import index_names
from engine.feel.parser import Parser
from engine.feel.runtime import DEFAULT_ENVIRONMENT, Code, Environment, Frame, Run, Warning_
from engine.feel.scope import Scope
from engine.feel.values import FEEL_TYPES, Context, to_feel

# 200 nested levels of an expression are about 1,500 Python frames in the parser; Python 3.11 keeps them on the heap.
_FRAMES = 6_000
if sys.getrecursionlimit() < _FRAMES:
    sys.setrecursionlimit(_FRAMES)

_CACHE_SIZE = 4_096  # a deployment has some thousands; more would only make full garbage collections long
_REGISTERED = (builtins, calls, core, iteration, operators, paths)  # importing them registers built-ins and node compilers
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value and the reasons why parts of it became null."""

    value: Any
    warnings: tuple[Warning_, ...]


class Expression:
    """A compiled FEEL expression; immutable and safe to share between threads."""

    __slots__ = ("_code", "functions", "node", "possible_variables", "text", "variables")

    def __init__(self, text: str, node: ast.Node, names: frozenset[str]) -> None:
        self.text = text
        self.node = node
        reads: Reads = find_reads(node)
        self.variables = frozenset(reads.variables)
        self.possible_variables = frozenset(reads.possible - reads.variables)
        self.functions = frozenset(reads.functions)
        self._code: Code = core.compile_node(node, Scope(None, names))

    def evaluate(self, context: Mapping[str, Any], env: Environment = DEFAULT_ENVIRONMENT) -> Any:
        """The FEEL value. Raises LimitExceeded, or ExpressionError when `assert()` fails."""
        run = Run(context, env, self.text)
        try:
            value = self._code(run)
        except (RecursionError, ArithmeticError) as problem:
            _translate(problem, self.text)
        return check_result(value, run) if type(value) in _SIZED else value

    def run(self, context: Mapping[str, Any], env: Environment = DEFAULT_ENVIRONMENT) -> Evaluation:
        """The FEEL value with its warnings. Raises like `evaluate`."""
        run = Run(context, env, self.text)
        try:
            value = self._code(run)
        except (RecursionError, ArithmeticError) as problem:
            _translate(problem, self.text)
        return Evaluation(check_result(value, run), tuple(run.warnings or ()))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class UnaryTests:
    """Compiled unary tests (one cell of a decision table); immutable and safe to share."""

    __slots__ = ("_test", "functions", "node", "possible_variables", "text", "variables")

    def __init__(self, text: str, node: ast.UnaryTests, names: frozenset[str]) -> None:
        self.text = text
        self.node = node
        reads = find_reads(node)
        self.variables = frozenset(reads.variables - {"?"})
        self.possible_variables = frozenset(reads.possible - reads.variables - {"?"})
        self.functions = frozenset(reads.functions)
        self._test = tests.compile_tests(node, Scope(None, names))

    def matches(self, value: Any, context: Mapping[str, Any], env: Environment = DEFAULT_ENVIRONMENT) -> bool | None:
        """Does the value match? None is unknown (counts as no). Raises LimitExceeded."""
        run = Run(context, env, self.text)
        value = value if type(value) in FEEL_TYPES else to_feel(value)
        try:
            return self._test(Frame({"?": value}, run, run), value)
        except (RecursionError, ArithmeticError) as problem:
            _translate(problem, self.text)

    def run(self, value: Any, context: Mapping[str, Any], env: Environment = DEFAULT_ENVIRONMENT) -> Evaluation:
        """The answer with its warnings."""
        run = Run(context, env, self.text)
        value = value if type(value) in FEEL_TYPES else to_feel(value)
        try:
            answer = self._test(Frame({"?": value}, run, run), value)
        except (RecursionError, ArithmeticError) as problem:
            _translate(problem, self.text)
        return Evaluation(answer, tuple(run.warnings or ()))

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"


_SIZED = frozenset({tuple, Context, str})


def _translate(problem: Exception, text: str) -> NoReturn:
    if isinstance(problem, RecursionError):
        raise LimitExceeded(expression=text, position=0, reason=Said("嵌套太深", "nested too deep")) from None
    raise ExpressionError(expression=text, position=0, reason=Said("数字超出范围", "number out of range")) from None


def _guarded(text: str, build: Callable[[], T]) -> T:
    try:
        return build()
    except RecursionError as problem:
        _translate(problem, text)


def compile_expression(text: str, names: Iterable[str] = frozenset()) -> Expression:
    """Compile a FEEL expression (without the leading "="), or return it from the cache.

    `names`: variables that are known to exist. Only those that are no single word matter (spaces, symbols, keywords, the name of a
    built-in): words side by side are read as one name anyway. Raises ExpressionError on a syntax error, LimitExceeded when nested too deep.
    """
    return _compile_expression(text, _special(names))


def compile_unary_tests(text: str, names: Iterable[str] = frozenset()) -> UnaryTests:
    """Compile unary tests such as `> 5, [1..3], not("x")`; "-" and "" match everything. Raises like `compile_expression`."""
    return _compile_tests(text if text.strip() else "-", _special(names))


def _special(names: Iterable[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    return frozenset(name for name in names if not is_plain_name(name) or name in builtins.BUILTINS)


@lru_cache(maxsize=_CACHE_SIZE)
def _compile_expression(text: str, names: frozenset[str]) -> Expression:
    def build() -> Expression:
        return Expression(text, Parser(text, BUILTIN_NAMES, index_names(names)).whole_expression(), names)

    return _guarded(text, build)


@lru_cache(maxsize=_CACHE_SIZE)
def _compile_tests(text: str, names: frozenset[str]) -> UnaryTests:
    def build() -> UnaryTests:
        return UnaryTests(text, Parser(text, BUILTIN_NAMES, index_names(names)).whole_tests(), names)

    return _guarded(text, build)
