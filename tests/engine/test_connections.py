"""Connections of the pools between two users: nothing of one is left for the next, and one that was lost or spoiled is replaced."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import bindparam, create_engine, func, literal_column, select, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InternalError, OperationalError, PendingRollbackError
from sqlalchemy.orm import Session

from engine import Engine, clock, open_engine
from engine.settings import Settings
from engine.store import database, wire
from engine.store import models as m
from engine.store.prepared import Batch, Prepared, fetch, run
from engine.unit_of_work import glance
from tests.postgres import Cluster

postgresql_only = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)

_ADD = Prepared(m.signal_wait.insert())
_NAMED = Prepared(select(m.signal_wait.c.key).where(m.signal_wait.c.name == bindparam("name")))
_RENAME = Prepared(update(m.signal_wait).where(m.signal_wait.c.key == bindparam("wait")), "name")
_ALL = Prepared(select(m.signal_wait.c.key, m.signal_wait.c.name))


def _row(key: int, name: str = "paid") -> dict[str, Any]:
    return {"key": key, "instance_key": 1, "root_key": 1, "token_id": key, "name": name}


def _add(session: Session, key: int, name: str = "paid") -> None:
    batch = Batch()
    batch.add(_ADD, [_row(key, name)])
    batch.send(session.connection())


def _keys(engine: Engine) -> list[int]:
    with engine.reading() as session:
        return list(session.scalars(select(m.signal_wait.c.key).order_by(m.signal_wait.c.key)))


def _one_connection(engine: Engine) -> int:
    """The server process of the only pooled connection that writes."""
    with engine.unit_of_work() as session:
        return int(session.scalar(text("SELECT pg_backend_pid()")))


def _spoken(engine: Engine) -> int:
    """Statements that our own talk has prepared on that connection."""
    with engine.unit_of_work() as session:
        return int(session.scalar(text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'lianban%'")))


def _let_psycopg_prepare(session: Session) -> None:
    for _ in range(8):
        session.scalar(select(func.count()).select_from(m.signal_wait))
    assert session.scalar(text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '_pg3%'")), "or this test proves nothing"


def _terminate(engine: Engine, spare: int = 0) -> None:
    """End every server process of this database but one's own."""
    others = text(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :name AND pid NOT IN (pg_backend_pid(), :spare)"
    )
    admin = create_engine(engine.runtime.database.url)
    with admin.connect() as connection:
        connection.execute(others, {"name": engine.runtime.database.url.database, "spare": spare})
    admin.dispose()


# ------------------------------------------------------------------ errors of one statement
@postgresql_only
@pytest.mark.parametrize("name", ["nul\0", "x" * 301, "half \ud83d"])
def test_a_value_the_database_has_no_place_for_undoes_the_command_and_the_next_one_works(engine: Engine, name: str) -> None:
    for _ in range(2):
        with pytest.raises(DataError), engine.unit_of_work() as session:
            _add(session, 1)
            _add(session, 2, name)
        assert _keys(engine) == []
    with engine.unit_of_work() as session:
        _add(session, 1)
    assert _keys(engine) == [1]


@postgresql_only
def test_what_waits_is_not_lost_with_a_query_that_could_not_be_sent(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1)
        with pytest.raises(DataError):
            fetch(session.connection(), _NAMED, {"name": "nul\0"})
    assert _keys(engine) == [1]


