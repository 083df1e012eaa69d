"""Paths, properties and filters with implicit list semantics (DMN 1.5 §10.3.2.5, tables 58-66)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel import ast
from engine.feel.compile.core import compile_node, compiles, not_boolean
from engine.feel.ops import KIND_TYPES, chinese_kind, integer, kind_of
from engine.feel.runtime import Code, Frame, Run
from engine.feel.scope import Scope, compile_raw
from engine.feel.temporal import (
    NANOS,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    Zone,
    fraction,
)
from engine.feel.values import FEEL_TYPES, MISSING, Context, Range, to_feel

Property = Callable[[Any], Any]
Items = tuple[Any, ...] | list[Any]


def _offset(zone: Zone | None, seconds: int) -> DaysDuration | None:
    return None if zone is None else DaysDuration(seconds * NANOS)


def _zone_name(zone: Zone | None) -> str | None:
    return None if zone is None else zone.name


_DATE: dict[str, Property] = {
    "year": lambda d: Decimal(d.year),
    "month": lambda d: Decimal(d.month),
    "day": lambda d: Decimal(d.day),
    "weekday": lambda d: Decimal(d.weekday),
}
_TIME: dict[str, Property] = {
    "hour": lambda t: Decimal(t.seconds // 3600),
    "minute": lambda t: Decimal(t.seconds // 60 % 60),
    "second": lambda t: fraction(t.seconds % 60, t.nanos),
    "time offset": lambda t: _offset(t.zone, t.offset_or_zero),
    "timezone": lambda t: _zone_name(t.zone),
}


def _through(part: str, read: Property) -> Property:
    """A property of a date-time's date or time."""
    return lambda moment: read(getattr(moment, part))


_DATE_TIME: dict[str, Property] = {
    **{name: _through("date", read) for name, read in _DATE.items()},
    **{name: _through("time", read) for name, read in _TIME.items()},
    "time offset": lambda moment: _offset(moment.time.zone, moment.offset_or_zero),
    "date": lambda moment: moment.date,
    "time": lambda moment: moment.time,
}
_PROPERTIES: dict[type, dict[str, Property]] = {
    FeelDate: _DATE,
    FeelTime: _TIME,
    FeelDateTime: _DATE_TIME,
    DaysDuration: {
        "days": lambda d: Decimal(d.parts()[0]),
        "hours": lambda d: Decimal(d.parts()[1]),
        "minutes": lambda d: Decimal(d.parts()[2]),
        "seconds": lambda d: fraction(d.parts()[3], d.parts()[4]),
    },
    MonthsDuration: {
        "years": lambda d: Decimal(d.years),
        "months": lambda d: Decimal(d.months),
    },
    Range: {
        "start": lambda r: r.low,
        "end": lambda r: r.high,
        "start included": lambda r: r.low_closed,
        "end included": lambda r: r.high_closed,
    },
}


# kind -> property names, for kinds that have no others (a context has any key, a list projects)
PROPERTY_NAMES: dict[str, frozenset[str]] = {
    kind: frozenset(_PROPERTIES.get(type_, ())) for kind, type_ in KIND_TYPES.items() if kind not in ("context", "list", "null")
}


