"""Sorting by what the database does not know: names and kinds of elements stand in the diagrams, so a search brings them along as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from engine.store import models as m
from engine.store.search import Source


def element_word(definition_key: int, element_id: str) -> str:
    """The entry of an element of a version in a table of words."""
    return f"{definition_key}/{element_id}"


def with_words(source: Source, words: Mapping[str, Mapping[str, str]]) -> Source:
    """A source of element events, for one search: each field in `words` is looked up by the entry of the row's element."""
    entry = cast(m.process_definition.c.key, Text) + literal("/") + m.element_event.c.element_id
    fields: dict[str, ColumnElement[Any]] = {name: Looked(literal(orjson.dumps(table).decode()), entry) for name, table in words.items()}
    return replace(source, fields={**source.fields, **fields}, for_one_search=True)


class Looked(FunctionElement[str]):
    """JSON object, entry: the text there, or NULL. XML ids have no quotes, so SQLite's path needs no escaping."""

    name = "looked"
    type = Text()
    inherit_cache = True


@compiles(Looked, "sqlite")
def _on_sqlite(element: Looked, compiler: SQLCompiler, **options: Any) -> str:
    table, entry = element.clauses
    return f"json_extract({compiler.process(table, **options)}, '$.\"' || {compiler.process(entry, **options)} || '\"')"


@compiles(Looked, "postgresql")
def _on_postgresql(element: Looked, compiler: SQLCompiler, **options: Any) -> str:
    table, entry = element.clauses
    return f"(CAST({compiler.process(table, **options)} AS JSONB) ->> ({compiler.process(entry, **options)}))"
