"""The database of each landed version, on each kind of database, as it was and upgraded to today's schema."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from engine import Engine
from handlers.driving.service import Driver
from tests.conftest import empty_database
from tests.postgres import Cluster
from tests.upgrade.support import LANDINGS, Restored, restore


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A landed database after `migrate`, under today's program."""

    restored: Restored
    engine: Engine
    driver: Driver


class Masters:
    """Upgraded databases to be copied: restoring and upgrading one on PostgreSQL takes a second, copying it a tenth."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, str], Restored] = {}

    def copy(self, landing: str, folder: Path, cluster: Cluster | None) -> Restored:
        """A copy of the upgraded database of a landing, on PostgreSQL when a cluster is given."""
        key = (landing, "sqlite" if cluster is None else "postgresql")
        if key not in self._made:
            self._made[key] = self._make(key, cluster)
        master = self._made[key]
        source = str(make_url(master.url).database)
        if cluster is None:
            shutil.copyfile(source, folder / "lianban.db")
        url = f"sqlite:///{folder / 'lianban.db'}" if cluster is None else cluster.url(cluster.create(template=source))
        copied = replace(master, url=url, folder=folder)
        copied.set_clocks()
        return copied

    def _make(self, key: tuple[str, str], cluster: Cluster | None) -> Restored:
        folder = self._folder / "-".join(key)
        folder.mkdir()
        restored = restore(key[0], f"sqlite:///{folder / 'lianban.db'}" if cluster is None else cluster.url(cluster.create()), folder)
        engine = restored.opened()
        engine.migrate()
        engine.close()
        return restored


@pytest.fixture(params=LANDINGS)
def landing(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a landed version runs with each."""
    name: str = request.param
    return name


@pytest.fixture
def restored(landing: str, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Restored]:
    """The database as the landed version left it."""
    with empty_database(database_kind, request, tmp_path) as url:
        yield restore(landing, url, tmp_path)


@pytest.fixture(scope="session")
def masters(tmp_path_factory: pytest.TempPathFactory) -> Masters:
    """One upgraded database of each landing and kind."""
    return Masters(tmp_path_factory.mktemp("landings"))


@pytest.fixture
def upgraded(landing: str, database_kind: str, masters: Masters, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Upgraded]:
    """The database after the upgrade, a test's own."""
    cluster: Cluster | None = request.getfixturevalue("postgres_cluster") if database_kind == "postgresql" else None
    restored = masters.copy(landing, tmp_path, cluster)
    engine = restored.opened()
    yield Upgraded(restored, engine, restored.driver(engine))
    engine.close()
    if cluster is not None:
        cluster.drop(str(make_url(restored.url).database))
