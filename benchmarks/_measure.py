"""What the benchmark modules share: both sides measured in turn in one run, medians, rows of the table, and databases of both kinds."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Column, Integer, String, Table, make_url

from engine import Engine, open_engine
from engine.settings import Settings
from engine.store.database import Base
from tests.postgres import Cluster

Row = dict[str, Any]
Action = Callable[[int], object]
BODY = "x" * 240
"""Five of them are what the rows of a completed task hold in all (1.2 KB without indexes): a task and its successor, two lines of history,
an audit event, a token, a variable and its history, the instance's header, candidates."""
bench_row = Table("bench_row", Base.metadata, Column("id", Integer, primary_key=True), Column("body", String(400)))


@dataclass(frozen=True, slots=True)
class Database:
    """A durable database of one kind: every commit reaches the disk. `label` stands in the names of the rows."""

    label: str
    url: str
    folder: Path

    def open(self, **settings: Any) -> Engine:
        """The engine on it, with all tables."""
        engine = open_engine(Settings(database_url=self.url, files_dir=self.folder / "files", **({"jobs": "inline"} | settings)))
        engine.create_schema()
        settle()
        return engine


def settle() -> None:
    """What a server does when it has loaded (webapp.cli.server): the garbage collector looks at modules and mappers no more."""
    gc.collect()
    gc.freeze()


@contextmanager
def databases() -> Iterator[list[Database]]:
    """An empty SQLite file (synchronous=FULL) and an empty database of a PostgreSQL cluster with its default durability."""
    temporary = partial(tempfile.TemporaryDirectory, ignore_cleanup_errors=True)
    with temporary(prefix="lianban-bench-") as name, temporary(prefix="lianban-bench-postgres-") as server:
        folder = Path(name)
        cluster = Cluster.start(Path(server), durable=True)
        try:
            yield [
                Database("SQLite", f"sqlite:///{folder / 'bench.db'}", folder),
                Database("PostgreSQL", cluster.url("postgres"), folder),
            ]
        finally:
            cluster.stop()


def bare_commit(database: Database, engine: Engine) -> Action:
    """A commit of five rows as a programmer would write it without us: SQLAlchemy Core on SQLite, plain psycopg on PostgreSQL.

    The strictest reading: all five go into one table without a secondary index, by one statement (executemany). A completed task changes
    ten rows of eight tables with two dozen indexes. `statement_by_statement` is the same commit with a statement for each row.
    """
    if database.label == "SQLite":

        def core(number: int) -> None:
            with engine.runtime.database.begin() as connection:
                connection.execute(bench_row.insert(), _five(number))

        return core
    connection = _plain_connection(database)

    def plain(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, [tuple(each.values()) for each in _five(number)])
        connection.commit()

    return plain


def statement_by_statement(database: Database, engine: Engine) -> Action:
    """The bare commit as a service does it that writes five different things: a statement for each row. For information."""
    if database.label == "SQLite":

        def core(number: int) -> None:
            with engine.runtime.database.begin() as connection:
                for each in _five(number):
                    connection.execute(bench_row.insert(), each)

        return core
    connection = _plain_connection(database)

    def plain(number: int) -> None:
        with connection.cursor() as cursor:
            for each in _five(number):
                cursor.execute(_INSERT, tuple(each.values()))
        connection.commit()

    return plain


_INSERT = "INSERT INTO bench_row (id, body) VALUES (%s, %s)"


def _five(number: int) -> list[dict[str, Any]]:
    return [{"id": number * 5 + i, "body": BODY} for i in range(5)]


def _plain_connection(database: Database) -> psycopg.Connection[Any]:
    url = make_url(database.url)
    return psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database)


def in_turn(rounds: int, *sides: Action, warm_up: int = 5) -> list[float]:
    """Median seconds of each side. They run alternately, so that whatever disturbs the machine disturbs all of them."""
    times: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + warm_up):
        for side, spent in zip(sides, times, strict=True):
            began = time.perf_counter()
            side(number)
            if number >= warm_up:
                spent.append(time.perf_counter() - began)
    return [statistics.median(spent) for spent in times]


def row(name: str, value: float, baseline: float | None, target: float | None, unit: str = "ms") -> Row:
    """One line of the table. With a baseline `target` is the largest ratio of value to it, else the largest value; None: for information.

    `value` and `baseline` are in seconds where the unit is ms.
    """
    factor = 1000.0 if unit == "ms" else 1.0
    ratio = value / baseline if baseline else value
    return {
        "name": name,
        "value": value * factor,
        "unit": unit,
        "baseline": None if baseline is None else baseline * factor,
        "ratio": ratio,
        "target": target,
        "ok": target is None or ratio <= target,
    }


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect before, not while something is measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
