"""Range functions (DMN 1.5 §10.3.4.7, table 79) and range() (§10.3.4.1). A point is any comparable value.

The tests are table 79's; where an end has no value, an unbounded low end lies before and an unbounded high end after everything.
"""

from __future__ import annotations

from typing import Any

from engine.feel.builtins.registry import builtin, invalid
from engine.feel.ops import compare, in_range
from engine.feel.runtime import Run
from engine.feel.values import Range


def _order(a: Any, b: Any, unbounded: int) -> int:
    """Compare two ends; None is unbounded (`unbounded` = -1 for low ends, 1 for high ends)."""
    if a is None or b is None:
        return 0 if a is b else (unbounded if a is None else -unbounded)
    return compare(a, b)


def _apart(first: Range, second: Range) -> int:
    """Order of the first's high end and the second's low end; unbounded ends are beyond everything."""
    if first.high is None or second.low is None:
        return 1
    return compare(first.high, second.low)


def _span(value: Any) -> Range:
    """A point as the closed range of itself."""
    if value is None:
        raise invalid("参数是 null", "an argument is null")
    return value if type(value) is Range else Range(value, value, True, True)


def _range(value: Any) -> Range:
    if type(value) is not Range:
        raise invalid("参数不是区间", "an argument is no range")
    return value


@builtin("before(point1: any, point2: any) -> boolean", "10.3.4.7")
@builtin("before(point: any, range: range) -> boolean", "10.3.4.7")
@builtin("before(range: range, point: any) -> boolean", "10.3.4.7")
@builtin("before(range1: range, range2: range) -> boolean", "10.3.4.7")
def before(_run: Run, a: Any, b: Any) -> bool:
    """All of a lies before all of b."""
    first, second = _span(a), _span(b)
    order = _apart(first, second)
    return order < 0 or (order == 0 and not (first.high_closed and second.low_closed))


@builtin("after(point1: any, point2: any) -> boolean", "10.3.4.7")
@builtin("after(point: any, range: range) -> boolean", "10.3.4.7")
@builtin("after(range: range, point: any) -> boolean", "10.3.4.7")
@builtin("after(range1: range, range2: range) -> boolean", "10.3.4.7")
def after(run: Run, a: Any, b: Any) -> bool:
    """All of a lies after all of b."""
    return before(run, b, a)


@builtin("meets(range1: range, range2: range) -> boolean", "10.3.4.7")
def meets(_run: Run, a: Range, b: Range) -> bool:
    """a ends exactly where b starts, both including that point."""
    return a.high_closed and b.low_closed and _apart(a, b) == 0


@builtin("met by(range1: range, range2: range) -> boolean", "10.3.4.7")
def met_by(run: Run, a: Range, b: Range) -> bool:
    """b meets a."""
    return meets(run, b, a)


@builtin("overlaps(range1: range, range2: range) -> boolean", "10.3.4.7")
def overlaps(run: Run, a: Range, b: Range) -> bool:
    """They have a point in common."""
    return not before(run, a, b) and not before(run, b, a)


def _low_first(a: Range, b: Range) -> int:
    """Order of the low ends: an open end starts later than a closed one at the same value."""
    order = _order(a.low, b.low, -1)
    return order if order else int(b.low_closed) - int(a.low_closed)


def _high_first(a: Range, b: Range) -> int:
    """Order of the high ends: an open end stops earlier than a closed one at the same value."""
    order = _order(a.high, b.high, 1)
    return order if order else int(a.high_closed) - int(b.high_closed)


@builtin("overlaps before(range1: range, range2: range) -> boolean", "10.3.4.7")
def overlaps_before(run: Run, a: Range, b: Range) -> bool:
    """a starts earlier, ends inside b."""
    return _low_first(a, b) < 0 and _high_first(a, b) <= 0 and overlaps(run, a, b)


@builtin("overlaps after(range1: range, range2: range) -> boolean", "10.3.4.7")
def overlaps_after(run: Run, a: Range, b: Range) -> bool:
    """b starts earlier and ends inside a."""
    return overlaps_before(run, b, a)


@builtin("finishes(point: any, range: range) -> boolean", "10.3.4.7")
@builtin("finishes(range1: range, range2: range) -> boolean", "10.3.4.7")
def finishes(_run: Run, a: Any, b: Range) -> bool:
    """a is the last part of b."""
    if type(a) is not Range:
        return b.high_closed and b.high is not None and compare(a, b.high) == 0
    return _high_first(a, b) == 0 and _low_first(a, b) >= 0


@builtin("finished by(range: range, point: any) -> boolean", "10.3.4.7")
@builtin("finished by(range1: range, range2: range) -> boolean", "10.3.4.7")
def finished_by(run: Run, a: Range, b: Any) -> bool:
    """b finishes a."""
    return finishes(run, b, a)


@builtin("includes(range: range, point: any) -> boolean", "10.3.4.7")
@builtin("includes(range1: range, range2: range) -> boolean", "10.3.4.7")
def includes(_run: Run, a: Range, b: Any) -> bool:
    """All of b lies in a."""
    if type(b) is not Range:
        return in_range(b, a)
    return _low_first(a, b) <= 0 and _high_first(a, b) >= 0


@builtin("during(point: any, range: range) -> boolean", "10.3.4.7")
@builtin("during(range1: range, range2: range) -> boolean", "10.3.4.7")
def during(run: Run, a: Any, b: Range) -> bool:
    """All of a lies in b."""
    return includes(run, b, a)


@builtin("starts(point: any, range: range) -> boolean", "10.3.4.7")
@builtin("starts(range1: range, range2: range) -> boolean", "10.3.4.7")
def starts(_run: Run, a: Any, b: Range) -> bool:
    """a is the first part of b."""
    if type(a) is not Range:
        return b.low_closed and b.low is not None and compare(a, b.low) == 0
    return _low_first(a, b) == 0 and _high_first(a, b) <= 0


@builtin("started by(range: range, point: any) -> boolean", "10.3.4.7")
@builtin("started by(range1: range, range2: range) -> boolean", "10.3.4.7")
def started_by(run: Run, a: Range, b: Any) -> bool:
    """b starts a."""
    return starts(run, b, a)


@builtin("coincides(point1: any, point2: any) -> boolean", "10.3.4.7")
@builtin("coincides(range1: range, range2: range) -> boolean", "10.3.4.7")
def coincides(_run: Run, a: Any, b: Any) -> bool:
    """The same point, or the same range."""
    first, second = _span(a), _span(b)
    return _low_first(first, second) == 0 and _high_first(first, second) == 0


@builtin("range(from: string) -> range", "10.3.4.1")
def range_of(_run: Run, text: str) -> Range:
    """A range literal in a string; its ends are literals (§10.3.4.1): nothing else is evaluated."""
    from engine.feel.range_text import parse_range

    found = parse_range(text)
    if found is None:
        raise invalid("不是区间", "not a range")
    return found
