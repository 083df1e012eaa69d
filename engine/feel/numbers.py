"""FEEL numbers: decimals of 34 digits, rounded half-even (DMN 1.5 §10.3.2.3.1; IEEE 754-2008 decimal128)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from math import isfinite

DIGITS = 34
# One context for everybody: the C implementation only sets flags in it, and nobody reads flags.
CONTEXT = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
ZERO = Decimal(0)
ONE = Decimal(1)
_EXACT_INTEGER = 10**DIGITS


def from_int(value: int) -> Decimal:
    """A Python integer as FEEL number; more than 34 digits are rounded. Raises decimal.Overflow beyond 1E+6145."""
    if -_EXACT_INTEGER < value < _EXACT_INTEGER:
        return Decimal(value)
    if value.bit_length() > 21_000:  # beyond 1E+6320: spare Python the conversion
        raise Overflow
    return CONTEXT.create_decimal(value)


def from_float(value: float) -> Decimal | None:
    """A Python float by its shortest notation (0.1 is 0.1); NaN and infinities are null."""
    if not isfinite(value):
        return None
    return Decimal(repr(value))


def is_integer(value: Decimal) -> bool:
    """True if the number has no fraction (2.0 is an integer)."""
    return value == value.to_integral_value()


def as_int(value: Decimal, limit: int = 10**12) -> int | None:
    """The number as Python int if it is integral and |value| <= limit, else None: never builds a 6,000-digit int."""
    if abs(value) > limit or not is_integer(value):
        return None
    return int(value)


def number_text(value: Decimal) -> str:
    """Plain notation without exponent and without trailing zeros: equal numbers have equal texts."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
