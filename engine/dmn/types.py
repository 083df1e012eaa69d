"""Declared types: built-in types and item definitions, as functions that check and coerce a value.

Coercions of DMN 1.5 §10.3.2.9.4: a list of one element becomes the element where a single value is expected and the other way round;
a date becomes a date and time at midnight UTC. Null conforms to every type. Beyond the standard, because process variables are JSON:
text becomes a temporal value where a date, time or duration is declared (`from_json`), and a context may lack entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.dmn.findings import Findings
from engine.dmn.model import ItemDefinition, Where
from engine.dmn.session import Value
from engine.errors import ExpressionError, Said, english
from engine.feel import Environment, compile_expression, compile_unary_tests
from engine.feel.temporal import DaysDuration, FeelDate, FeelDateTime, FeelTime, MonthsDuration
from engine.feel.values import Context, FeelFunction, Range

Coerce = Callable[[Value, Environment], Value]


class Mismatch(ValueError):
    """The value does not conform to the declared type; `reason` says why, in both languages."""

    def __init__(self, chinese: str, english: str) -> None:
        self.reason = Said(chinese, english)
        super().__init__(chinese)

    def about(self, name: str) -> Said:
        """The reason with what it is about before it."""
        return Said(f"{name}：{self.reason}", f"{english(name)}: {english(self.reason)}")


_ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
}
_CLASSES: dict[str, tuple[type, ...]] = {
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "date": (FeelDate,),
    "time": (FeelTime,),
    "date and time": (FeelDateTime,),
    "days and time duration": (DaysDuration,),
    "years and months duration": (MonthsDuration,),
    "context": (Context,),
    "list": (tuple,),
    "function": (FeelFunction,),
    "range": (Range,),
}
_FROM_TEXT = {
    "date": "date(text)",
    "time": "time(text)",
    "date and time": "date and time(text)",
    "days and time duration": "duration(text)",
    "years and months duration": "duration(text)",
}
ANY = frozenset({"", "Any"})


def builtin_name(type_ref: str) -> str:
    """The FEEL name of a built-in type ("" if `type_ref` is none): `dateTime`, `feel:date and time` -> "date and time"."""
    name = type_ref.removeprefix("feel:")
    name = _ALIASES.get(name, name)
    return name if name in _CLASSES or name in ANY else ""


def _keep(value: Value, _env: Environment) -> Value:
    return value


def _builtin(name: str) -> Coerce:
    classes = _CLASSES[name]

    def coerce(value: Value, _env: Environment) -> Value:
        if value is None or isinstance(value, classes):
            return value
        if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], classes):
            return value[0]
        if name == "list":
            return (value,)
        if name == "date and time" and isinstance(value, FeelDate):
            return compile_expression('date and time(text, time("00:00:00Z"))').evaluate({"text": value})
        raise Mismatch(f"值不是 {name} 类型", f"the value is no {name}")

    return coerce


def from_json(type_ref: str, value: Value) -> Value:
    """Text as temporal value where `type_ref` is a temporal type (JSON has none); everything else unchanged."""
    if not isinstance(value, str):
        return value
    name = builtin_name(type_ref)
    if name in _FROM_TEXT:
        found = compile_expression(_FROM_TEXT[name]).evaluate({"text": value})
        return value if found is None else found
    return value


class TypeTable:
    """The types of one file. `imported`: import name -> the imported file's types."""

    def __init__(self, items: tuple[ItemDefinition, ...], imported: Mapping[str, TypeTable], findings: Findings) -> None:
        self.items = {item.name: item for item in items}
        self.imported = imported
        self.findings = findings
        self._ready: dict[str, Coerce] = {}
        for item in items:
            self._check(item)

    def component_names(self) -> frozenset[str]:
        """Names of all components, so that paths with names of several words can be read."""
        found: set[str] = set()
        pending = list(self.items.values())
        while pending:
            item = pending.pop()
            found.update(component.name for component in item.components)
            pending.extend(item.components)
        return frozenset(found).union(*(table.component_names() for table in self.imported.values()))

    def known(self, type_ref: str) -> bool:
        """True if the type is built in, defined or imported."""
        prefix, _, rest = type_ref.partition(".")
        return bool(builtin_name(type_ref)) or type_ref in ANY or type_ref in self.items or self._imports(prefix, rest)

    def _imports(self, prefix: str, rest: str) -> bool:
        return prefix in self.imported and self.imported[prefix].known(rest)

    def coercion(self, type_ref: str) -> Coerce:
        """The function that checks and coerces to `type_ref`; raises Mismatch. Unknown types accept everything (lint reports them)."""
        if type_ref in ANY:
            return _keep
        if type_ref not in self._ready:
            # recursive item definitions refer to themselves while they are being built
            def later(value: Value, env: Environment) -> Value:
                return self._ready[type_ref](value, env)

            self._ready[type_ref] = later
            self._ready[type_ref] = self._build(type_ref)
        return self._ready[type_ref]

    def _build(self, type_ref: str) -> Coerce:
        if type_ref in self.items:
            return self._item(self.items[type_ref])
        prefix, _, rest = type_ref.partition(".")
        if prefix in self.imported:
            return self.imported[prefix].coercion(rest)
        name = builtin_name(type_ref)
        return _builtin(name) if name in _CLASSES else _keep

    def _item(self, item: ItemDefinition) -> Coerce:
        if item.is_function:
            single = _builtin("function")
        elif item.components:
            single = self._context(item)
        else:
            single = self.coercion(item.type_ref)
        single = self._constrained(single, item.allowed)
        whole = self._collection(single) if item.is_collection else single
        return self._constrained(whole, item.constraint)

    def _context(self, item: ItemDefinition) -> Coerce:
        parts = [(part.name, part.type_ref, self._item(part)) for part in item.components]

        def coerce(value: Value, env: Environment) -> Value:
            if isinstance(value, tuple) and len(value) == 1:
                value = value[0]
            if value is None:
                return None
            if not isinstance(value, Context):
                raise Mismatch(f"值不是 {item.name} 类型的上下文", f"the value is no context of the type {item.name}")
            entries = dict(value)
            for name, type_ref, part in parts:
                if name in entries:
                    entries[name] = part(from_json(type_ref, entries[name]), env)
            return Context(entries)

        return coerce

    def _collection(self, single: Coerce) -> Coerce:
        def coerce(value: Value, env: Environment) -> Value:
            if value is None:
                return None
            return tuple([single(item, env) for item in (value if isinstance(value, tuple) else (value,))])

        return coerce

    def _constrained(self, coerce: Coerce, allowed: str) -> Coerce:
        if allowed in ("", "-"):
            return coerce
        try:
            tests = compile_unary_tests(allowed)
        except ExpressionError:
            return coerce  # reported by _check

        def checked(value: Value, env: Environment) -> Value:
            value = coerce(value, env)
            if value is not None and tests.matches(value, {}, env) is not True:
                raise Mismatch(f"值不在允许的范围内：{allowed}", f"the value is not among those allowed: {allowed}")
            return value

        return checked

    def _check(self, item: ItemDefinition) -> None:
        for text in (item.allowed, item.constraint):
            self.check_tests(item.where, text)
        if item.type_ref and not self.known(item.type_ref):
            self.unknown(item.where, item.type_ref)
        for component in item.components:
            self._check(component)

    def check_tests(self, where: Where, text: str) -> None:
        """Report a syntax error in allowed values."""
        if text in ("", "-"):
            return
        try:
            compile_unary_tests(text)
        except ExpressionError as error:
            self.findings.error("syntax", where, error.message("zh"), error.message("en"))

    def unknown(self, where: Where, type_ref: str) -> None:
        """Report a type that nobody defined."""
        self.findings.error("unknown-type", where, f"未定义的类型“{type_ref}”", f'unknown type "{type_ref}"')
