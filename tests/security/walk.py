"""Walks every address of the application with something in each of its places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that can be asked. `name`: method and rule as in the code; `address`: with its places filled."""

    name: str
    method: str
    address: str
    numbered: bool


def asks(app: Flask, numbers: Mapping[str, int] | None = None) -> Iterator[Ask]:
    """Every rule and method. `numbers`: name of a place, or `<first part of the address>.<name>`, -> the number to put there, else 1."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Ask(f"{method} {rule.rule}", method, _address(rule, numbers or {}), _is_numbered(rule))


def _address(rule: Rule, numbers: Mapping[str, int]) -> str:
    first = rule.rule.removeprefix("/v2").strip("/").partition("/")[0]
    values: dict[str, object] = {}
    for name, converter in rule._converters.items():
        items = getattr(converter, "items", None)
        number = numbers.get(f"{first}.{name}", numbers.get(name, 1))
        values[name] = sorted(items)[0] if items else number if _is_number(converter) else "a"
    built = rule.build(values)
    assert built is not None, rule
    return built[1]


def _is_number(converter: object) -> bool:
    return type(converter).__name__ in {"KeyConverter", "RowConverter"}


def _is_numbered(rule: Rule) -> bool:
    """Whether the rule speaks of one thing by its number."""
    return any(_is_number(converter) for converter in rule._converters.values())
