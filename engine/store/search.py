"""Searching the engine's tables as clients ask: conditions on named fields, an order, and pages by cursor or by offset.

A cursor holds the sort values and the key of the row at a page's edge, so a page stays right while rows come and go, and the next page
costs the same wherever it begins. What can be searched is a `Source`; engine.store.search_sources has them.
"""

from __future__ import annotations

import base64
import binascii
import operator
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Integer, Label, Row, Select, and_, bindparam, false, func, literal, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import True_
from sqlalchemy.sql.functions import FunctionElement

from engine.errors import Invalid
from engine.store.database import Instant
from engine.store.prepared import Prepared, fetch
from engine.store.search_shapes import Condition, Operator, Parametrised, Part, named, parameters, part_of, with_parameters

__all__ = ["AnyOf", "Condition", "Operator", "Order", "Page", "PageRequest", "Parametrised", "Source", "compare", "first", "like", "search"]

MAX_LIMIT = 10_000
DEFAULT_LIMIT = 100
MAX_OFFSET = 1_000_000
COUNTED = 10_000
"""Results are counted up to here: counting millions costs more than showing them."""
SHAPES = 512
"""So many statements are kept ready; a client that asks for ever new ones pushes the oldest out."""


class CursorInvalid(Invalid):
    """游标无效，或者不属于这个排序。

    The cursor is not valid, or belongs to another sort order.
    """

    code = "cursor_invalid"
    status = 400


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Groups of conditions of which at least one holds as a whole."""

    groups: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """One field to sort by."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: from an offset, after a cursor, or before one."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, with the columns of the source's statement as attributes. `total` counts to COUNTED at most; `has_more_total` says
    that there are more. No rows: no cursors."""

    rows: Sequence[Any]
    total: int
    has_more_total: bool
    start_cursor: str | None
    end_cursor: str | None


Special = Callable[[Condition], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What can be searched. `statement` selects the columns of a row; `fields`: name -> column to compare and sort by; `special`: names
    that need more than a column (candidates, variables); `parametrised`: how the usual ones of those are written with parameters; `keys`:
    the columns that together are unique and settle every order; `for_one_search`: made of what one search asks, so that its statements are
    not kept."""

    statement: Select[Any]
    fields: Mapping[str, ColumnElement[Any]]
    keys: tuple[ColumnElement[Any], ...]
    special: Mapping[str, Special] = field(default_factory=dict)
    parametrised: Mapping[str, Parametrised] = field(default_factory=dict)
    for_one_search: bool = False


def search(
    session: Session,
    source: Source,
    conditions: Sequence[Condition | AnyOf] = (),
    orders: Sequence[Order] = (),
    page: PageRequest | None = None,
    *,
    visible: ColumnElement[bool] | None = None,
) -> Page:
    """The page of rows that fulfil every condition. Raises CursorInvalid, and KeyError for a field that the source has not.

    `visible` is the SQL twin of the policy for this actor: what it hides is neither shown nor counted.
    """
    page = page or PageRequest()
    shaped = _shaped(source, conditions, orders, page, visible)
    if shaped is None:
        rows, count = _written_anew(session, source, conditions, orders, page, visible)
    else:
        rows, count = _by_shape(session, shaped, page)
    whole = page.after is None and page.before is None and len(rows) < page.limit and (rows or not page.offset)
    counted = page.offset + len(rows) if whole else count()  # a page that is not full ends the list
    marks = len(orders) + len(source.keys)
    return Page(
        rows=rows,
        total=min(counted, COUNTED),
        has_more_total=counted > COUNTED,
        start_cursor=_cursor(rows[0][-marks:]) if rows else None,
        end_cursor=_cursor(rows[-1][-marks:]) if rows else None,
    )


def first(
    session: Session, source: Source, conditions: Sequence[Condition | AnyOf], *, visible: ColumnElement[bool] | None = None
) -> Any | None:
    """The first row that fulfils every condition and may be seen, None when there is none; nothing is counted."""
    page = PageRequest(limit=1)
    shaped = _shaped(source, conditions, (), page, visible)
    found = _written_anew(session, source, conditions, (), page, visible) if shaped is None else _by_shape(session, shaped, page)
    return found[0][0] if found[0] else None


SortKey = tuple[ColumnElement[Any], bool]
Found = tuple[Sequence[Any], Callable[[], int]]
"""The rows of a page, and how to count all."""


def _sort_keys(source: Source, orders: Sequence[Order]) -> list[SortKey]:
    return [(source.fields[order.field], order.descending) for order in orders] + [(key, False) for key in source.keys]


