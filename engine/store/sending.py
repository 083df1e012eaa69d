"""How prepared statements reach a database's driver. SQLite runs each at once: it has no round trips.

On PostgreSQL a round trip and a statement cost more than the work of most statements. So what returns nothing waits until the next query of
the transaction or its commit and goes with it in one message, and statements that wait side by side and write different tables become one:
`WITH q0 AS (INSERT ...), q1 AS (UPDATE ...) DELETE ...`. Nothing is seen out of order: whatever runs on the connection sends what waits
first (`install`), savepoints among it; a rollback drops it. An error of a waiting statement comes with what sends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import Connection, Engine, event, exc

if TYPE_CHECKING:
    from engine.store.wire import Speaker

Values = dict[str, Any]
Processor = Callable[[Any], Any]
WAITING, SPEAKER = "waiting_statements", "speaker"
BEGIN, COMMIT = ("BEGIN", list[Any]()), ("COMMIT", list[Any]())
IDLE, IN_ERROR = 0, 3
"""What libpq says of a connection (PGTransactionStatusType)."""
_PARAMETER = re.compile(r"\$\d+")


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A statement for so many rows as one database's driver takes it: its SQL, what it writes (those with the same `subject` keep their
    order), where each parameter comes from (row, name in the row) and how it is written, how each column of the result is read."""

    sql: str
    subject: object
    binders: tuple[tuple[int, str, Processor | None], ...]
    readers: tuple[Processor | None, ...]
    constants: Values

    def bind(self, rows: Sequence[Values]) -> list[Any]:
        """The parameters in the order of the statement."""
        if self.constants:
            rows = [self.constants | row for row in rows]
        return [rows[i][name] if write is None else write(rows[i][name]) for i, name, write in self.binders]

    def read(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """The rows with the Python values of their columns."""
        readers = self.readers
        return [tuple([value if read is None else read(value) for value, read in zip(row, readers, strict=True)]) for row in rows]


Bound = tuple[Form, list[Any]]


def install(engine: Engine) -> None:
    """Send what waits on a PostgreSQL connection before anything else happens on it, and keep every rollback to ourselves: psycopg's own
    would have the server forget what is prepared there (wire.run_unheard)."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: send_waiting(connection))
    event.listen(engine, "commit", _before_commit)
    event.listen(engine, "rollback", _roll_back)
    event.listen(engine, "release_savepoint", _before_release)
    event.listen(engine, "rollback_savepoint", lambda connection, *_: _drop_waiting(connection))
    event.listen(engine, "do_execute", _roll_back_to_savepoint)
    event.listen(engine, "reset", _clear)


def postpone(connection: Connection, bound: Sequence[Bound]) -> None:
    """Have these statements wait for the next query or the commit."""
    connection.info.setdefault(WAITING, []).extend(bound)


def send_waiting(connection: Connection) -> None:
    """Run what waits."""
    if WAITING in connection.info:
        query_together(connection, [])


def send_and_commit(connection: Connection) -> None:
    """Run what waits and COMMIT in the same round trip; without anything that waits the caller's own commit is the cheaper one."""
    if WAITING in connection.info:
        _communicate(connection, [], commit=True)


def query_together(connection: Connection, queries: Sequence[Bound]) -> list[list[tuple[Any, ...]]]:
    """The rows of each query; what waits runs first."""
    answers = _communicate(connection, queries)
    return [form.read(rows) for (form, _), rows in zip(queries, answers, strict=True)]


def _communicate(connection: Connection, queries: Sequence[Bound], *, commit: bool = False) -> list[Any]:
    raw, speaker, waiting = driver(connection), _speaker(connection), connection.info.get(WAITING, [])
    statements: list[tuple[str, list[Any]]] = [] if raw.autocommit or not _is_idle(raw) else [BEGIN]
    statements += _merged(waiting)
    before = len(statements)
    statements += [(form.sql, values) for form, values in queries]
    statements += [COMMIT] if commit else []
    try:
        written = [speaker.write(sql, values) for sql, values in statements]  # what cannot be written leaves the others waiting
        connection.info.pop(WAITING, None)
        return speaker.ask(written)[before : before + len(queries)]
    except connection.dialect.loaded_dbapi.Error as error:
        failed(connection, error, "; ".join(dict.fromkeys(form.sql for form, _ in (*waiting, *queries))))


def _speaker(connection: Connection) -> Speaker:
    if SPEAKER not in connection.info:
        from engine.store.wire import Speaker  # psycopg is loaded where there is PostgreSQL

        connection.info[SPEAKER] = Speaker(driver(connection))
    speaker: Speaker = connection.info[SPEAKER]
    return speaker


def _is_idle(raw: Any) -> bool:
    idle: bool = raw.pgconn.transaction_status == IDLE
    return idle


def _before_commit(connection: Connection) -> None:
    """COMMIT of a transaction in which a statement failed is no error to PostgreSQL, it rolls back: nobody may take that for a commit."""
    send_waiting(connection)
    if driver(connection).pgconn.transaction_status == IN_ERROR:
        failed(connection, connection.dialect.loaded_dbapi.errors.InFailedSqlTransaction("a statement of it failed"), "COMMIT")


def _before_release(connection: Connection, name: str, _context: object) -> None:
    """An error of what waits has to undo the savepoint: to SQLAlchemy a release that fails leaves nothing to roll back to."""
    try:
        send_waiting(connection)
    except exc.DBAPIError:
        if not connection.invalidated:
            _drop_waiting(connection)
            _run_unheard(driver(connection), f"ROLLBACK TO SAVEPOINT {name}")
        raise


def _roll_back(connection: Connection) -> None:
    """Drop what waits, and roll back before psycopg does, which then has nothing to do."""
    if connection.invalidated:
        return
    _drop_waiting(connection)
    try:
        _end(driver(connection))
    except connection.dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)


