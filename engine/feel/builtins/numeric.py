"""Boolean and numeric functions (DMN 1.5 §10.3.4.2 table 74, §10.3.4.5 table 77)."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    DecimalException,
)
from typing import Any

from engine.feel.builtins.conversion import whole
from engine.feel.builtins.registry import builtin, invalid
from engine.feel.numbers import CONTEXT, ZERO, is_integer
from engine.feel.ops import arithmetic_null
from engine.feel.runtime import Run
from engine.feel.temporal import DaysDuration, MonthsDuration


@builtin("not(negand: any) -> boolean", "10.3.4.2")
def negation(_run: Run, value: Any) -> bool | None:
    """Logical negation; anything but a boolean is null."""
    return not value if isinstance(value, bool) else None


def round_to(value: Decimal, scale: Decimal, rounding: str) -> Decimal:
    """`value` with `scale` digits after the point (negative: before it). Raises FeelNull outside -6111..6176."""
    digits = whole(scale, "小数位数", "scale")
    if not -6111 <= digits <= 6176:
        raise invalid("小数位数超出范围", "scale out of range")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= digits:
        return value
    try:
        return value.quantize(Decimal((0, (1,), -digits)), rounding=rounding, context=CONTEXT)
    except DecimalException:
        return _round_far(value, digits, rounding)


def _round_far(value: Decimal, digits: int, rounding: str) -> Decimal:
    """Rounding to a digit left of the number's first one: nothing or one unit there."""
    try:
        scaled = CONTEXT.scaleb(value, digits).to_integral_value(rounding=rounding)
        return CONTEXT.scaleb(scaled, -digits)
    except DecimalException as problem:
        raise arithmetic_null(problem) from None


_MODES = {
    "UP": ROUND_UP,
    "DOWN": ROUND_DOWN,
    "CEILING": ROUND_CEILING,
    "FLOOR": ROUND_FLOOR,
    "HALF_UP": ROUND_HALF_UP,
    "HALF_DOWN": ROUND_HALF_DOWN,
    "HALF_EVEN": ROUND_HALF_EVEN,
}


@builtin("decimal(n: number, scale: number, mode?: string) -> number", "10.3.4.5; mode: Camunda 8 numeric functions")
def decimal(_run: Run, value: Decimal, scale: Decimal, mode: str | None = None) -> Decimal:
    """Rounded half-even, or by a named mode."""
    rounding = ROUND_HALF_EVEN if mode is None else _MODES.get(mode.upper())
    if rounding is None:
        raise invalid("没有这种舍入方式", "no such rounding mode")
    return round_to(value, scale, rounding)


@builtin("floor(n: number, scale?: number) -> number", "10.3.4.5")
def floor(_run: Run, value: Decimal, scale: Decimal | None = None) -> Decimal:
    """Rounded towards negative infinity."""
    return round_to(value, ZERO if scale is None else scale, ROUND_FLOOR)


@builtin("ceiling(n: number, scale?: number) -> number", "10.3.4.5")
def ceiling(_run: Run, value: Decimal, scale: Decimal | None = None) -> Decimal:
    """Rounded towards positive infinity."""
    return round_to(value, ZERO if scale is None else scale, ROUND_CEILING)


@builtin("round up(n: number, scale?: number) -> number", "10.3.4.5")
def round_up(_run: Run, value: Decimal, scale: Decimal | None = None) -> Decimal:
    """Rounded away from zero."""
    return round_to(value, ZERO if scale is None else scale, ROUND_UP)


@builtin("round down(n: number, scale?: number) -> number", "10.3.4.5")
def round_down(_run: Run, value: Decimal, scale: Decimal | None = None) -> Decimal:
    """Rounded towards zero."""
    return round_to(value, ZERO if scale is None else scale, ROUND_DOWN)


@builtin("round half up(n: number, scale?: number) -> number", "10.3.4.5")
def round_half_up(_run: Run, value: Decimal, scale: Decimal | None = None) -> Decimal:
    """To the nearest; a half away from zero."""
    return round_to(value, ZERO if scale is None else scale, ROUND_HALF_UP)


@builtin("round half down(n: number, scale?: number) -> number", "10.3.4.5")
def round_half_down(_run: Run, value: Decimal, scale: Decimal | None = None) -> Decimal:
    """To the nearest; a half towards zero."""
    return round_to(value, ZERO if scale is None else scale, ROUND_HALF_DOWN)


@builtin("abs(n: number|days and time duration|years and months duration) -> Any", "10.3.4.5")
def absolute(_run: Run, value: Decimal | DaysDuration | MonthsDuration) -> Decimal | DaysDuration | MonthsDuration:
    """Absolute value of a number or a duration."""
    return abs(value) if isinstance(value, Decimal) else type(value)(abs(value.key))


@builtin("modulo(dividend: number, divisor: number) -> number", "10.3.4.5")
def modulo(_run: Run, dividend: Decimal, divisor: Decimal) -> Decimal:
    """dividend - divisor * floor(dividend / divisor): the sign is the divisor's."""
    if not divisor:
        raise invalid("除数是零", "division by zero")
    try:
        rest = CONTEXT.remainder(dividend, divisor)
    except DecimalException:
        return _modulo_far(dividend, divisor)
    return CONTEXT.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


def _modulo_far(dividend: Decimal, divisor: Decimal) -> Decimal:
    """A quotient of more than 34 digits: exact with integers, because only the remainder matters."""
    (sign, digits, exponent), (d_sign, d_digits, d_exponent) = dividend.as_tuple(), divisor.as_tuple()
    shift = int(exponent) - int(d_exponent)
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    modulus = int("".join(map(str, d_digits))) * (-1 if d_sign else 1)
    rest = number * pow(10, shift, abs(modulus)) % modulus if abs(modulus) > 1 else 0
    return CONTEXT.scaleb(CONTEXT.create_decimal(rest), int(d_exponent))


@builtin("sqrt(number: number) -> number", "10.3.4.5")
def square_root(_run: Run, value: Decimal) -> Decimal:
    """Square root; null for negative numbers."""
    if value < 0:
        raise invalid("负数没有平方根", "negative numbers have no square root")
    return CONTEXT.sqrt(value)


@builtin("log(number: number) -> number", "10.3.4.5")
def logarithm(_run: Run, value: Decimal) -> Decimal:
    """Natural logarithm; null for numbers that are not positive."""
    if value <= 0:
        raise invalid("只有正数有对数", "only positive numbers have a logarithm")
    return CONTEXT.ln(value)


@builtin("exp(number: number) -> number", "10.3.4.5")
def exponential(_run: Run, value: Decimal) -> Decimal:
    """e to the power of the number."""
    try:
        return CONTEXT.exp(value)
    except DecimalException as problem:
        raise arithmetic_null(problem) from None


@builtin("odd(number: number) -> boolean", "10.3.4.5")
def odd(_run: Run, value: Decimal) -> bool:
    """An odd integer? A fraction is neither odd nor even."""
    return is_integer(value) and _last_bit(value) == 1


@builtin("even(number: number) -> boolean", "10.3.4.5")
def even(_run: Run, value: Decimal) -> bool:
    """An even integer?"""
    return is_integer(value) and _last_bit(value) == 0


def _last_bit(value: Decimal) -> int:
    """Parity; an integer beyond 34 digits ends in zeros."""
    return 0 if abs(value) >= Decimal(10) ** 34 else int(value) & 1