def _counting(source: Source, statement: Select[Any]) -> Select[Any]:
    return select(func.count()).select_from(statement.with_only_columns(*source.keys).limit(COUNTED + 1).subquery())


# ---------------------------------------------------------------------- searches that share a statement
@dataclass(frozen=True, slots=True)
class _Statements:
    rows: Prepared
    count: Prepared
    row: Callable[[Sequence[Any]], Any]


def _shaped(
    source: Source,
    conditions: Sequence[Condition | AnyOf],
    orders: Sequence[Order],
    page: PageRequest,
    visible: ColumnElement[bool] | None,
) -> tuple[_Statements, dict[str, Any]] | None:
    """The statements of the search's shape and its values; None when it has none, as for who does not see everything."""
    if source.for_one_search or page.after is not None or page.before is not None or not (visible is None or isinstance(visible, True_)):
        return None
    parts, values = [], []
    for condition in conditions:
        found = part_of(condition, source.special, source.parametrised)
        if found is None:
            return None
        parts.append(found[0])
        values.append(found[1])
    return _statements(source, tuple(parts), tuple(orders), page.offset > 0), named(values)


@lru_cache(maxsize=SHAPES)
def _statements(source: Source, parts: tuple[Part, ...], orders: tuple[Order, ...], with_offset: bool) -> _Statements:
    statement = source.statement.where(*(_with_parameters(source, part, number) for number, part in enumerate(parts)))
    ordered = _ordered(statement, _sort_keys(source, orders)).limit(bindparam("page_limit", type_=Integer()))
    if with_offset:
        ordered = ordered.offset(bindparam("page_offset", type_=Integer()))
    names = namedtuple("names", [column.key for column in ordered.selected_columns], rename=True)  # type: ignore[misc]  # known now
    return _Statements(Prepared(ordered), Prepared(_counting(source, statement)), names._make)


def _with_parameters(source: Source, part: Part, number: int) -> ColumnElement[bool]:
    if part.field in source.parametrised:
        special = source.parametrised[part.field]
        return special.clause(*parameters(number, special.types))
    column = source.fields[part.field]
    return compare(column, with_parameters(part, parameters(number, [column.type] * part.count)))


def _by_shape(session: Session, shaped: tuple[_Statements, dict[str, Any]], page: PageRequest) -> Found:
    statements, values = shaped
    session.flush()
    connection = session.connection()
    paged = values | {"page_limit": page.limit, "page_offset": page.offset}
    rows = [statements.row(row) for row in fetch(connection, statements.rows, paged)]
    return rows, lambda: int(fetch(connection, statements.count, values)[0][0])


# ---------------------------------------------------------------------- searches that are written anew
def _written_anew(
    session: Session,
    source: Source,
    conditions: Sequence[Condition | AnyOf],
    orders: Sequence[Order],
    page: PageRequest,
    visible: ColumnElement[bool] | None,
) -> Found:
    wanted = [_holds(source, condition) for condition in conditions]
    if visible is not None:
        wanted.append(visible)
    statement = source.statement.where(*wanted)
    rows = _rows(session, statement, _sort_keys(source, orders), page)
    return rows, lambda: session.scalar(_counting(source, statement)) or 0


def _rows(session: Session, statement: Select[Any], keys: Sequence[SortKey], page: PageRequest) -> list[Row[Any]]:
    backwards = page.before is not None
    keys = [(column, descending != backwards) for column, descending in keys]
    cursor = page.before or page.after
    if cursor is not None:
        statement = statement.where(_beyond(keys, _marks(cursor, keys)))
    # a page without rows (limit 0) is asked for by who only wants the total
    ordered = _ordered(statement, keys).limit(page.limit)
    if cursor is None:
        ordered = ordered.offset(page.offset)
    rows = list(session.execute(ordered).all())
    return rows[::-1] if backwards else rows


def _ordered(statement: Select[Any], keys: Sequence[SortKey]) -> Select[Any]:
    """In the order of the keys, whose values come last in each row: cursors are made of them."""
    marks: list[Label[Any]] = [column.label(f"mark_{number}") for number, (column, _) in enumerate(keys)]
    return statement.add_columns(*marks).order_by(*(_direction(*key) for key in keys))


