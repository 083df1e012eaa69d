"""Statements of the hot path: SQLAlchemy Core writes their SQL once for each database, then the driver runs them itself.

Core spends 15 to 50 microseconds on an execution, the driver 2 to 5; a completed task is ten statements. Values pass through the type
processors of their columns, errors come out as SQLAlchemy's, and a lost connection leaves the pool as it does there. What returns nothing
waits on PostgreSQL for the next query or the commit and goes there with it (engine.store.sending, docs/decisions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Integer, Select, bindparam
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import JSON, LargeBinary, TypeEngine

from engine.store.sending import Form, Processor, Values, driver, failed, postpone, query_together

FEW_ROWS, ROWS_AT_ONCE = 16, 50
Clause = Executable | Callable[[str], Executable]


class Prepared:
    """One Core statement whose parameters are `bindparam`s, the named `columns` of an UPDATE, or the columns of an INSERT's rows.

    `clause` may be a function of the database's name where the two need different constructs (ON CONFLICT). All rows of an INSERT must
    have the same columns, those with a Python-side default among them: defaults are not applied here. `apart`: its rows are never those of
    another statement on the table that waits beside it, so their order does not matter.
    """

    __slots__ = ("_apart", "_clause", "_columns", "_forms", "inserts")

    def __init__(self, clause: Clause, *columns: str, apart: bool = False) -> None:
        self._apart = apart
        self._clause, self._columns, self._forms = clause, columns, dict[tuple[str, int], Form]()
        self.inserts = not isinstance(clause, Executable) or isinstance(clause, Insert)
        """One statement then takes several rows."""

    def form(self, dialect: Dialect, values: Values, rows: int = 1) -> Form:
        """The statement for this database and so many rows, compiled on first use with these values' names."""
        form = self._forms.get((dialect.name, rows))
        if form is None:
            form = self._forms[dialect.name, rows] = self._compile(dialect, values, rows)
        return form

    def _compile(self, dialect: Dialect, values: Values, rows: int) -> Form:
        clause, columns = self._clause if isinstance(self._clause, Executable) else self._clause(dialect.name), list(self._columns)
        sources = {column: (0, column) for column in columns}
        subject = self if self._apart else getattr(clause, "table", None)
        if isinstance(clause, Insert) and clause.select is None:
            sources = {f"{column}__{i}": (i, column) for i in range(rows) for column in values}
            types = {column: clause.table.c[column].type for column in values}
            clause = clause.values([{column: bindparam(f"{column}__{i}", type_=types[column]) for column in values} for i in range(rows)])
            columns = []
        compiled = clause.compile(dialect=_writing(dialect), column_keys=columns or None)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        binders = []
        for name in compiled.positiontup or ():
            row, source = sources.get(name, (0, name))
            binders.append((row, source, _writer(compiled.binds[name].type, dialect)))
        readers = tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in _result_columns(clause))
        constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        return Form(compiled.string, subject, tuple(binders), readers, constants)


@cache
def _writing(dialect: Dialect) -> Dialect:
    """The dialect that writes the SQL. psycopg takes `$1` as it stands, which spares it to look for `%(name)s` in every statement."""
    if dialect.name != "postgresql":
        return dialect
    make: Callable[..., Dialect] = type(dialect)
    return make(paramstyle="numeric_dollar")


def _writer(type_: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """What makes the driver's value of a parameter. PostgreSQL gets numbers and JSON as text beside the cast that SQLAlchemy writes: the
    driver would choose the parameter's type by the size of the number, and each choice would be prepared anew."""
    impl = type_.dialect_impl(dialect)
    write: Processor | None = impl.bind_processor(dialect)
    if isinstance(impl, LargeBinary):
        write = None  # both drivers take bytes as they are
    elif dialect.name == "postgresql" and isinstance(impl, Integer):
        write = _digits
    elif dialect.name == "postgresql" and isinstance(impl, JSON):
        write = JSON.bind_processor(impl, dialect)  # type: ignore[no-untyped-call]
    return write


def _digits(value: int | None) -> str | None:
    return None if value is None else f"{value:d}"


def _result_columns(clause: Any) -> Sequence[Any]:
    if isinstance(clause, Select):
        return list(clause.selected_columns)
    return list(getattr(clause, "_returning", ()))


class Batch:
    """Statements that are sent together, in order. Parameters of one statement are a list of rows; without rows it is left out."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: list[tuple[Prepared, Sequence[Values]]] = []

    def add(self, statement: Prepared, rows: Sequence[Values]) -> None:
        """Run `statement` once for each row. An INSERT takes many rows at once: a few, or blocks of ROWS_AT_ONCE, so that few forms are
        compiled."""
        if rows:
            self._items.append((statement, rows))

    def send(self, connection: Connection) -> None:
        """Run all of it, on PostgreSQL with the next query or the commit."""
        dialect, bound = connection.dialect, []
        for statement, rows in self._items:
            count = len(rows)
            at_once = (count if count <= FEW_ROWS else ROWS_AT_ONCE) if statement.inserts else 1
            whole = count - count % at_once
            for first in range(0, whole, at_once):
                form = statement.form(dialect, rows[0], at_once)
                bound.append((form, form.bind(rows[first : first + at_once])))
            for row in rows[whole:]:
                form = statement.form(dialect, row)
                bound.append((form, form.bind([row])))
        _send(connection, bound)


def run(connection: Connection, statement: Prepared, values: Values) -> None:
    """Run one statement that returns nothing, on PostgreSQL with the next query or the commit."""
    form = statement.form(connection.dialect, values)
    _send(connection, [(form, form.bind([values]))])


def _send(connection: Connection, bound: list[tuple[Form, list[Any]]]) -> None:
    if connection.dialect.name == "postgresql":
        postpone(connection, bound)
        return
    raw, sql = driver(connection), ""
    try:
        for form, values in bound:
            sql = form.sql
            raw.execute(sql, values)
    except connection.dialect.loaded_dbapi.Error as error:
        failed(connection, error, sql)


def run_text(connection: Connection, sql: str) -> None:
    """Run SQL as it stands: BEGIN and the like."""
    try:
        driver(connection).execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        failed(connection, error, sql)


def fetch(connection: Connection, statement: Prepared, values: Values) -> list[tuple[Any, ...]]:
    """All rows of one query."""
    form = statement.form(connection.dialect, values)
    if connection.dialect.name == "postgresql":
        return query_together(connection, [(form, form.bind([values]))])[0]
    try:
        return form.read(driver(connection).execute(form.sql, form.bind([values])).fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        failed(connection, error, form.sql)


def fetch_together(connection: Connection, queries: Sequence[tuple[Prepared, Values]]) -> list[list[tuple[Any, ...]]]:
    """The rows of each query. They run in order, each sees what was committed before it began (a lock that the first one waited for)."""
    dialect = connection.dialect
    if dialect.name != "postgresql":
        return [fetch(connection, statement, values) for statement, values in queries]
    forms = [(statement.form(dialect, values), values) for statement, values in queries]
    return query_together(connection, [(form, form.bind([values])) for form, values in forms])
