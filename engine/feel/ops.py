"""Operators on FEEL values: equality, order and arithmetic (DMN 1.5 §10.3.2.13-§10.3.2.15, tables 50-57).

Functions raise FeelNull where the standard says null; the compiled closure turns that into null plus a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from engine.feel.numbers import CONTEXT, is_integer
from engine.feel.runtime import FeelNull, Run
from engine.feel.temporal import (
    DAY_SECONDS,
    NANOS,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
)
from engine.feel.values import Context, FeelFunction, Range

_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    tuple: "list",
    Context: "context",
    Range: "range",
    FeelFunction: "function",
    FeelDate: "date",
    FeelTime: "time",
    FeelDateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
}


_CHINESE = {
    "null": "null",
    "boolean": "布尔值",
    "number": "数字",
    "string": "字符串",
    "list": "列表",
    "context": "上下文",
    "range": "区间",
    "function": "函数",
    "date": "日期",
    "time": "时间",
    "date and time": "日期时间",
    "days and time duration": "天时长",
    "years and months duration": "年月时长",
}
KIND_TYPES = {name: kind for kind, name in _KINDS.items()}


def kind_of(value: Any) -> str:
    """The FEEL type name of a value, without type arguments."""
    return _KINDS.get(type(value), "Any")


def chinese_kind(kind: str) -> str:
    """A type name as people read it."""
    return _CHINESE.get(kind, kind)


def equal(a: Any, b: Any, run: Run) -> bool | None:
    """`a = b`: None where the kinds differ, or a zoned moment meets a local one. Depth-first over lists and contexts."""
    if a is None or b is None:
        return a is b
    kind = type(a)
    if kind is not type(b):
        return None
    if kind is tuple:
        return _equal_lists(a, b, run)
    if kind is Context:
        return _equal_contexts(a, b, run)
    if kind is Range:
        return _equal_ranges(a, b, run)
    if kind is FeelDateTime and (a.time.zone is None) != (b.time.zone is None):
        return None
    if kind is FeelTime and (a.zone is None) != (b.zone is None):
        return None
    return bool(a == b)


def _all_equal(pairs: list[tuple[Any, Any]], run: Run) -> bool | None:
    result: bool | None = True
    run.tick(len(pairs))
    for left, right in pairs:
        same = equal(left, right, run)
        if same is False:
            return False
        if same is None:
            result = None
    return result


def _equal_lists(a: tuple[Any, ...], b: tuple[Any, ...], run: Run) -> bool | None:
    if len(a) != len(b):
        return False
    return _all_equal(list(zip(a, b, strict=True)), run)


def _equal_contexts(a: Context, b: Context, run: Run) -> bool | None:
    if a.keys() != b.keys():
        return False
    return _all_equal([(a[key], b[key]) for key in a], run)


def _equal_ranges(a: Range, b: Range, run: Run) -> bool | None:
    if (a.low_closed, a.high_closed) != (b.low_closed, b.high_closed):
        return False
    return _all_equal([(a.low, b.low), (a.high, b.high)], run)


def same(a: Any, b: Any, run: Run) -> bool:
    """Equality for list functions: what is not comparable is different."""
    return equal(a, b, run) is True


_COMPARABLE = frozenset({Decimal, str, FeelDate, FeelTime, FeelDateTime, DaysDuration, MonthsDuration})


def compare(a: Any, b: Any) -> int:
    """-1, 0 or 1. Raises FeelNull for null, different kinds, kinds without order, and a zoned moment against a local one."""
    kind = type(a)
    if kind is not type(b) or kind not in _COMPARABLE:
        raise _cannot("比较", "compare", a, b)
    if kind in (Decimal, str):
        return -1 if a < b else int(a > b)
    if kind is FeelDateTime and (a.time.zone is None) != (b.time.zone is None):
        raise _cannot("比较（时区不明）", "compare (zone unknown)", a, b)
    if kind is FeelTime and (a.zone is None) != (b.zone is None):
        raise _cannot("比较（时区不明）", "compare (zone unknown)", a, b)
    return _sign(a.key - b.key)


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)


def _cannot(chinese: str, english: str, a: Any, b: Any) -> FeelNull:
    return FeelNull(
        f"不能{chinese}{chinese_kind(kind_of(a))}和{chinese_kind(kind_of(b))}",
        f"cannot {english} {kind_of(a)} and {kind_of(b)}",
        "type_mismatch",
    )


def in_range(value: Any, bounds: Range) -> bool:
    """Membership. Raises FeelNull where value and ends cannot be compared."""
    if value is None:
        raise FeelNull("null 不能与区间比较", "null cannot be compared with a range", "null_operand")
    if bounds.low is not None:
        order = compare(value, bounds.low)
        if order < 0 or (order == 0 and not bounds.low_closed):
            return False
    elif bounds.low_closed:
        raise FeelNull("区间的下限是 null", "the range's low end is null", "null_operand")
    if bounds.high is not None:
        order = compare(value, bounds.high)
        if order > 0 or (order == 0 and not bounds.high_closed):
            return False
    elif bounds.high_closed:
        raise FeelNull("区间的上限是 null", "the range's high end is null", "null_operand")
    return True


def _shift(moment: FeelDateTime, nanos: int) -> FeelDateTime:
    """Add to a date-time: on the time line for zone ids (so that an hour is an hour across a clock change), else on the local clock."""
    zone = moment.time.zone
    if zone is not None and zone.name is not None:
        whole_days, rest = divmod(nanos, DAY_SECONDS * NANOS)
        local = moment.local_seconds * NANOS + moment.time.nanos + whole_days * DAY_SECONDS * NANOS
        moved = FeelDateTime.from_local(local, zone)
        return moved if rest == 0 else _from_instant(moved.key + rest, moved)
    return FeelDateTime.from_local(moment.local_seconds * NANOS + moment.time.nanos + nanos, zone)


def _from_instant(key: int, like: FeelDateTime) -> FeelDateTime:
    zone = like.time.zone
    probe = FeelDateTime.from_local(key, None)
    utc = FeelDateTime(probe.date, FeelTime(probe.time.seconds, probe.time.nanos, None))
    return utc.in_zone(zone) if zone is not None else utc


def _date_plus_days(day: FeelDate, duration: DaysDuration) -> FeelDate:
    return FeelDate.from_days((day.key * DAY_SECONDS * NANOS + duration.key) // (DAY_SECONDS * NANOS))


def _time_plus(moment: FeelTime, nanos: int) -> FeelTime:
    seconds, rest = divmod((moment.seconds * NANOS + moment.nanos + nanos) % (DAY_SECONDS * NANOS), NANOS)
    return FeelTime(seconds, rest, moment.zone)


def _months_later(moment: FeelDateTime, months: int) -> FeelDateTime:
    return FeelDateTime(moment.date.add_months(months), moment.time)


def _moments_apart(a: FeelDateTime, b: FeelDateTime) -> DaysDuration:
    if (a.time.zone is None) != (b.time.zone is None):
        raise _cannot("相减（时区不明）", "subtract (zone unknown)", a, b)
    return DaysDuration(a.key - b.key)


def _times_apart(a: FeelTime, b: FeelTime) -> DaysDuration:
    if (a.zone is None) != (b.zone is None):
        raise _cannot("相减（时区不明）", "subtract (zone unknown)", a, b)
    return DaysDuration(a.key - b.key)


def _midnight(day: FeelDate, like: FeelDateTime) -> FeelDateTime:
    return FeelDateTime(day, FeelTime(0, 0, like.time.zone))


def _scaled(length: int, factor: Decimal) -> int:
    """A duration's length times a number, towards zero; at most the longest duration."""
    product = CONTEXT.multiply(Decimal(length), factor)
    if abs(product) > DaysDuration.LIMIT:
        raise ValueError("duration out of range")
    return int(product)


