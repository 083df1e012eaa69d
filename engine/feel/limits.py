"""The size of a result: a small expression can build a value whose nested sharing is exponentially large when it is read."""

from __future__ import annotations

from typing import Any

from engine.feel.runtime import Run
from engine.feel.values import Context


def check_result(value: Any, run: Run) -> Any:
    """The value itself. Raises LimitExceeded if it has more nodes than `max_items` allows ten times over, or nests beyond 1,000."""
    if isinstance(value, str):
        run.check_chars(len(value))
        return value
    budget = run.env.max_items * 10
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        current, depth = pending.pop()
        children = current if type(current) is tuple else current.values() if type(current) is Context else ()
        if not children:
            continue
        budget -= len(children)
        run.tick(len(children) // 32 + 1)
        if budget < 0:
            run.exceed("结果太大 (result size)")
        if depth >= run.env.max_depth:
            run.exceed(f"结果嵌套超过 {run.env.max_depth} 层 (result depth)")
        pending.extend((child, depth + 1) for child in children if type(child) in (tuple, Context))
    return value
