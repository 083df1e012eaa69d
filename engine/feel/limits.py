"""The size of a result: a small expression can build a value whose nested sharing is exponentially large when it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.errors import Said
from engine.feel.runtime import Run
from engine.feel.values import Context

_NESTED = frozenset({tuple, Context})


def check_result(value: Any, run: Run) -> Any:
    """The value itself. Raises LimitExceeded for a string beyond `max_chars`, nesting beyond `max_depth`, or more than ten times
    `max_items` nodes. Plain lists and dicts of the caller inside the value are not looked into: they are data, not built here.
    """
    if isinstance(value, str):
        run.check_chars(len(value))
        return value
    level: list[Any] = [value] if type(value) in _NESTED else []
    left = run.env.max_items * 10
    depth = 0
    while level:
        depth += 1
        if depth > run.env.max_depth:
            run.exceed(Said(f"结果嵌套超过 {run.env.max_depth} 层", f"the result is nested deeper than {run.env.max_depth}"))
        below: list[Any] = []
        for container in level:
            children = _children(container)
            left -= len(children)
            if left < 0:
                run.exceed(Said("结果太大", "the result is too large"))
            below.extend([child for child in children if type(child) in _NESTED])
        run.tick(len(level) // 16 + 1)
        level = below
    return value


def _children(container: Any) -> tuple[Any, ...] | list[Any]:
    if type(container) is tuple:
        return container
    entries: Iterable[Any] = container.entries.values()
    return list(entries)
