"""Our own talk with PostgreSQL: whatever goes wrong in a message, the connection is either as good as new or gone, never in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from psycopg import errors, generators, pq

from engine.store import wire
from engine.store.wire import Rows, Speaker
from tests.postgres import Cluster

MEGABYTE = 1 << 20
Statement = tuple[str, list[Any]]
TABLE = (
    "CREATE TEMPORARY TABLE thing (id bigint PRIMARY KEY, name varchar(20), other bigint REFERENCES thing DEFERRABLE INITIALLY DEFERRED)"
)


@pytest.fixture
def connection(postgres_cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """A connection of psycopg's without any transaction, and a table of its own."""
    with _connect(postgres_cluster) as connection:
        connection.execute(TABLE)
        yield connection


@pytest.fixture
def speaker(connection: psycopg.Connection[Any]) -> Speaker:
    return Speaker(connection)


def _connect(cluster: Cluster) -> psycopg.Connection[Any]:
    return psycopg.connect(host="127.0.0.1", port=cluster.port, user="postgres", dbname="postgres", autocommit=True)


def _ask(speaker: Speaker, statements: Sequence[Statement]) -> list[Rows]:
    return speaker.ask([speaker.write(sql, values) for sql, values in statements])


def _ids(speaker: Speaker) -> list[int]:
    (rows,) = _ask(speaker, [("SELECT id FROM thing ORDER BY id", [])])
    return [row[0] for row in rows]


def _prepared(connection: psycopg.Connection[Any]) -> int:
    found = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'lianban%'").fetchone()
    assert found is not None
    return int(found[0])


BAD: dict[str, tuple[str, list[Any], type[psycopg.Error]]] = {
    "constraint": ("INSERT INTO thing VALUES (1)", [], errors.UniqueViolation),
    "too long": ("UPDATE thing SET name = $1", ["x" * 21], errors.StringDataRightTruncation),
    "number out of range": ("SELECT $1::bigint", ["9223372036854775808"], errors.NumericValueOutOfRange),
    "bad JSON": ("SELECT $1::jsonb", ["{"], errors.InvalidTextRepresentation),
    "NUL in JSON": ("SELECT $1::jsonb", ['"\\u0000"'], errors.UntranslatableCharacter),
    "syntax": ("SELEC 1", [], errors.SyntaxError),
    "no such table": ("SELECT 1 FROM nothing", [], errors.UndefinedTable),
    "too few parameters": ("SELECT $1::int, $2::int", ["1"], errors.ProtocolViolation),
    "two statements": ("SELECT 1; SELECT 2", [], errors.SyntaxError),
    "timeout of a statement": ("SELECT pg_sleep(10)", [], errors.QueryCanceled),
}


@pytest.mark.parametrize("transaction", [False, True])
@pytest.mark.parametrize("bad", BAD)
def test_an_error_in_the_middle_of_a_message_undoes_it_and_the_connection_is_as_good_as_new(
    speaker: Speaker, connection: psycopg.Connection[Any], bad: str, transaction: bool
) -> None:
    sql, values, error = BAD[bad]
    _ask(speaker, [("INSERT INTO thing VALUES (1)", []), ("SET statement_timeout = 100", [])])
    begin: list[Statement] = [("BEGIN", [])] if transaction else []
    for _ in range(2):  # prepared or not
        with pytest.raises(error):
            _ask(speaker, [*begin, ("INSERT INTO thing VALUES (2)", []), (sql, values), ("INSERT INTO thing VALUES (3)", [])])
        if transaction:
            assert connection.info.transaction_status == pq.TransactionStatus.INERROR
            _ask(speaker, [("ROLLBACK", [])])
        assert connection.info.transaction_status == pq.TransactionStatus.IDLE
        assert _ids(speaker) == [1]
    assert connection.pgconn.pipeline_status == pq.PipelineStatus.OFF


@pytest.mark.parametrize("value", ["a\0b", "\ud800", object(), {"a": object()}])
def test_a_value_that_cannot_be_written_leaves_nothing_behind(speaker: Speaker, value: Any) -> None:
    with pytest.raises((psycopg.Error, UnicodeEncodeError)):
        _ask(speaker, [("INSERT INTO thing VALUES (1)", []), ("SELECT $1::text", [value])])
    assert _ids(speaker) == []


def test_more_parameters_than_the_protocol_allows_close_the_connection(speaker: Speaker, connection: psycopg.Connection[Any]) -> None:
    """libpq refuses in the middle of the message: nobody could say what is still to come on this connection."""
    many = ", ".join(f"${i + 1}::text" for i in range(65_536))
    with pytest.raises(psycopg.OperationalError, match="65535"):
        _ask(speaker, [("INSERT INTO thing VALUES (1)", []), (f"SELECT coalesce({many})", ["1"] * 65_536)])
    assert connection.closed


