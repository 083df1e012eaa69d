"""How a built-in function is declared: one signature per overload, written as text, checked before the function runs.

`@builtin("substring(string: string, start position: number, length?: number) -> string", "10.3.4.3")`
A parameter is `name: kind|kind`, `name?:` when it may be left out (or null), `name...:` when it takes the rest. Kinds are FEEL
type names, or `any` (which includes null). A null for any other kind makes the result null with a warning, and so does a wrong
kind. Implicit conversions are those of §10.3.2.9.4: a single value for a list, a singleton list for a single value, a date for a
date and time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.feel.names import index_names
from engine.feel.ops import chinese_kind, kind_of
from engine.feel.runtime import FeelNull, Run
from engine.feel.temporal import FeelDate, FeelDateTime, FeelTime, Zone

Implementation = Callable[..., Any]
F = TypeVar("F", bound=Implementation)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an overload."""

    name: str
    kinds: frozenset[str]
    optional: bool
    variadic: bool

    @property
    def accepts_anything(self) -> bool:
        """No check needed."""
        return "any" in self.kinds


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature and its implementation, called as `function(run, *arguments)`."""

    parameters: tuple[Parameter, ...]
    result: str
    function: Implementation
    section: str
    text: str

    def accepts_count(self, count: int) -> bool:
        """True if that many positional arguments fit."""
        required = sum(1 for parameter in self.parameters if not parameter.optional and not parameter.variadic)
        unlimited = bool(self.parameters) and self.parameters[-1].variadic
        return required <= count and (unlimited or count <= len(self.parameters))

    def order(self, names: tuple[str, ...]) -> list[int | None] | None:
        """For named arguments: which argument each parameter takes (None: left out), or None if they do not fit."""
        own = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names) or any(name not in own for name in names):
            return None
        if any(not p.optional and not p.variadic and p.name not in names for p in self.parameters):
            return None
        return [names.index(name) if name in names else None for name in own]

    def arguments(self, run: Run, values: list[Any]) -> list[Any]:
        """The arguments after checks and implicit conversions. Raises FeelNull."""
        converted = list(values)
        last = len(self.parameters) - 1
        for index, value in enumerate(values):
            parameter = self.parameters[min(index, last)]
            if not parameter.accepts_anything and kind_of(value) not in parameter.kinds:
                converted[index] = convert(value, parameter)
        return converted


@dataclass(frozen=True, slots=True)
class Builtin:
    """All overloads of one name."""

    name: str
    overloads: tuple[Overload, ...]


BUILTINS: dict[str, Builtin] = {}
BUILTIN_NAMES = index_names(())


def convert(value: Any, parameter: Parameter) -> Any:
    """An implicit conversion (§10.3.2.9.4). Raises FeelNull if there is none."""
    if value is None:
        if parameter.optional:
            return None
        raise FeelNull(f"参数“{parameter.name}”是 null", f'argument "{parameter.name}" is null', "null_argument")
    if "list" in parameter.kinds:
        return (value,)
    if type(value) is tuple and len(value) == 1 and kind_of(value[0]) in parameter.kinds:
        return value[0]
    if type(value) is FeelDate and "date and time" in parameter.kinds:
        return FeelDateTime(value, FeelTime(0, 0, Zone(0, None)))
    wanted, given = "/".join(sorted(parameter.kinds)), kind_of(value)
    raise FeelNull(
        f"参数“{parameter.name}”需要{'或'.join(map(chinese_kind, sorted(parameter.kinds)))}，得到{chinese_kind(given)}",
        f'argument "{parameter.name}" must be {wanted}, got {given}',
        "type_mismatch",
    )


def builtin(signature: str, section: str) -> Callable[[F], F]:
    """Register one overload; `section` is the DMN section or the product documentation that defines it."""

    def register(function: F) -> F:
        name, overload = _parse(signature, function, section)
        known = BUILTINS.get(name)
        BUILTINS[name] = Builtin(name, (*(known.overloads if known else ()), overload))
        for first, entries in index_names([name]).items():
            mine = BUILTIN_NAMES.setdefault(first, [])
            mine.extend(entry for entry in entries if entry not in mine)
            mine.sort(key=lambda entry: -len(entry[0]))
        return function

    return register


def _parse(signature: str, function: Implementation, section: str) -> tuple[str, Overload]:
    head, _, result = signature.partition(" -> ")
    name, _, inside = head.partition("(")
    parts = [part.strip() for part in inside.rstrip(")").split(",") if part.strip()]
    return name, Overload(tuple(_parameter(part) for part in parts), result, function, section, signature)


def _parameter(text: str) -> Parameter:
    name, _, kinds = text.partition(":")
    optional, variadic = name.endswith("?"), name.endswith("...")
    return Parameter(name.rstrip("?."), frozenset(kind.strip() for kind in kinds.split("|")), optional, variadic)


def invalid(chinese: str, english: str) -> FeelNull:
    """The null of an argument with a right type and a wrong value: `raise invalid(...)`."""
    return FeelNull(chinese, english, "invalid_value")
