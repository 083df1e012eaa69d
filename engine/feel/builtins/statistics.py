"""Numeric list functions (DMN 1.5 §10.3.4.4, table 76): sum, mean, product, median, stddev, mode."""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import Any

from engine.feel.builtins.lists import values_of
from engine.feel.builtins.registry import builtin, invalid
from engine.feel.numbers import CONTEXT, ONE, ZERO
from engine.feel.ops import arithmetic_null, calculate
from engine.feel.runtime import Run
from engine.feel.temporal import DaysDuration, MonthsDuration

Numbers = list[Decimal]


def _numbers(run: Run, args: tuple[Any, ...]) -> Numbers:
    items = values_of(args)
    run.tick(len(items) // 4 + 1)
    if not all(type(item) is Decimal for item in items):
        raise invalid("列表里有不是数字的项", "the list has an item that is no number")
    return list(items)


def _add_all(numbers: Numbers) -> Decimal:
    total = ZERO
    try:
        for number in numbers:
            total = CONTEXT.add(total, number)
    except DecimalException as problem:
        raise arithmetic_null(problem) from None
    return total


@builtin("sum(list...: any) -> Any", "10.3.4.4")
def sum_of(run: Run, *args: Any) -> Any:
    """Sum of numbers, or of durations of one kind (Camunda); null for an empty list."""
    items = values_of(args)
    if not items:
        return None
    if type(items[0]) is Decimal:
        return _add_all(_numbers(run, args))
    total = items[0]
    if not isinstance(total, (DaysDuration, MonthsDuration)):
        raise invalid("不能求和", "cannot be summed")
    for item in items[1:]:
        run.tick()
        total = calculate("+", total, item)
    return total


@builtin("mean(list...: any) -> number", "10.3.4.4")
def mean(run: Run, *args: Any) -> Decimal | None:
    """Arithmetic mean; null for an empty list."""
    numbers = _numbers(run, args)
    return CONTEXT.divide(_add_all(numbers), Decimal(len(numbers))) if numbers else None


@builtin("product(list...: any) -> number", "10.3.4.4")
def product(run: Run, *args: Any) -> Decimal | None:
    """Product; null for an empty list."""
    numbers = _numbers(run, args)
    if not numbers:
        return None
    result = ONE
    try:
        for number in numbers:
            result = CONTEXT.multiply(result, number)
    except DecimalException as problem:
        raise arithmetic_null(problem) from None
    return result


@builtin("median(list...: any) -> number", "10.3.4.4")
def median(run: Run, *args: Any) -> Decimal | None:
    """The middle of the sorted numbers, or the mean of the two in the middle; null for an empty list."""
    numbers = sorted(_numbers(run, args))
    if not numbers:
        return None
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return CONTEXT.divide(CONTEXT.add(numbers[middle - 1], numbers[middle]), Decimal(2))


@builtin("stddev(list...: any) -> number", "10.3.4.4")
def stddev(run: Run, *args: Any) -> Decimal | None:
    """Sample standard deviation; null for fewer than two numbers."""
    numbers = _numbers(run, args)
    if len(numbers) < 2:
        return None
    middle = CONTEXT.divide(_add_all(numbers), Decimal(len(numbers)))
    try:
        squares = [CONTEXT.power(CONTEXT.subtract(number, middle), 2) for number in numbers]
    except DecimalException as problem:
        raise arithmetic_null(problem) from None
    return CONTEXT.sqrt(CONTEXT.divide(_add_all(squares), Decimal(len(numbers) - 1)))


@builtin("mode(list...: any) -> list", "10.3.4.4")
def mode(run: Run, *args: Any) -> tuple[Decimal, ...]:
    """The most frequent numbers, ascending; [] for an empty list."""
    counts: dict[Decimal, int] = {}
    for number in _numbers(run, args):
        counts[number] = counts.get(number, 0) + 1
    top = max(counts.values(), default=0)
    return tuple(sorted(number for number, times in counts.items() if times == top))