@postgresql_only
def test_a_failed_statement_that_somebody_overlooked_is_no_commit(engine: Engine) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, which is no error to it."""
    for again in (False, True):
        with pytest.raises(DBAPIError, match=r"failed|aborted"), engine.unit_of_work() as session:
            clock.offset()  # or the end of the block asks for it and meets the failed transaction
            _add(session, 1)
            with suppress(DBAPIError):
                session.execute(select(literal_column("1 / 0")))
            if again:
                _add(session, 2)
        assert _keys(engine) == []


def test_an_error_that_comes_with_the_end_of_a_savepoint_undoes_the_savepoint_alone(engine: Engine) -> None:
    bad = [_row(1)] if engine.runtime.database.dialect.name == "sqlite" else [_row(1), _row(5, "x" * 301), _row(5, "nul\0")]
    with engine.unit_of_work() as session:
        _add(session, 1)
        for row in bad * 2:
            with pytest.raises((IntegrityError, DataError)), session.begin_nested():
                _add(session, 2)
                _add(session, row["key"], row["name"])
        _add(session, 3)
        with session.begin_nested():
            _add(session, 4)
    assert _keys(engine) == [1, 3, 4]


# ------------------------------------------------------------------ what is prepared
@postgresql_only
@pytest.mark.parametrize("way", ["savepoint", "error", "query", "left open", "collected"])
def test_no_way_to_roll_back_makes_the_server_forget_what_is_prepared(engine: Engine, way: str) -> None:
    """psycopg would: DEALLOCATE ALL, after which every statement of ours would be unknown on this connection."""
    process = _one_connection(engine)
    for _ in range(3):
        if way == "savepoint":
            with engine.unit_of_work() as session:
                _let_psycopg_prepare(session)
                _add(session, 1)
                with pytest.raises(LookupError), session.begin_nested():
                    _add(session, 2)
                    raise LookupError
                session.execute(m.signal_wait.delete())
        elif way in ("error", "query"):
            with pytest.raises(DBAPIError), engine.unit_of_work() as session:
                _let_psycopg_prepare(session)
                _add(session, 1)
                if way == "error":
                    _add(session, 1)
                session.execute(select(literal_column("1 / 0")))
        else:
            connection = engine.runtime.database.connect()
            fetch(connection, _ALL, {})
            run(connection, _ADD, _row(9))
            connection.exec_driver_sql("SELECT 1", execution_options={})
            run(connection, _ADD, _row(10))
            if way == "left open":
                connection.close()
            del connection
            gc.collect()
    with engine.unit_of_work() as session:
        _add(session, 5)
    assert _keys(engine) == [5]
    assert _spoken(engine) > 0
    assert _one_connection(engine) == process


@postgresql_only
def test_a_server_that_has_forgotten_what_was_prepared_costs_one_command(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1)
    with engine.runtime.database.connect() as connection:
        connection.execute(text("DEALLOCATE ALL"))
    with pytest.raises(OperationalError), engine.unit_of_work() as session:
        _add(session, 2)
    with engine.unit_of_work() as session:
        _add(session, 3)
    assert _keys(engine) == [1, 3]


@postgresql_only
def test_a_table_altered_under_a_prepared_statement_costs_one_request(engine: Engine) -> None:
    """'cached plan must not change result type'"""
    for _ in range(2):
        with engine.reading() as session:
            assert fetch(session.connection(), _ALL, {}) == []
    with engine.unit_of_work() as session:
        session.execute(text("ALTER TABLE signal_wait ALTER name TYPE text, ALTER key TYPE numeric"))
    with pytest.raises(OperationalError, match="anew"), engine.reading() as session:
        fetch(session.connection(), _ALL, {})
    with engine.reading() as session:
        assert fetch(session.connection(), _ALL, {}) == []


# ------------------------------------------------------------------ lost connections
@postgresql_only
@pytest.mark.parametrize("point", ["before", "after a query", "before the commit", "in a savepoint", "while reading"])
def test_a_lost_connection_costs_one_request_and_renews_both_pools(engine: Engine, point: str) -> None:
    with ThreadPoolExecutor(4) as pool:  # several connections of each kind
        list(pool.map(lambda _: _keys(engine), range(8)))
    _one_connection(engine)
    if point == "before":
        _terminate(engine)
    with pytest.raises((OperationalError, PendingRollbackError)):
        if point == "while reading":
            with engine.reading() as session:
                _terminate(engine)
                session.scalars(select(m.signal_wait.c.key)).all()
        else:
            with engine.unit_of_work() as session:
                _use_and_lose(engine, session, point)
    for _ in range(4):
        assert _keys(engine) == []
    with engine.unit_of_work() as session:
        _add(session, 1)
    assert _keys(engine) == [1]


def _use_and_lose(engine: Engine, session: Session, point: str) -> None:
    fetch(session.connection(), _ALL, {})
    if point == "after a query":
        _terminate(engine)
        fetch(session.connection(), _ALL, {})
    _add(session, 1)
    if point == "before the commit":
        _terminate(engine)
    if point == "in a savepoint":
        with suppress(OperationalError), session.begin_nested():  # as a handler's failure that becomes an incident
            _terminate(engine)
            fetch(session.connection(), _ALL, {})
        _add(session, 2)


@postgresql_only
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interrupted_command_leaves_no_connection_in_the_middle_of_a_message(engine: Engine, interruption: type[BaseException]) -> None:
    process = _one_connection(engine)

    def interrupt(_libpq: object) -> Iterator[None]:
        raise interruption
        yield

    with pytest.raises(interruption), engine.unit_of_work() as session:
        _add(session, 1)
        with patch.object(wire, "fetch_many", interrupt):
            fetch(session.connection(), _ALL, {})
    assert _keys(engine) == []
    with engine.unit_of_work() as session:
        _add(session, 1)
    assert _keys(engine) == [1]
    assert _one_connection(engine) != process


# ------------------------------------------------------------------ locks
@postgresql_only
def test_whoever_waits_too_long_for_a_lock_gives_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs with a lock must not make every other one hang."""
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    with engine.unit_of_work() as session:
        _add(session, 1)
    with engine.unit_of_work() as holder, ThreadPoolExecutor(1) as pool:
        run(holder.connection(), _RENAME, {"wait": 1, "name": "mine"})
        fetch(holder.connection(), _ALL, {})
        with pytest.raises(OperationalError, match="lock timeout"):
            pool.submit(_rename, engine, 1).result()
    assert _named(engine) == {1: "mine"}


