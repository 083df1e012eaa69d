"""Conditions on the variables of process instances, for searches: by name and value, the short ones through their index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, exists, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from engine.store import models as m
from engine.store.models import SHORT_VALUE
from engine.store.search import Condition, Parametrised, Special, compare


class JsonText(FunctionElement[str]):
    """A variable's JSON as text: it is kept as bytes."""

    name = "json_text"
    type = Text()
    inherit_cache = True


@compiles(JsonText, "sqlite")
def _text_on_sqlite(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS TEXT)"


@compiles(JsonText, "postgresql")
def _text_on_postgresql(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    return f"convert_from({compiler.process(element.clauses, **options)}, 'UTF8')"


def _instances_with(name: Any, value: Any) -> Select[Any]:
    """The instances whose own variable has this value, by the index on short values: its condition must stand here word for word."""
    short = and_(m.variable.c.scope_id == literal_column("0"), func.length(m.variable.c.value) <= literal_column(str(SHORT_VALUE)))
    return select(m.variable.c.instance_key).where(m.variable.c.name == name, m.variable.c.value == value, short)


def with_variable(instance_key: ColumnElement[int], scope: ColumnElement[int] | int) -> Special:
    """The instance has a variable of a name and value; the condition's value is (name, condition on the JSON text)."""

    def holds(condition: Condition) -> ColumnElement[bool]:
        name, value = condition.value
        here = and_(m.variable.c.instance_key == instance_key, m.variable.c.scope_id == scope, m.variable.c.name == name)
        if value.operator == "exists":
            found = exists().where(here)
            return found if value.value else ~found
        if value.operator == "eq" and scope == 0 and len(value.value.encode()) <= SHORT_VALUE:
            return instance_key.in_(_instances_with(name, value.value.encode()))
        return exists().where(here, compare(JsonText(m.variable.c.value), value))

    return holds


def _short_value(condition: Condition) -> Sequence[Any] | None:
    """Name and JSON of a variable that is asked for by a short value."""
    name, value = condition.value
    if value.operator != "eq" or value.value is None:
        return None
    json = value.value.encode()
    return (name, json) if len(json) <= SHORT_VALUE else None


def with_short_value(instance_key: ColumnElement[int]) -> Parametrised:
    """The same condition with parameters, for own variables of instances and short values: what lists are filtered by."""
    types = (m.variable.c.name.type, m.variable.c.value.type)
    return Parametrised(_short_value, types, lambda name, value: instance_key.in_(_instances_with(name, value)))
