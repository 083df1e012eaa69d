"""`for`, `some`, `every` over lists and ranges (DMN 1.5 §10.3.2.14, rules 45-47)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from engine.feel import ast
from engine.feel.compile.core import compile_node, compiles, not_boolean
from engine.feel.compile.paths import contains
from engine.feel.ops import chinese_kind, integer, kind_of
from engine.feel.runtime import Code, FeelNull, Frame, Run
from engine.feel.scope import Scope
from engine.feel.temporal import FeelDate
from engine.feel.values import Range

Source = Callable[[Any], Iterable[Any]]  # frame -> items; raises FeelNull when there is nothing to iterate


def items_of(value: Any) -> Iterable[Any]:
    """What an iteration over a value yields: a list's items, a range's integers or dates, else the value itself."""
    if type(value) is tuple:
        return value
    if type(value) is Range:
        return _range_items(value.low, value.high, value.low_closed, value.high_closed)
    if value is None:
        raise FeelNull("不能遍历 null", "cannot iterate over null", "null_operand")
    return (value,)


def _range_items(low: Any, high: Any, low_closed: bool = True, high_closed: bool = True) -> Iterator[Any]:
    """Upwards or downwards, whatever the ends say; an open end is left out."""
    if type(low) is FeelDate and type(high) is FeelDate:
        return (FeelDate.from_days(number) for number in _steps(low.key, high.key, low_closed, high_closed))
    first, last = integer(low), integer(high)
    if first is None or last is None:
        kinds = f"{kind_of(low)}..{kind_of(high)}"
        raise FeelNull(
            f"不能遍历{chinese_kind(kind_of(low))}到{chinese_kind(kind_of(high))}，只能遍历整数或日期",
            f"cannot iterate over {kinds}",
            "type_mismatch",
        )
    return (Decimal(number) for number in _steps(first, last, low_closed, high_closed))


def _steps(first: int, last: int, low_closed: bool, high_closed: bool) -> range:
    step = 1 if first <= last else -1
    start = first if low_closed else first + step
    stop = last + step if high_closed else last
    return range(start, stop, step)


def _source(iterator: ast.Iterator, scope: Scope) -> Source:
    value = compile_node(iterator.source, scope)
    if iterator.end is None:
        return lambda frame: items_of(value(frame))
    end = compile_node(iterator.end, scope)
    return lambda frame: _range_items(value(frame), end(frame))


def _compile_iterators(iterators: tuple[ast.Iterator, ...], scope: Scope, extra: set[str]) -> tuple[list[tuple[str, Source]], Scope]:
    """Each iterator sees the ones before it; all share one frame at run time."""
    names = set(extra)
    inner = Scope(scope, names)
    sources: list[tuple[str, Source]] = []
    for iterator in iterators:
        sources.append((iterator.name, _source(iterator, inner)))
        names.add(iterator.name)
    return sources, inner


def _walk(sources: list[tuple[str, Source]], inner: Frame, fresh: bool, level: int = 0) -> Iterator[Frame]:
    """All combinations, the last iterator fastest. The same frame is yielded again unless closures may keep it."""
    run: Run = inner.run
    name, source = sources[level]
    deepest = level == len(sources) - 1
    for item in source(inner):
        run.ticks -= 1
        if run.ticks <= 0:
            run.tick(0)
        if fresh:
            inner = Frame({**inner.values, name: item}, inner.parent, run)
        else:
            inner.values[name] = item
        if deepest:
            yield inner
        else:
            yield from _walk(sources, inner, fresh, level + 1)


@compiles(ast.For)
def _for(node: ast.For, scope: Scope) -> Code:
    uses_partial = contains(node.body, (ast.Name,)) and _mentions(node.body, "partial")
    extra = {"partial"} if uses_partial else set()
    sources, inner_scope = _compile_iterators(node.iterators, scope, extra)
    body = compile_node(node.body, inner_scope)
    fresh = contains(node, (ast.FunctionNode,))
    pos = node.pos

    def collect(frame: Any) -> tuple[Any, ...] | None:
        run: Run = frame.run
        results: list[Any] = []
        inner = Frame({"partial": results} if uses_partial else {}, frame, run)
        limit = run.env.max_items
        try:
            for current in _walk(sources, inner, fresh):
                results.append(body(current))
                if len(results) > limit:
                    run.check_items(len(results))
        except FeelNull as problem:
            run.warn(problem.code, problem.warning_message, problem.message_en, pos)
            return None
        return tuple(results)

    return collect


def _mentions(node: ast.Node, name: str) -> bool:
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, ast.Name) and current.name == name:
            return True
        pending.extend(ast.children(current))
    return False


@compiles(ast.Quantified)
def _quantified(node: ast.Quantified, scope: Scope) -> Code:
    """Three-valued: one decisive answer decides, otherwise one unknown answer makes the result unknown (table 45)."""
    sources, inner_scope = _compile_iterators(node.iterators, scope, set())
    condition = compile_node(node.condition, inner_scope)
    fresh = contains(node, (ast.FunctionNode,))
    decisive: bool = not node.every
    pos = node.pos

    def decide(frame: Any) -> bool | None:
        run: Run = frame.run
        undecided = False
        try:
            for current in _walk(sources, Frame({}, frame, run), fresh):
                result: bool | None = condition(current)
                if result is decisive:
                    return decisive
                if not isinstance(result, bool):
                    not_boolean(run, result, pos)
                    undecided = True
        except FeelNull as problem:
            run.warn(problem.code, problem.warning_message, problem.message_en, pos)
            return None
        return None if undecided else not decisive

    return decide