@postgresql_only
def test_of_two_commands_that_wait_for_each_other_one_goes_on(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1)
        _add(session, 2)
    both = threading.Barrier(2)

    def cross(first: int, second: int) -> bool:
        try:
            with engine.unit_of_work() as session:
                run(session.connection(), _RENAME, {"wait": first, "name": f"from {first}"})
                fetch(session.connection(), _ALL, {})
                both.wait(20)
                run(session.connection(), _RENAME, {"wait": second, "name": f"from {first}"})
        except OperationalError as error:
            assert "deadlock" in str(error)
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(cross, (1, 2), (2, 1)))
    assert sorted(done) == [False, True]
    winner = f"from {1 + done.index(True)}"
    assert _named(engine) == {1: winner, 2: winner}


@postgresql_only
def test_a_serialization_failure_undoes_the_command_and_the_connection_goes_on(engine: Engine) -> None:
    with engine.unit_of_work() as session:
        _add(session, 1)
    with pytest.raises(OperationalError, match="serialize"), engine.unit_of_work() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        fetch(session.connection(), _ALL, {})
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_rename, engine, 1).result()
        run(session.connection(), _RENAME, {"wait": 1, "name": "late"})
    assert _named(engine) == {1: "renamed"}
    with engine.unit_of_work() as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def _rename(engine: Engine, key: int) -> None:
    with engine.unit_of_work() as session:
        run(session.connection(), _RENAME, {"wait": key, "name": "renamed"})


def _named(engine: Engine) -> dict[int, str]:
    with engine.reading() as session:
        return dict(fetch(session.connection(), _ALL, {}))


# ------------------------------------------------------------------ readers
@postgresql_only
def test_whoever_only_reads_cannot_write_whatever_way(engine: Engine) -> None:
    def add(session: Session) -> None:
        _add(session, 1)
        fetch(session.connection(), _ALL, {})

    writes: list[Callable[[Session], object]] = [
        add,
        lambda session: session.execute(m.signal_wait.insert(), [_row(1)]),
        lambda session: session.execute(text("SELECT nextval('process_instance_key_seq')")),
        lambda session: session.execute(text("CREATE TABLE mine (id int)")),
        lambda session: session.execute(select(m.signal_wait.c.key).with_for_update()).all(),
    ]
    for write in writes:
        with pytest.raises(InternalError, match="read-only"), engine.reading() as session:
            write(session)
    assert _keys(engine) == []


@postgresql_only
def test_readings_inside_one_another_share_a_connection_and_see_what_was_committed_meanwhile(engine: Engine) -> None:
    """As many threads as there are connections: if each needed a second one, all would wait for each other."""
    threads = 30
    together = threading.Barrier(threads)

    def read(_number: int) -> list[int]:
        with engine.reading() as outer:
            outer.scalar(select(func.count()).select_from(m.signal_wait))
            together.wait(60)
            if together.n_waiting == 0 and _number == 0:
                with engine.unit_of_work() as session:
                    _add(session, 1)
            together.wait(60)
            inner = _keys(engine)
            assert outer.scalar(select(func.count()).select_from(m.signal_wait)) == 1
            return inner

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(read, range(threads))) == [[1]] * threads


@postgresql_only
def test_an_error_of_an_inner_reading_leaves_the_outer_one_alone(engine: Engine) -> None:
    with engine.reading() as outer:
        with pytest.raises(DataError), engine.reading() as inner:
            inner.execute(select(literal_column("1 / 0")))
        assert outer.scalar(select(func.count()).select_from(m.signal_wait)) == 0
        _terminate(engine)
        with pytest.raises(OperationalError), engine.reading() as inner:
            inner.execute(select(m.signal_wait.c.key))
        assert _keys(engine) == [], "by a connection of its own"
    assert _keys(engine) == []


@postgresql_only
def test_many_threads_write_and_read_without_mixing_their_answers(engine: Engine) -> None:
    def work(number: int) -> list[int]:
        seen = []
        for i in range(15):
            key = number * 100 + i
            with engine.unit_of_work() as session:
                _add(session, key, f"of {key}")
                (row,) = fetch(session.connection(), _NAMED, {"name": f"of {key}"})
                seen.append(row[0])
            (row,) = glance(engine.runtime, _NAMED, {"name": f"of {key}"})
            assert row == (key,)
        return seen

    with ThreadPoolExecutor(12) as pool:
        assert sorted(key for keys in pool.map(work, range(12)) for key in keys) == _keys(engine)


@postgresql_only
def test_a_server_that_speaks_another_encoding_gets_and_gives_chinese(engine: Engine, postgres_cluster: Cluster) -> None:
    postgres_cluster._execute("CREATE DATABASE chinese ENCODING 'EUC_CN' TEMPLATE template0")
    opened = open_engine(Settings(database_url=postgres_cluster.url("chinese"), jobs="inline"))
    opened.create_schema()
    with opened.unit_of_work() as session:
        _add(session, 1, "施工许可")
    with pytest.raises(DBAPIError), opened.unit_of_work() as session:
        _add(session, 2, "\U0001f3d7")
    assert _named(opened) == {1: "施工许可"}
    opened.close()
    postgres_cluster.drop("chinese")
