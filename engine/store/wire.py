"""Talking to PostgreSQL: all statements in one message, all answers in one wait.

psycopg's own pipeline sends each statement by itself and waits for BEGIN before it goes on: four times as long for two small queries
(docs/decisions). This is its documented wrapper of libpq (`psycopg.pq`) with its own adaptation of values; errors are its own, too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many, send

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.abc import Buffer, PQGen
    from psycopg.pq.abc import PGconn, PGresult

Statement = tuple[str, Sequence[Any]]
"""SQL with `$1`, and its values."""
Rows = list[tuple[Any, ...]]

MAX_PREPARED = 300
"""Prepared statements that a connection keeps; the one unused for longest goes first."""
_FAILED = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED})


class _Written(NamedTuple):
    """A statement as libpq takes it. The same SQL with values of other types is another prepared statement."""

    sql: str
    values: Sequence[Buffer | None] | None
    types: tuple[int, ...]
    formats: Sequence[pq.Format] | None


class Speaker:
    """Speaks on one connection, and remembers what it has prepared there. Nobody else may make the server forget that: psycopg does
    whenever it rolls back itself."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection, self._adapting = connection, Transformer.from_context(connection)
        self._prepared, self._unused = OrderedDict[tuple[str, tuple[int, ...]], bytes](), list[bytes]()
        self._numbers = count(1)

    def ask(self, statements: Sequence[Statement]) -> list[Rows]:
        """Run the statements in order -> the rows of each. Raises psycopg's error of the first that fails; those after it did not run."""
        written, libpq, rows = [self._write(sql, values) for sql, values in statements], self._connection.pgconn, list[Rows]()
        libpq.enter_pipeline_mode()
        try:
            takers = list(self._send(written, rows))
            libpq.pipeline_sync()
            answers = self._connection.wait(_answers(libpq, len(takers) + 1))
        finally:
            if libpq.status == pq.ConnStatus.OK:
                libpq.exit_pipeline_mode()
        for take, (result,) in zip(takers, answers[:-1], strict=True):
            if result.status in _FAILED:
                raise errors.error_from_result(result, encoding=self._connection.info.encoding)
            take(result)
        return rows

    def _write(self, sql: str, values: Sequence[Any]) -> _Written:
        if not values:
            return _Written(sql, None, (), None)
        dumped = self._adapting.dump_sequence(values, [PyFormat.AUTO] * len(values))
        return _Written(sql, dumped, self._adapting.types or (), self._adapting.formats)

    def _send(self, statements: Sequence[_Written], rows: list[Rows]) -> Iterator[Callable[[PGresult], object]]:
        """Hand everything to libpq -> what takes each answer."""
        libpq, new = self._connection.pgconn, dict[tuple[str, tuple[int, ...]], bytes]()
        while self._unused:
            libpq.send_query_params(b"DEALLOCATE " + self._unused.pop(), None)
            yield id
        for sql, values, types, formats in statements:
            key = sql, types
            name = self._prepared.get(key) or new.get(key)
            if name is None:
                name = new[key] = b"lianban_%d" % next(self._numbers)
                libpq.send_prepare(name, sql.encode(), types)
                yield partial(self._keep, key, name)
            elif key in self._prepared:
                self._prepared.move_to_end(key)
            libpq.send_query_prepared(name, values, formats)
            yield lambda result: rows.append(self._read(result))

    def _keep(self, key: tuple[str, tuple[int, ...]], name: bytes, _result: PGresult) -> None:
        self._prepared[key] = name
        if len(self._prepared) > MAX_PREPARED:
            self._unused.append(self._prepared.popitem(last=False)[1])

    def _read(self, result: PGresult) -> Rows:
        if not result.nfields:
            return []
        self._adapting.set_pgresult(result)
        return self._adapting.load_rows(0, result.ntuples, tuple)


def _answers(libpq: PGconn, expected: int) -> PQGen[list[list[PGresult]]]:
    yield from send(libpq)
    answers = []
    for _ in range(expected):
        answers.append((yield from fetch_many(libpq)))
    return answers
