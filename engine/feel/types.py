"""FEEL types: the lattice, `instance of` and conformance (DMN 1.5 §10.3.2.9, tables 46-49)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.feel import ast
from engine.feel.ops import kind_of
from engine.feel.runtime import Run
from engine.feel.values import FeelFunction


@dataclass(frozen=True, slots=True)
class Type:
    """`name` is the FEEL name; `arguments` belong to list, range and function (result last); `fields` to context."""

    name: str
    arguments: tuple[Type, ...] = ()
    fields: tuple[tuple[str, Type], ...] = ()

    def __str__(self) -> str:
        if self.fields:
            return "context<" + ", ".join(f"{key}: {kind}" for key, kind in self.fields) + ">"
        if self.name == "function" and self.arguments:
            inner = ", ".join(str(kind) for kind in self.arguments[:-1])
            return f"function<{inner}> -> {self.arguments[-1]}"
        return f"{self.name}<{self.arguments[0]}>" if self.arguments else self.name


ANY = Type("Any")
NULL = Type("Null")
BOOLEAN, NUMBER, STRING = Type("boolean"), Type("number"), Type("string")
_SIMPLE = {
    "any": ANY,
    "null": NULL,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "string": STRING,
    "date": Type("date"),
    "time": Type("time"),
    "date and time": Type("date and time"),
    "dateTime": Type("date and time"),
    "days and time duration": Type("days and time duration"),
    "day time duration": Type("days and time duration"),
    "dayTimeDuration": Type("days and time duration"),
    "years and months duration": Type("years and months duration"),
    "year month duration": Type("years and months duration"),
    "yearMonthDuration": Type("years and months duration"),
    "list": Type("list"),
    "context": Type("context"),
    "range": Type("range"),
    "function": Type("function"),
    "Any": ANY,
    "Null": NULL,
}


def named_type(name: str) -> Type | None:
    """The built-in type of that name (also the XML attribute spellings), None if there is none."""
    return _SIMPLE.get(name)


def from_node(node: ast.TypeNode) -> Type | None:
    """The type that a type expression means, None if a name in it is unknown."""
    if node.fields:
        fields = [(key, from_node(kind)) for key, kind in node.fields]
        known = tuple((key, kind) for key, kind in fields if kind is not None)
        return Type("context", (), known) if len(known) == len(fields) else None
    if node.arguments:
        arguments = [from_node(kind) for kind in node.arguments]
        found = tuple(kind for kind in arguments if kind is not None)
        return Type(node.name, found) if len(found) == len(arguments) else None
    return named_type(node.name)


def is_instance(value: Any, wanted: Type, run: Run) -> bool:
    """`value instance of wanted`. null is an instance of Null only (§10.3.2.9.2; Any excludes it as in the standard's table 49)."""
    run.tick()
    if value is None:
        return wanted.name == "Null"
    if wanted.name == "Any":
        return True
    kind = kind_of(value)
    if kind != wanted.name:
        return False
    if kind == "list" and wanted.arguments:
        return all(_fits(item, wanted.arguments[0], run) for item in value)
    if kind == "range" and wanted.arguments:
        return all(end is None or is_instance(end, wanted.arguments[0], run) for end in (value.low, value.high))
    if kind == "context" and wanted.fields:
        return all(key in value and _fits(value[key], inner, run) for key, inner in wanted.fields)
    if kind == "function" and wanted.arguments:
        return _function_fits(value, wanted)
    return True


def _fits(value: Any, wanted: Type, run: Run) -> bool:
    """Inside lists and contexts null belongs to every type (a missing value is still of the type)."""
    return value is None or is_instance(value, wanted, run)


def _function_fits(value: FeelFunction, wanted: Type) -> bool:
    """Parameters are contravariant; an undeclared parameter accepts Any."""
    if len(value.parameters) != len(wanted.arguments) - 1:
        return False
    for index, given in enumerate(wanted.arguments[:-1]):
        node = value.types[index] if index < len(value.types) else None
        declared = from_node(node) if isinstance(node, ast.TypeNode) else ANY
        if declared is not None and not conforms(given, declared):
            return False
    return True


def conforms(kind: Type, to: Type) -> bool:
    """Type conformance `kind <: to` (§10.3.2.9.3)."""
    if to.name == "Any" or kind.name == "Null" or kind == to:
        return True
    if kind.name != to.name:
        return False
    if to.fields:
        own = dict(kind.fields)
        return all(key in own and conforms(own[key], inner) for key, inner in to.fields)
    if not to.arguments or not kind.arguments:
        return not to.arguments
    if to.name == "function":
        if len(kind.arguments) != len(to.arguments):
            return False
        pairs = zip(kind.arguments[:-1], to.arguments[:-1], strict=True)
        return conforms(kind.arguments[-1], to.arguments[-1]) and all(conforms(given, own) for own, given in pairs)
    return conforms(kind.arguments[0], to.arguments[0])
