"""List functions (DMN 1.5 §10.3.4.4, table 76) and sort (§10.3.4.9). Positions count from 1, or from the end when negative."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from engine.feel.builtins.conversion import whole
from engine.feel.builtins.registry import builtin, invalid
from engine.feel.ops import compare, same
from engine.feel.runtime import FeelNull, Run
from engine.feel.values import FeelFunction

List = tuple[Any, ...]


def values_of(args: List) -> List:
    """`f(list)` and `f(a, b, c)` mean the same (table 76)."""
    return args[0] if len(args) == 1 and type(args[0]) is tuple else args


def charged(run: Run, items: List) -> List:
    """A result list, counted against the limits."""
    run.check_items(len(items))
    run.tick(len(items) // 8 + 1)
    return items


@builtin("list contains(list: list, element: any) -> boolean", "10.3.4.4")
def list_contains(run: Run, items: List, element: Any) -> bool:
    """Is an element equal to it? null is found too."""
    run.tick(len(items) // 4 + 1)
    return any(same(item, element, run) for item in items)


@builtin("count(list: list) -> number", "10.3.4.4")
def count(_run: Run, items: List) -> Decimal:
    """Number of elements."""
    return Decimal(len(items))


@builtin("min(list...: any) -> Any", "10.3.4.4")
def minimum(run: Run, *args: Any) -> Any:
    """The least element; null for an empty list."""
    return _extreme(run, values_of(args), -1)


@builtin("max(list...: any) -> Any", "10.3.4.4")
def maximum(run: Run, *args: Any) -> Any:
    """The greatest element; null for an empty list."""
    return _extreme(run, values_of(args), 1)


def _extreme(run: Run, items: List, sign: int) -> Any:
    if not items:
        return None
    run.tick(len(items) // 4 + 1)
    best = items[0]
    compare(best, items[-1])  # a single element must have an order too
    for item in items[1:]:
        if compare(item, best) == sign:
            best = item
    return best


@builtin("all(list...: any) -> boolean", "10.3.4.4")
def all_of(_run: Run, *args: Any) -> bool | None:
    """False if one is false, true if all are (or the list is empty), else null."""
    items = values_of(args)
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


@builtin("any(list...: any) -> boolean", "10.3.4.4")
def any_of(_run: Run, *args: Any) -> bool | None:
    """True if one is true, false if all are false (or the list is empty), else null."""
    items = values_of(args)
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


@builtin("sublist(list: list, start position: number, length?: number) -> list", "10.3.4.4")
def sublist(_run: Run, items: List, start: Decimal, length: Decimal | None = None) -> List:
    """From a position on, at most `length` elements."""
    first = _index(items, start)
    if length is None:
        return items[first:]
    size = whole(length, "长度", "length")
    if size < 0 or first + size > len(items):
        raise invalid("长度超出列表", "length goes beyond the list")
    return items[first : first + size]


def _index(items: List, position: Decimal) -> int:
    """0-based index of a position. Raises FeelNull outside the list."""
    number = whole(position, "位置", "position")
    if number == 0 or abs(number) > len(items):
        raise invalid("位置超出列表", "position is outside the list")
    return number - 1 if number > 0 else len(items) + number


@builtin("append(list: list, item...: any) -> list", "10.3.4.4")
def append(run: Run, items: List, *added: Any) -> List:
    """The list with items at its end."""
    return charged(run, (*items, *added))


@builtin("concatenate(list...: list) -> list", "10.3.4.4")
def concatenate(run: Run, *lists: List) -> List:
    """All lists one after the other."""
    run.check_items(sum(map(len, lists)))
    return charged(run, tuple(item for items in lists for item in items))


@builtin("insert before(list: list, position: number, newItem: any) -> list", "10.3.4.4")
def insert_before(run: Run, items: List, position: Decimal, item: Any) -> List:
    """The list with an item before a position; the position after the last appends."""
    number = whole(position, "位置", "position")
    index = len(items) if number == len(items) + 1 else _index(items, position)
    return charged(run, (*items[:index], item, *items[index:]))


@builtin("remove(list: list, position: number) -> list", "10.3.4.4")
def remove(run: Run, items: List, position: Decimal) -> List:
    """The list without one position."""
    index = _index(items, position)
    return charged(run, items[:index] + items[index + 1 :])


@builtin("list replace(list: list, position: number, newItem: any) -> list", "10.3.4.4")
def list_replace(run: Run, items: List, position: Decimal, item: Any) -> List:
    """The list with another item at a position."""
    index = _index(items, position)
    return charged(run, (*items[:index], item, *items[index + 1 :]))


@builtin("list replace(list: list, match: function, newItem: any) -> list", "10.3.4.4")
def list_replace_matching(run: Run, items: List, match: FeelFunction, item: Any) -> List:
    """The list with every item replaced for which `match(item, newItem)` is true."""
    from engine.feel.compile.calls import invoke

    results = [(old, invoke(match, run, (old, item))) for old in items]
    if any(not isinstance(result, bool) for _, result in results):
        raise invalid("“match”函数没有返回布尔值", "the match function did not return a boolean")
    return charged(run, tuple(item if result else old for old, result in results))


@builtin("reverse(list: list) -> list", "10.3.4.4")
def reverse(run: Run, items: List) -> List:
    """Last first."""
    return charged(run, items[::-1])


@builtin("index of(list: list, match: any) -> list", "10.3.4.4")
def index_of(run: Run, items: List, match: Any) -> List:
    """All positions of an element, ascending."""
    run.tick(len(items) // 4 + 1)
    return tuple(Decimal(number) for number, item in enumerate(items, 1) if same(item, match, run))


@builtin("union(list...: list) -> list", "10.3.4.4")
def union(run: Run, *lists: List) -> List:
    """Concatenated without duplicates."""
    return distinct_values(run, concatenate(run, *lists))


@builtin("distinct values(list: list) -> list", "10.3.4.4")
def distinct_values(run: Run, items: List) -> List:
    """Each value once, at its first place."""
    return tuple(group[0] for group in grouped(run, items))


def grouped(run: Run, items: List) -> list[list[Any]]:
    """Equal elements together, in order of first appearance; scalars by hash, everything else by comparison."""
    groups: list[list[Any]] = []
    by_key: dict[Any, list[Any]] = {}
    others: list[list[Any]] = []
    for item in items:
        run.tick()
        key = (type(item), item) if type(item) in (Decimal, str, bool, type(None)) else None
        group = by_key.get(key) if key else next((g for g in others if same(g[0], item, run)), None)
        if group is not None:
            group.append(item)
            continue
        group = [item]
        groups.append(group)
        if key:
            by_key[key] = group
        else:
            run.tick(len(others))
            others.append(group)
    return groups


@builtin("duplicate values(list: list) -> list", "Camunda 8 list functions")
def duplicate_values(run: Run, items: List) -> List:
    """Each value that occurs more than once, once."""
    return tuple(group[0] for group in grouped(run, items) if len(group) > 1)


@builtin("flatten(list: list) -> list", "10.3.4.4")
def flatten(run: Run, items: List) -> List:
    """Nested lists opened."""
    result: list[Any] = []
    pending = [iter(items)]
    while pending:
        run.tick()
        for item in pending[-1]:
            if type(item) is tuple:
                pending.append(iter(item))
                break
            result.append(item)
            run.check_items(len(result))
        else:
            pending.pop()
    return tuple(result)


@builtin("partition(list: list, size: number) -> list", "Camunda 8 list functions")
def partition(_run: Run, items: List, size: Decimal) -> List:
    """Pieces of a fixed size; the last may be shorter."""
    width = whole(size, "大小", "size")
    if width < 1:
        raise invalid("大小至少是 1", "size must be at least 1")
    return tuple(items[start : start + width] for start in range(0, len(items), width))


@builtin("is empty(list: list) -> boolean", "Camunda 8 list functions")
def is_empty(_run: Run, items: List) -> bool:
    """No elements?"""
    return not items


@builtin("sort(list: list, precedes?: function) -> list", "10.3.4.9")
def sort(run: Run, items: List, precedes: FeelFunction | None = None) -> List:
    """Stable; `precedes(a, b)` is true when a comes first. Without it, natural order (an addition of common engines)."""
    from engine.feel.compile.calls import invoke

    def order(a: Any, b: Any) -> int:
        run.tick()
        if precedes is None:
            return compare(a, b)
        if _holds(invoke(precedes, run, (a, b))):
            return -1
        return 1 if _holds(invoke(precedes, run, (b, a))) else 0

    return tuple(sorted(items, key=cmp_to_key(order)))


def _holds(result: Any) -> bool:
    if isinstance(result, bool):
        return result
    raise FeelNull("“precedes”函数没有返回布尔值", "the precedes function did not return a boolean", "type_mismatch")