def test_a_broken_deferred_constraint_is_told_by_commit(speaker: Speaker, connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(errors.ForeignKeyViolation):
        _ask(speaker, [("BEGIN", []), ("INSERT INTO thing VALUES (1, 'a', 7)", []), ("COMMIT", [])])
    assert connection.info.transaction_status == pq.TransactionStatus.IDLE
    assert _ids(speaker) == []


def test_values_of_other_types_are_another_statement(speaker: Speaker) -> None:
    for value in (1, 2**40, None, "1", 2, None):
        assert _ask(speaker, [("SELECT $1", [value])]) == [[(value,)]]


def test_one_statement_twice_in_its_first_message(speaker: Speaker, connection: psycopg.Connection[Any]) -> None:
    assert _ask(speaker, [("SELECT $1::text", ["1"]), ("SELECT $1::text", ["2"])]) == [[("1",)], [("2",)]]
    assert _prepared(connection) == 1


def test_what_was_prepared_in_a_transaction_outlives_its_end(speaker: Speaker) -> None:
    for end in ("ROLLBACK", "COMMIT"):
        _ask(speaker, [("BEGIN", []), (f"SELECT '{end}'", [])])
        _ask(speaker, [(end, [])])
        assert _ask(speaker, [(f"SELECT '{end}'", [])]) == [[(end,)]]


def test_of_many_statements_only_so_many_stay_prepared(
    speaker: Speaker, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_PREPARED", 3)
    for i in (*range(10), 9, 0, *range(20)):
        assert _ask(speaker, [(f"SELECT {i}", []), ("SELECT 'often'", [])]) == [[(i,)], [("often",)]]
    _ask(speaker, [("SELECT 'often'", [])])
    assert _prepared(connection) == 3
    assert _ask(speaker, [(f"SELECT {i}", []) for i in range(10)]) == [[(i,)] for i in range(10)]
    _ask(speaker, [("SELECT 9", [])])
    assert _prepared(connection) == 3


def test_nothing_is_forgotten_to_be_deallocated_when_the_message_fails(
    speaker: Speaker, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_PREPARED", 1)
    _ask(speaker, [("BEGIN", []), ("ROLLBACK", [])])
    _ask(speaker, [("BEGIN", [])])
    with pytest.raises(errors.DivisionByZero):
        _ask(speaker, [("SELECT 1", []), ("SELECT 1 / 0", [])])
    with pytest.raises(errors.InFailedSqlTransaction):  # nor does DEALLOCATE work in a failed transaction
        _ask(speaker, [("SELECT 2", [])])
    connection.rollback()
    for _ in range(3):
        _ask(speaker, [("SELECT 3", [])])
    assert _prepared(connection) == 1


@pytest.mark.parametrize("megabytes", [(30, 0), (0, 30), (20, 20)])
def test_both_ends_may_have_much_to_say(speaker: Speaker, megabytes: tuple[int, int]) -> None:
    """More than the buffers of both sockets hold, while nobody reads the answers of the first statements: no deadlock."""
    there, back = megabytes
    text = "字" * (there * MEGABYTE // 60 or 1)
    message = [("SELECT $1::text, repeat('x', $2::int)", [text, str(back * MEGABYTE // 20)]) for _ in range(20)]
    assert all(rows == [(text, "x" * (back * MEGABYTE // 20))] for rows in _ask(speaker, message))


def test_notices_and_notifications_do_not_disturb(speaker: Speaker, connection: psycopg.Connection[Any], postgres_cluster: Cluster) -> None:
    heard: list[str] = []
    connection.add_notify_handler(lambda notify: heard.append(notify.payload))
    connection.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
    _ask(speaker, [("LISTEN news", []), ("CREATE TEMPORARY TABLE IF NOT EXISTS thing (id int)", [])])
    with _connect(postgres_cluster) as other:
        other.execute("NOTIFY news, 'from another'")
    assert _ask(speaker, [("SELECT 1", []), ("NOTIFY news, 'mine'", []), ("SELECT 2", [])]) == [[(1,)], [], [(2,)]]
    assert _ids(speaker) == []
    assert set(heard) == {'relation "thing" already exists, skipping', "from another", "mine"}


def _in_the_middle(act: Callable[[], object]) -> Any:
    """Do something between the sending of a message and its first answer."""
    real = generators.fetch_many
    done: list[bool] = []

    def fetch(libpq: Any) -> Any:
        if not done:
            done.append(True)
            act()
        return (yield from real(libpq))

    return patch.object(wire, "fetch_many", fetch)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, TimeoutError, MemoryError])
def test_whatever_interrupts_the_wait_closes_the_connection(
    speaker: Speaker, connection: psycopg.Connection[Any], interruption: type[BaseException]
) -> None:
    def interrupt() -> None:
        raise interruption

    with _in_the_middle(interrupt), pytest.raises(interruption):
        _ask(speaker, [("SELECT 1", []), ("SELECT 2", [])])
    assert connection.closed


@pytest.mark.parametrize("when", ["before", "in the middle", "while it works"])
def test_a_server_process_that_is_terminated_is_an_operational_error(
    speaker: Speaker, connection: psycopg.Connection[Any], postgres_cluster: Cluster, when: str
) -> None:
    def kill() -> None:
        with _connect(postgres_cluster) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.info.backend_pid])

    message: list[Statement] = [("SELECT 1", []), ("SELECT pg_sleep(20)", []), ("SELECT 2", [])]
    if when == "before":
        kill()
        with pytest.raises(psycopg.OperationalError):
            _ask(speaker, message)
    elif when == "in the middle":
        with _in_the_middle(kill), pytest.raises(psycopg.OperationalError):
            _ask(speaker, message)
    else:
        thread = threading.Timer(0.2, kill)
        thread.start()
        with pytest.raises(psycopg.OperationalError):
            _ask(speaker, message)
        thread.join()
    assert connection.closed
    with pytest.raises(psycopg.OperationalError):
        _ask(speaker, message)