def _direction(column: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    # the two databases put NULL at different ends unless they are told
    return column.desc().nulls_first() if descending else column.asc().nulls_last()


def _beyond(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that come after the row with these values in the order of the keys; NULL counts as the largest value."""
    options = []
    same: list[ColumnElement[bool]] = []
    for (column, descending), value in zip(keys, values, strict=True):
        options.append(and_(*same, _after(column, descending, value)))
        same.append(column.is_(None) if value is None else column == value)
    return or_(*options)


def _after(column: ColumnElement[Any], descending: bool, value: Any) -> ColumnElement[bool]:
    if value is None:
        return column.is_not(None) if descending else false()
    mark = literal(value, column.type)  # as a parameter: True and False themselves cannot be compared
    return column < mark if descending else or_(column > mark, column.is_(None))


def _cursor(values: Sequence[Any]) -> str:
    plain = [["t", value.isoformat()] if isinstance(value, datetime) else ["v", value] for value in values]
    return base64.b64encode(orjson.dumps(plain)).decode()  # clients check the alphabet and the padding


def _marks(cursor: str, keys: Sequence[SortKey]) -> list[Any]:
    try:
        plain = orjson.loads(base64.b64decode(cursor, validate=True))
        values = [datetime.fromisoformat(value) if kind == "t" else value for kind, value in plain]
    except (binascii.Error, ValueError, TypeError):
        raise CursorInvalid from None
    if len(values) != len(keys) or not all(_fits(value, column) for value, (column, _) in zip(values, keys, strict=True)):
        raise CursorInvalid
    return values


def _fits(value: Any, column: ColumnElement[Any]) -> bool:
    """Cursors come back from strangers: a value of another type than the column's must not reach the database."""
    if value is None:
        return True
    expected = datetime if isinstance(column.type, Instant) else column.type.python_type
    if isinstance(value, str) and "\0" in value:
        return False
    if isinstance(value, datetime):
        return expected is datetime and value.tzinfo is not None
    if isinstance(value, int) and not isinstance(value, bool):
        return expected is int and abs(value) < 2**63
    return isinstance(value, expected)


def _holds(source: Source, condition: Condition | AnyOf) -> ColumnElement[bool]:
    if isinstance(condition, AnyOf):
        return or_(*(and_(true(), *(_holds(source, one) for one in group)) for group in condition.groups))
    if condition.field in source.special:
        return source.special[condition.field](condition)
    return compare(source.fields[condition.field], condition)


def like(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """`*` stands for any text, `?` for one character, a backslash before them for themselves; upper and lower case differ."""
    parts = pattern_parts(pattern)
    glob = "".join("*" if p is ANY else "?" if p is ONE else f"[{p}]" if p in "*?[" else p for p in parts)
    sql = "".join("%" if p is ANY else "_" if p is ONE else f"\\{p}" if p in "%_\\" else p for p in parts)
    return Wildcards(column, glob, sql)


class Wildcards(FunctionElement[bool]):
    """column, GLOB pattern, LIKE pattern: SQLite's LIKE ignores case, so GLOB does there what LIKE does on PostgreSQL."""

    name = "wildcards"
    type = Boolean()
    inherit_cache = True


@compiles(Wildcards, "sqlite")
def _glob(element: Wildcards, compiler: SQLCompiler, **options: Any) -> str:
    column, glob, _like = element.clauses
    return f"{compiler.process(column, **options)} GLOB {compiler.process(glob, **options)}"


@compiles(Wildcards, "postgresql")
def _like(element: Wildcards, compiler: SQLCompiler, **options: Any) -> str:
    column, _glob, pattern = element.clauses
    return f"{compiler.process(column, **options)} LIKE {compiler.process(pattern, **options)}"


ANY, ONE = "any text", "one character"  # no single character, so told apart from every literal one


def pattern_parts(pattern: str) -> list[str]:
    """The characters of a pattern with wildcards; ANY and ONE stand for the unescaped ones."""
    parts: list[str] = []
    escaped = False
    for character in pattern:
        if not escaped and character == "\\":
            escaped = True
            continue
        special = {"*": ANY, "?": ONE}.get(character, character)
        parts.append(character if escaped else special)
        escaped = False
    return [*parts, "\\"] if escaped else parts


_COMPARISONS: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column.is_(None) if value is None else column == value,
    "neq": lambda column, value: column.is_not(None) if value is None else or_(column != value, column.is_(None)),
    "exists": lambda column, value: column.is_not(None) if value else column.is_(None),
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda column, value: column.in_(value),
    "notIn": lambda column, value: or_(column.not_in(value), column.is_(None)),
    "like": like,
}


def compare(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    """The condition on a column; rows without a value fulfil "neq" and "notIn"."""
    return _COMPARISONS[condition.operator](column, condition.value)
