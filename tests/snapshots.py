"""Databases that are filled once and copied for every test that begins there: filling one takes a second, copying it a few milliseconds.

Time stands still in a snapshot: in each copy the business clock says what it said when the filling was done.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import pytest
from sqlalchemy import create_engine, make_url, text

from engine import Engine, clock
from engine.settings import Settings
from tests.postgres import Cluster

Made = TypeVar("Made")
Opener = Callable[[Settings], Engine]
_numbers = count()


@dataclass(frozen=True, slots=True)
class Copy(Generic[Made]):
    """A database and files folder of a test's own; `made`: what the filling returned."""

    url: str
    files: Path
    made: Made


@dataclass(frozen=True, slots=True)
class _Filled:
    """A filled database: where it lies, what the filling returned, whether it moved the business clock, and when it ended (monotonic)."""

    url: str
    files: Path
    made: object
    moved: bool
    at: float


class Snapshots:
    """The filled databases of one process that runs tests, by kind of database, filling and opener."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filled: dict[tuple[str, Callable[..., object], Opener], _Filled] = {}

    @contextmanager
    def copy(
        self, kind: str, request: pytest.FixtureRequest, folder: Path, fill: Callable[[Engine], Made], opener: Opener
    ) -> Iterator[Copy[Made]]:
        """A copy in `folder` of the database of a kind that `fill` has filled; it is gone afterwards.

        `fill`: a function of a module, called once with an engine that `opener` opened over an empty schema; what it returns is shared by
        all copies and must not change.
        """
        cluster: Cluster | None = request.getfixturevalue("postgres_cluster") if kind == "postgresql" else None
        found = self._filled.get((kind, fill, opener))
        if found is None:
            found = self._filled[kind, fill, opener] = self._fill(kind, cluster, fill, opener)
        url = _copy_database(found.url, cluster, folder)
        if found.files.is_dir():
            shutil.copytree(found.files, folder / "files")
        if found.moved:
            _set_clock_back(url, int(clock.monotonic() - found.at))
        yield Copy(url, folder / "files", cast(Made, found.made))
        if cluster is not None:
            cluster.drop(str(make_url(url).database))

    @contextmanager
    def opened(
        self,
        kind: str,
        request: pytest.FixtureRequest,
        folder: Path,
        fill: Callable[[Engine], Made],
        opener: Opener,
        **settings: Any,
    ) -> Iterator[tuple[Engine, Made]]:
        """An engine of one's own over such a copy, with the settings given, and what the filling returned."""
        with self.copy(kind, request, folder, fill, opener) as copied:
            engine = opener(Settings(database_url=copied.url, jobs="inline", files_dir=copied.files, **settings))
            yield engine, copied.made
            engine.close()

    def _fill(self, kind: str, cluster: Cluster | None, fill: Callable[[Engine], object], opener: Opener) -> _Filled:
        folder = self._folder / f"{kind}-{next(_numbers)}"
        folder.mkdir()
        url = f"sqlite:///{folder / 'lianban.db'}" if cluster is None else cluster.url(cluster.create())
        engine = opener(Settings(database_url=url, jobs="inline", files_dir=folder / "files"))
        engine.create_schema()
        made = fill(engine)
        with engine.reading():
            moved = bool(clock.offset())
        engine.close()
        return _Filled(url, folder / "files", made, moved, clock.monotonic())


def empty(engine: Engine) -> None:
    """A filling: the schema alone."""


def _copy_database(original: str, cluster: Cluster | None, folder: Path) -> str:
    source = str(make_url(original).database)
    if cluster is not None:
        return cluster.url(cluster.create(template=source))
    assert not Path(f"{source}-wal").exists(), "the filling has left a connection open"
    shutil.copyfile(source, folder / "lianban.db")
    return f"sqlite:///{folder / 'lianban.db'}"


def _set_clock_back(url: str, seconds: int) -> None:
    """By the whole seconds since the filling, so that nothing of it lies in the future."""
    database = create_engine(url)
    with database.begin() as connection:
        connection.execute(text("UPDATE business_clock SET offset_seconds = offset_seconds - :seconds"), {"seconds": seconds})
    database.dispose()