def _divided(length: int, divisor: Decimal) -> int:
    quotient = CONTEXT.divide(Decimal(length), divisor)
    if abs(quotient) > DaysDuration.LIMIT:
        raise ValueError("duration out of range")
    return int(quotient)


def _ratio(a: DaysDuration | MonthsDuration, b: DaysDuration | MonthsDuration) -> Decimal:
    return CONTEXT.divide(Decimal(a.key), Decimal(b.key))


def power(a: Decimal, b: Decimal) -> Decimal:
    """`a ** b`; 0 ** 0 is 1."""
    if not b:
        return Decimal(1)
    if not a and b < 0:
        raise DivisionByZero  # the C implementation answers Infinity without a signal
    return CONTEXT.power(a, b)


Operation = Callable[[Any, Any], Any]
N, S, D, T, DT, DD, MD = Decimal, str, FeelDate, FeelTime, FeelDateTime, DaysDuration, MonthsDuration
OPERATIONS: dict[str, dict[tuple[type, type], Operation]] = {
    "+": {
        (N, N): CONTEXT.add,
        (S, S): lambda a, b: a + b,
        (D, DD): _date_plus_days,
        (DD, D): lambda a, b: _date_plus_days(b, a),
        (D, MD): lambda a, b: a.add_months(b.key),
        (MD, D): lambda a, b: b.add_months(a.key),
        (DT, DD): lambda a, b: _shift(a, b.key),
        (DD, DT): lambda a, b: _shift(b, a.key),
        (DT, MD): lambda a, b: _months_later(a, b.key),
        (MD, DT): lambda a, b: _months_later(b, a.key),
        (T, DD): lambda a, b: _time_plus(a, b.key),
        (DD, T): lambda a, b: _time_plus(b, a.key),
        (DD, DD): lambda a, b: DaysDuration(a.key + b.key),
        (MD, MD): lambda a, b: MonthsDuration(a.key + b.key),
    },
    "-": {
        (N, N): CONTEXT.subtract,
        (D, D): lambda a, b: DaysDuration((a.key - b.key) * DAY_SECONDS * NANOS),
        (D, DT): lambda a, b: _moments_apart(_midnight(a, b), b),
        (DT, D): lambda a, b: _moments_apart(a, _midnight(b, a)),
        (DT, DT): _moments_apart,
        (T, T): _times_apart,
        (D, DD): lambda a, b: _date_plus_days(a, DaysDuration(-b.key)),
        (D, MD): lambda a, b: a.add_months(-b.key),
        (DT, DD): lambda a, b: _shift(a, -b.key),
        (DT, MD): lambda a, b: _months_later(a, -b.key),
        (T, DD): lambda a, b: _time_plus(a, -b.key),
        (DD, DD): lambda a, b: DaysDuration(a.key - b.key),
        (MD, MD): lambda a, b: MonthsDuration(a.key - b.key),
    },
    "*": {
        (N, N): CONTEXT.multiply,
        (DD, N): lambda a, b: DaysDuration(_scaled(a.key, b)),
        (N, DD): lambda a, b: DaysDuration(_scaled(b.key, a)),
        (MD, N): lambda a, b: MonthsDuration(_scaled(a.key, b)),
        (N, MD): lambda a, b: MonthsDuration(_scaled(b.key, a)),
    },
    "/": {
        (N, N): CONTEXT.divide,
        (DD, N): lambda a, b: DaysDuration(_divided(a.key, b)),
        (MD, N): lambda a, b: MonthsDuration(_divided(a.key, b)),
        (DD, DD): _ratio,
        (MD, MD): _ratio,
    },
    "**": {(N, N): power},
}


