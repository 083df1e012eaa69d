"""The demo, loaded once for all tests of this folder (SQLite; the same commands run on PostgreSQL in tests/handlers)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import Engine, clock
from engine.policy import SYSTEM
from engine.settings import Settings
from handlers.board.service import ProjectBoard, board
from handlers.demo import service as demo
from handlers.projects import service as projects
from webapp.composition import open_lianban


@dataclass
class Demo:
    """The loaded engine; how long it took in CPU seconds of this thread."""

    engine: Engine
    cpu_seconds: float

    def board(self, name: str) -> ProjectBoard:
        with self.engine.reading() as session:
            found = projects.list_projects(session, SYSTEM, q=name).rows
            return board(session, SYSTEM, found[0].project.id)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder: Path = tmp_path_factory.mktemp("demo")
    engine = open_lianban(Settings(database_url=f"sqlite:///{folder / 'demo.db'}", jobs="inline", demo=True, files_dir=folder / "files"))
    engine.create_schema()
    begun = clock.cpu_seconds()
    assert demo.load_demo(engine)
    yield Demo(engine, clock.cpu_seconds() - begun)
    engine.close()
