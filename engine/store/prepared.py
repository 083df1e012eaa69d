"""Statements of the hot path: SQLAlchemy Core writes their SQL once for each database, then the driver runs them itself.

Core spends 15 to 50 microseconds on an execution, the driver 2 to 5; a completed task is ten statements. Values pass through the same type
processors as everywhere else, errors come out as SQLAlchemy's, and a lost connection leaves the pool as it does there. Several statements
are sent together: on PostgreSQL in one round trip (pipeline mode), on SQLite, which has no round trips, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Connection, Dialect, Insert, Select, bindparam, exc
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

Values = dict[str, Any]
Processor = Callable[[Any], Any]
FEW_ROWS, ROWS_AT_ONCE = 16, 50
Clause = Executable | Callable[[str], Executable]


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement for so many rows as one database's driver takes it: its SQL, where each parameter comes from (name in the driver's
    statement, row, name in the row) and how it is written, how each column of the result is read."""

    sql: str
    positional: bool
    binders: tuple[tuple[str, int, str, Processor | None], ...]
    readers: tuple[Processor | None, ...]
    constants: dict[str, Any]

    def bind(self, rows: Sequence[Values]) -> Any:
        if self.constants:
            rows = [self.constants | row for row in rows]
        if self.positional:
            return [rows[i][name] if write is None else write(rows[i][name]) for _, i, name, write in self.binders]
        return {bound: rows[i][name] if write is None else write(rows[i][name]) for bound, i, name, write in self.binders}

    def read(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        readers = self.readers
        return [tuple([value if read is None else read(value) for value, read in zip(row, readers, strict=True)]) for row in rows]


class Prepared:
    """One Core statement whose parameters are `bindparam`s, the named `columns` of an UPDATE, or the columns of an INSERT's rows.

    `clause` may be a function of the database's name where the two need different constructs (ON CONFLICT). All rows of an INSERT must
    have the same columns, those with a Python-side default among them: defaults are not applied here.
    """

    __slots__ = ("_clause", "_columns", "_forms")

    def __init__(self, clause: Clause, *columns: str) -> None:
        self._clause, self._columns, self._forms = clause, columns, dict[tuple[str, int], _Form]()

    @property
    def inserts(self) -> bool:
        """One statement then takes several rows."""
        return not isinstance(self._clause, Executable) or isinstance(self._clause, Insert)

    def form(self, dialect: Dialect, values: Values, rows: int = 1) -> _Form:
        """The statement for this database and so many rows, compiled on first use with these values' names."""
        form = self._forms.get((dialect.name, rows))
        if form is None:
            form = self._forms[dialect.name, rows] = self._compile(dialect, values, rows)
        return form

    def _compile(self, dialect: Dialect, values: Values, rows: int) -> _Form:
        clause, columns = self._clause if isinstance(self._clause, Executable) else self._clause(dialect.name), list(self._columns)
        sources = {column: (0, column) for column in columns}
        if isinstance(clause, Insert):
            sources = {f"{column}__{i}": (i, column) for i in range(rows) for column in values}
            types = {column: clause.table.c[column].type for column in values}
            clause = clause.values([{column: bindparam(f"{column}__{i}", type_=types[column]) for column in values} for i in range(rows)])
            columns = []
        compiled = clause.compile(dialect=dialect, column_keys=columns or None)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        names = compiled.positiontup if compiled.positional else list(compiled.binds)
        binders = []
        for name in names or ():
            row, source = sources.get(name, (0, name))
            binders.append((name, row, source, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)))
        readers = tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in _result_columns(clause))
        constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        return _Form(compiled.string, compiled.positional, tuple(binders), readers, constants)


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
        """Run `statement` once for each row."""
        if rows:
            self._items.append((statement, rows))

    def send(self, connection: Connection) -> None:
        """Run all of it."""
        raw, dialect = _driver(connection), connection.dialect
        bound = [(form.sql, form.bind(rows)) for form, rows in self._in_forms(dialect)]
        try:
            if dialect.name == "postgresql":
                with raw.pipeline(), raw.cursor() as cursor:
                    for sql, values in bound:
                        cursor.execute(sql, values)
            else:
                for sql, values in bound:
                    raw.execute(sql, values)
        except dialect.loaded_dbapi.Error as error:
            _fail(connection, error, "; ".join(dict.fromkeys(sql for sql, _ in bound)))

    def _in_forms(self, dialect: Dialect) -> Iterator[tuple[_Form, Sequence[Values]]]:
        """An INSERT takes many rows at once: a few, or blocks of ROWS_AT_ONCE, so that few forms are compiled."""
        for statement, rows in self._items:
            at_once = (len(rows) if len(rows) <= FEW_ROWS else ROWS_AT_ONCE) if statement.inserts else 1
            whole = len(rows) - len(rows) % at_once
            for first in range(0, whole, at_once):
                yield statement.form(dialect, rows[0], at_once), rows[first : first + at_once]
            for row in rows[whole:]:
                yield statement.form(dialect, row), [row]


def run_text(connection: Connection, sql: str) -> None:
    """Run SQL as it stands: BEGIN and the like."""
    try:
        _driver(connection).execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        _fail(connection, error, sql)


def run(connection: Connection, statement: Prepared, values: Values) -> None:
    """Run one statement that returns nothing."""
    form = statement.form(connection.dialect, values)
    try:
        _driver(connection).execute(form.sql, form.bind([values]))
    except connection.dialect.loaded_dbapi.Error as error:
        _fail(connection, error, form.sql)


def fetch(connection: Connection, statement: Prepared, values: Values) -> list[tuple[Any, ...]]:
    """All rows of one query."""
    form = statement.form(connection.dialect, values)
    try:
        return form.read(_driver(connection).execute(form.sql, form.bind([values])).fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        _fail(connection, error, form.sql)


def fetch_together(connection: Connection, queries: Sequence[tuple[Prepared, Values]]) -> list[list[tuple[Any, ...]]]:
    """The rows of each query. They run in order, each sees what was committed before it began (a lock that the first one waited for)."""
    dialect = connection.dialect
    if dialect.name != "postgresql":
        return [fetch(connection, statement, values) for statement, values in queries]
    raw, forms = _driver(connection), [(statement.form(dialect, values), values) for statement, values in queries]
    try:
        with raw.pipeline():
            cursors = [raw.cursor().execute(form.sql, form.bind([values])) for form, values in forms]
        return [form.read(cursor.fetchall()) for (form, _), cursor in zip(forms, cursors, strict=True)]
    except dialect.loaded_dbapi.Error as error:
        _fail(connection, error, "; ".join(form.sql for form, _ in forms))


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _fail(connection: Connection, error: Exception, sql: str) -> NoReturn:
    """Raise the driver's error as SQLAlchemy does; parameters stay out of it, they are people's data."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
        connection.engine.dispose(close=False)  # the other pooled connections are as old as this one
    raise exc.DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    ) from error