def calculate(op: str, a: Any, b: Any) -> Any:
    """`a op b` for any operands. Raises FeelNull where the result is null."""
    operation = OPERATIONS[op].get((type(a), type(b)))
    if operation is None:
        if a is None or b is None:
            raise FeelNull(f"运算 {op} 的操作数是 null", f"an operand of {op} is null", "null_operand")
        raise FeelNull(
            f"不能计算 {chinese_kind(kind_of(a))} {op} {chinese_kind(kind_of(b))}", f"no {kind_of(a)} {op} {kind_of(b)}", "type_mismatch"
        )
    try:
        return operation(a, b)
    except DecimalException as problem:
        raise arithmetic_null(problem) from None
    except (ValueError, OverflowError):
        raise FeelNull("结果超出范围", "the result is out of range", "out_of_range") from None


def arithmetic_null(problem: ArithmeticError) -> FeelNull:
    """The null of a decimal operation that has no value."""
    if isinstance(problem, DivisionByZero):
        return FeelNull("除数是零", "division by zero", "division_by_zero")
    if isinstance(problem, (Overflow, InvalidOperation)):
        return FeelNull("数字超出范围或没有定义", "number out of range or undefined", "out_of_range")
    return FeelNull("无法计算", "cannot be calculated", "out_of_range")


def negate(value: Any) -> Any:
    """`-value`. Raises FeelNull for anything but numbers and durations."""
    if type(value) is Decimal:
        return CONTEXT.minus(value)
    if isinstance(value, (DaysDuration, MonthsDuration)):
        return type(value)(-value.key)
    raise FeelNull(f"不能取负：{chinese_kind(kind_of(value))}", f"cannot negate {kind_of(value)}", "type_mismatch")


def integer(value: Any) -> int | None:
    """A FEEL number as small Python int, None if it is not integral or too large to be an index."""
    if type(value) is Decimal and abs(value) < 10**15 and is_integer(value):
        return int(value)
    return None