def read_path(value: Any, name: str, run: Run, pos: int) -> Any:
    """`value.name`; null with a warning where there is no such entry."""
    if type(value) is Context:
        found = value.read(name)
        if found is not MISSING:
            return found
    elif type(value) is tuple:
        run.tick(len(value) // 8 + 1)
        return tuple([read_path(item, name, run, pos) for item in value])
    else:
        properties = _PROPERTIES.get(type(value))
        if properties is not None and name in properties:
            return properties[name](value)
        if value is None:
            run.warn("null_path", f"null 没有属性“{name}”", f'null has no property "{name}"', pos)
            return None
    kind = kind_of(value)
    run.warn("unknown_property", f"{chinese_kind(kind)}没有属性“{name}”", f'{kind} has no property "{name}"', pos)
    return None


@compiles(ast.Path)
def _path(node: ast.Path, scope: Scope) -> Code:
    source, name, pos = compile_node(node.source, scope), node.name, node.pos

    def read(frame: Any) -> Any:
        value = source(frame)
        if type(value) is Context:
            found = value.read(name)
            if found is not MISSING:
                return found
        return read_path(value, name, frame.run, pos)

    return read


def contains(node: Any, kinds: tuple[type, ...]) -> bool:
    """True if a node of one of the kinds is in the tree."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, kinds):
            return True
        pending.extend(ast.children(current))
    return False


@compiles(ast.Filter)
def _filter(node: ast.Filter, scope: Scope) -> Code:
    raw = compile_raw(node.source.name, node.source.pos, scope) if isinstance(node.source, ast.Name) else None
    source = raw or compile_node(node.source, scope)
    if isinstance(node.condition, ast.Literal) and type(node.condition.value) is Decimal:
        return _index(source, node.condition.value, node.pos)
    inner = Scope(scope, {"item"}, dynamic=True)
    condition = compile_node(node.condition, inner)
    fresh = contains(node.condition, (ast.FunctionNode,))
    pos = node.pos

    def select(frame: Any) -> Any:
        value = source(frame)
        if value is None:
            return _nothing(frame.run, pos)
        return _select(_items(value), condition, frame, fresh, pos)

    return select


def _items(value: Any) -> Items:
    """A list's items, or the one item that anything else is (a plain Python list keeps its unconverted elements)."""
    if type(value) in (tuple, list):
        found: Items = value
        return found
    value = to_feel(value)
    return value if type(value) is tuple else (value,)


def _nothing(run: Run, pos: int) -> None:
    run.warn("null_operand", "不能筛选 null", "cannot filter null", pos)


def _index(source: Code, number: Decimal, pos: int) -> Code:
    def pick(frame: Any) -> Any:
        value = source(frame)
        if value is None:
            return _nothing(frame.run, pos)
        return at_index(_items(value), number, frame.run, pos)

    return pick


def at_index(items: Items, number: Decimal, run: Run, pos: int) -> Any:
    """The n-th item, 1-based, from the end when negative; null outside."""
    index = integer(number)
    if index is not None and 1 <= index <= len(items):
        return to_feel_item(items[index - 1])
    if index is not None and -len(items) <= index <= -1:
        return to_feel_item(items[index])
    run.warn("index_out_of_range", f"列表没有第 {number} 项", f"the list has no item {number}", pos)
    return None


def to_feel_item(item: Any) -> Any:
    """An element of a caller's list as FEEL value."""
    return item if type(item) in FEEL_TYPES else to_feel(item)


def _select(items: Items, condition: Code, frame: Any, fresh: bool, pos: int) -> Any:
    run: Run = frame.run
    if not items:
        return _select_from_nothing(condition, frame, run, pos)
    found: list[Any] = []
    inner = Frame({"item": None}, frame, run)
    values = inner.values
    run.tick(len(items) // 16)
    for number, item in enumerate(items):
        if not number & 15:
            run.tick()
        if fresh:
            inner = Frame({"item": item}, frame, run)
        else:
            values["item"] = item
        result = condition(inner)
        if result is True:
            found.append(item)
        elif type(result) is Decimal:
            return at_index(items, result, run, pos)
        elif result is not False and result is not None:
            not_boolean(run, result, pos)
    return tuple(found) if type(items) is tuple else tuple([to_feel_item(item) for item in found])


def _select_from_nothing(condition: Code, frame: Any, run: Run, pos: int) -> Any:
    """An empty list: a number still is an index (null), anything else selects nothing."""
    muted, run.muted = run.muted, True
    result = condition(Frame({"item": None}, frame, run))
    run.muted = muted
    return at_index((), result, run, pos) if type(result) is Decimal else ()