def _roll_back_to_savepoint(cursor: Any, statement: str, _values: Any, _context: Any) -> bool:
    if not statement.startswith("ROLLBACK TO SAVEPOINT"):
        return False
    _run_unheard(cursor.connection, statement)
    return True


def _clear(raw: Any, record: Any, _state: Any) -> None:
    """Whatever way a connection comes back to the pool, its next user finds nothing of the last one's. An error closes it."""
    record.info.pop(WAITING, None)
    _end(raw)


def _end(raw: Any) -> None:
    if raw.closed or not _is_idle(raw):
        _run_unheard(raw, "ROLLBACK")


def _run_unheard(raw: Any, command: str) -> None:
    from engine.store.wire import run_unheard

    run_unheard(raw, command.encode())


def _drop_waiting(connection: Connection) -> None:
    if not connection.invalidated:  # a connection that was lost has forgotten already
        connection.info.pop(WAITING, None)


def _merged(waiting: Sequence[Bound]) -> Iterator[tuple[str, list[Any]]]:
    """The statements in as few as possible. Parts of one statement see the database as it was before it, so each table comes once."""
    group: dict[object, Bound] = {}
    for bound in waiting:
        if bound[0].subject in group:
            yield _one_of(list(group.values()))
            group = {}
        group[bound[0].subject] = bound
    if group:
        yield _one_of(list(group.values()))


def _one_of(group: list[Bound]) -> tuple[str, list[Any]]:
    return _joined(tuple(form for form, _ in group)), [value for _, values in group for value in values]


@lru_cache(maxsize=512)
def _joined(forms: tuple[Form, ...]) -> str:
    parts, offset = [], 0
    for form in forms:
        parts.append(_PARAMETER.sub(partial(_renumbered, offset), form.sql))
        offset += len(form.binders)
    *first, last = parts
    return ("WITH " + ", ".join(f"q{i} AS ({sql})" for i, sql in enumerate(first)) + " " if first else "") + last


def _renumbered(offset: int, parameter: re.Match[str]) -> str:
    return f"${int(parameter[0][1:]) + offset}"


def driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.dbapi_connection


def failed(connection: Connection, error: Exception, sql: str) -> NoReturn:
    """Raise the driver's error as SQLAlchemy does; parameters stay out of it, they are people's data."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, driver(connection), None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
        connection.engine.dispose(close=False)  # the other pooled connections are as old as this one
    raise exc.DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    ) from error
