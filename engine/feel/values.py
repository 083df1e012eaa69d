"""FEEL values that Python has no type for (contexts, ranges, functions) and the way from and to plain Python and JSON.

| FEEL | Python |
|---|---|
| null, boolean, number, string | None, bool, Decimal, str |
| list, context, range, function | tuple, Context, Range, FeelFunction |
| temporal | FeelDate, FeelTime, FeelDateTime, DaysDuration, MonthsDuration |

All are immutable. A list's elements and a local frame's values are always FEEL values; a `Context` converts its entries when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation, Overflow
from typing import Any

from engine.errors import LimitExceeded, Said
from engine.feel.numbers import CONTEXT, from_float, from_int, number_text
from engine.feel.temporal import DaysDuration, FeelDate, FeelDateTime, FeelTime, MonthsDuration


class _Missing:
    """The type of MISSING: no FEEL value, so a context's null differs from a key that is not there."""


MISSING: Any = _Missing()
MAX_NODES = 1_000_000  # of one value that is converted or compared: nested sharing can make small values huge


class Context(Mapping[str, Any]):
    """An immutable context over a dict whose values may still be plain Python; reading converts one entry."""

    __slots__ = ("entries",)

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self.entries = entries

    def read(self, key: str) -> Any:
        """The entry as FEEL value, MISSING if there is none."""
        value = self.entries.get(key, MISSING)
        return value if type(value) in FEEL_TYPES else to_feel(value)

    def __getitem__(self, key: str) -> Any:
        value = self.entries[key]
        return value if type(value) in FEEL_TYPES else to_feel(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"Context({dict(self.entries)!r})"


class Range:
    """A range; None as end means unbounded. `low_closed`: the low end belongs to it."""

    __slots__ = ("high", "high_closed", "low", "low_closed")

    def __init__(self, low: Any, high: Any, low_closed: bool, high_closed: bool) -> None:
        put = object.__setattr__
        put(self, "low", low)
        put(self, "high", high)
        put(self, "low_closed", low_closed)
        put(self, "high_closed", high_closed)

    low: Any
    high: Any
    low_closed: bool
    high_closed: bool

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("Range is immutable")

    def __repr__(self) -> str:
        return f"Range({self.low!r}, {self.high!r}, {self.low_closed}, {self.high_closed})"


class FeelFunction:
    """A function value. `call(run, args)` gets FEEL values in the order of `parameters` and returns one.

    `types`: declared parameter types (syntax tree of a type or None), for named arguments and `instance of`.
    """

    __slots__ = ("call", "name", "parameters", "types")

    def __init__(
        self,
        name: str,
        parameters: tuple[str, ...],
        call: Callable[[Any, tuple[Any, ...]], Any],
        types: tuple[Any, ...] = (),
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.call = call
        self.types = types

    def __repr__(self) -> str:
        return f"FeelFunction({self.name}({', '.join(self.parameters)}))"


FEEL_TYPES = frozenset(
    {
        type(None),
        bool,
        Decimal,
        str,
        tuple,
        Context,
        Range,
        FeelFunction,
        FeelDate,
        FeelTime,
        FeelDateTime,
        DaysDuration,
        MonthsDuration,
        _Missing,
    }
)


def _decimal(value: float | int) -> Decimal | None:
    try:
        return from_int(value) if isinstance(value, int) else from_float(value)
    except (Overflow, InvalidOperation):
        return None


def _date_time(value: datetime) -> FeelDateTime:
    return FeelDateTime.from_python(value)


def _foreign(value: Any) -> Any:
    """Subclasses (enum members, ORM row mappings) are read as what they are a kind of; anything else is refused."""
    for kind, convert in _BASES:
        if isinstance(value, kind):
            return convert(value)
    raise TypeError(f"{type(value).__name__} is not a FEEL value")


def _list(value: Any) -> tuple[Any, ...]:
    return tuple([item if type(item) in _ATOMS else to_feel(item) for item in value])


_ATOMS = FEEL_TYPES - {tuple}
_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    int: _decimal,
    float: _decimal,
    dict: Context,
    list: _list,
    tuple: _list,
    datetime: _date_time,
    date: FeelDate.from_python,
    time: FeelTime.from_python,
    timedelta: DaysDuration.from_python,
}
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, lambda number: _decimal(int(number))),
    (float, lambda number: _decimal(float(number))),
    (Decimal, CONTEXT.create_decimal),
    (datetime, _date_time),
    (date, FeelDate.from_python),
    (Mapping, Context),
    (list, _list),
    (tuple, _list),
    (frozenset, lambda items: _list(sorted(items))),
    (set, lambda items: _list(sorted(items))),
)


def to_feel(value: Any) -> Any:
    """A JSON-ish Python value as FEEL value; FEEL values pass through. Raises TypeError for any other object.

    A tuple inside a context counts as a finished FEEL list (no conversion); give JSON-ish data as lists.
    Dicts become contexts over the same dict (not copied): do not change them while an expression uses them.
    """
    kind = type(value)
    if kind in _ATOMS:
        if kind is Decimal and not value.is_finite():
            return None
        return value
    convert = _CONVERTERS.get(kind)
    return _foreign(value) if convert is None else convert(value)


def to_json(value: Any, tick: Callable[[], None] | None = None) -> Any:
    """A FEEL value as JSON-able Python: numbers int or float, temporal values ISO 8601 text, ranges and functions FEEL text.

    Raises LimitExceeded for a value of more than a million nodes. `tick` is called for every node and may raise too.
    """
    return _json(value, _Budget(tick))


class _Budget:
    """Counts the nodes of a value while it is converted."""

    def __init__(self, tick: Callable[[], None] | None) -> None:
        self.left = MAX_NODES
        self.tick = tick

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LimitExceeded(
                expression="", position=0, reason=Said(f"结果超过 {MAX_NODES} 个节点", f"a result of more than {MAX_NODES} nodes")
            )
        if self.tick is not None:
            self.tick()


def _json(value: Any, budget: _Budget) -> Any:
    budget.spend()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Decimal):
        return _json_number(value)
    if isinstance(value, (tuple, list)):
        return [_json(item, budget) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _json(item, budget) for key, item in value.items()}
    if isinstance(value, (int, float)):
        return value
    from engine.feel.text import text_of

    text = text_of(to_feel(value))
    if "@" in text and isinstance(value, FeelDateTime) and 1 <= value.date.year <= 9999:
        # a named zone is FEEL's own notation; ISO 8601, which forms and handlers read, knows offsets only
        return value.to_python().isoformat()
    return text


def _json_number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value() and abs(value) < 10**40:
        return int(value)
    number = float(value)
    return number_text(value) if number in (float("inf"), float("-inf")) else number


def to_python(value: Any) -> Any:
    """A FEEL value for Python code: date, datetime and timedelta where Python's ranges allow, lists, dicts, Decimal; others unchanged."""
    if isinstance(value, (FeelDate, FeelDateTime, DaysDuration)):
        try:
            return value.to_python()
        except (ValueError, OverflowError):
            return value
    if isinstance(value, tuple):
        return [to_python(item) for item in value]
    if isinstance(value, Context):
        return {key: to_python(item) for key, item in value.items()}
    return value
