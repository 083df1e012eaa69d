"""Talking to PostgreSQL: all statements in one message, all answers in one wait.

psycopg's own pipeline sends each statement by itself and waits for BEGIN before it goes on: four times as long for two small queries
(docs/decisions). This is its documented wrapper of libpq (`psycopg.pq`) with its own adaptation of values; errors are its own, too.
After a message the connection is as it was before it or closed, never in between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import DataError, OperationalError, errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import execute, fetch_many, send

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.abc import Buffer, PQGen
    from psycopg.pq.abc import PGconn, PGresult

Rows = list[tuple[Any, ...]]
Key = tuple[str, tuple[int, ...]]

MAX_PREPARED = 300
"""Prepared statements that a connection keeps; the one unused for longest goes first."""
_FAILED = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED})
_OUTDATED = errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement, errors.FeatureNotSupported
"""The server has forgotten a prepared statement, or knows one that we do not, or "cached plan must not change result type": a table was
altered under it."""


class Written(NamedTuple):
    """A statement as libpq takes it. The same SQL with values of other types is another prepared statement."""

    sql: str
    values: Sequence[Buffer | None] | None
    types: tuple[int, ...]
    formats: Sequence[pq.Format] | None


class _Whole:
    """A conversation that must come to its end: whatever interrupts it, a signal or a statement that libpq refuses, closes the connection,
    because nobody knows what is still to come on it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        pass

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            self._connection.close()


class Speaker:
    """Speaks on one connection, and remembers what it has prepared there. Nobody else may make the server forget that: psycopg does
    whenever it rolls back itself (see run_unheard)."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection, self._adapting = connection, Transformer.from_context(connection)
        self._prepared, self._unused = OrderedDict[Key, bytes](), list[bytes]()
        self._numbers = count(1)

    def write(self, sql: str, values: Sequence[Any]) -> Written:
        """A statement and its values, ready to be sent. Raises psycopg's DataError for a value that PostgreSQL has no place for."""
        if not values:
            return Written(sql, None, (), None)
        try:
            dumped = self._adapting.dump_sequence(values, [PyFormat.AUTO] * len(values))
        except UnicodeEncodeError as error:
            raise DataError("half of a surrogate pair is no character") from error
        return Written(sql, dumped, self._adapting.types or (), self._adapting.formats)

    def ask(self, statements: Sequence[Written]) -> list[Rows]:
        """Run the statements in order -> the rows of each. Raises psycopg's error of the first that fails; those after it did not run.

        A connection that was lost is closed then, and so is one whose prepared statements are no longer what they were.
        """
        libpq, rows = self._connection.pgconn, list[Rows]()
        with _Whole(self._connection):
            libpq.enter_pipeline_mode()
            takers = list(self._send(statements, rows))
            libpq.pipeline_sync()
            answers = self._connection.wait(_answers(libpq, len(takers) + 1))
            libpq.exit_pipeline_mode()
        for take, result in zip(takers, answers, strict=False):
            if result.status in _FAILED:
                self._fail(result)
            take(result)
        if len(answers) <= len(takers):
            self._connection.close()
            raise OperationalError("the server went away before it had answered everything")
        return rows

    def _fail(self, result: PGresult) -> None:
        error = errors.error_from_result(result, encoding=self._connection.info.encoding)
        if isinstance(error, _OUTDATED):
            self._connection.close()
            raise OperationalError(f"the connection has to be opened anew: {error}") from error
        raise error

    def _send(self, statements: Sequence[Written], rows: list[Rows]) -> Iterator[Callable[[PGresult], object]]:
        """Hand everything to libpq -> what takes each answer."""
        libpq, new = self._connection.pgconn, dict[Key, bytes]()
        for name in self._unused:
            libpq.send_query_params(b"DEALLOCATE " + name, None)
            yield partial(self._forget, name)
        for sql, values, types, formats in statements:
            key = sql, types
            prepared = self._prepared.get(key) or new.get(key)
            if prepared is None:
                prepared = new[key] = b"lianban_%d" % next(self._numbers)
                libpq.send_prepare(prepared, sql.encode(), types)
                yield partial(self._keep, key, prepared)
            elif key in self._prepared:
                self._prepared.move_to_end(key)
            libpq.send_query_prepared(prepared, values, formats)
            yield lambda result: rows.append(self._read(result))

    def _keep(self, key: Key, name: bytes, _result: PGresult) -> None:
        self._prepared[key] = name
        if len(self._prepared) > MAX_PREPARED:
            self._unused.append(self._prepared.popitem(last=False)[1])

    def _forget(self, name: bytes, _result: PGresult) -> None:
        self._unused.remove(name)

    def _read(self, result: PGresult) -> Rows:
        if not result.nfields:
            return []
        self._adapting.set_pgresult(result)
        return self._adapting.load_rows(0, result.ntuples, tuple)


def run_unheard(connection: Connection[Any], command: bytes) -> None:
    """Run ROLLBACK and the like without psycopg's noticing: it would forget all prepared statements of the connection (DEALLOCATE ALL),
    because what they name may have been made in the transaction. Commands make no tables. Raises psycopg's errors, the connection is
    closed then: a rollback that fails leaves nothing to go on with."""
    with _Whole(connection):
        connection.pgconn.send_query(command)
        (result,) = connection.wait(execute(connection.pgconn))
        if result.status in _FAILED:
            raise errors.error_from_result(result, encoding=connection.info.encoding)


def _answers(libpq: PGconn, expected: int) -> PQGen[list[PGresult]]:
    yield from send(libpq)
    answers: list[PGresult] = []
    for _ in range(expected):
        results = yield from fetch_many(libpq)
        if not results:  # the server is gone
            break
        answers.append(results[0])
    return answers
