"""The database of each landed version, on each kind of database, upgraded to today's schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import Engine
from handlers.driving.service import Driver
from tests.upgrade.support import LANDINGS, Restored, restore


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A landed database after `migrate`, under today's program."""

    restored: Restored
    engine: Engine
    driver: Driver


@pytest.fixture(params=LANDINGS)
def landing(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a landed version runs with each."""
    name: str = request.param
    return name


@pytest.fixture
def restored(landing: str, database_url: str, tmp_path: Path) -> Restored:
    """The database as the landed version left it."""
    return restore(landing, database_url, tmp_path)


@pytest.fixture
def upgraded(restored: Restored) -> Iterator[Upgraded]:
    """The same after the upgrade."""
    engine = restored.opened()
    engine.migrate()
    yield Upgraded(restored, engine, restored.driver(engine))
    engine.close()
