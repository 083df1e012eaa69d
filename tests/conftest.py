"""Shared fixtures: hypothesis profiles, a database of each kind, the engine on it.

PostgreSQL refuses to run as root, so a private cluster is started on a free port as user postgres (or as whoever runs the tests).
Every test gets a fresh database: a new file on SQLite, a copy of an empty one on PostgreSQL.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

from engine import Engine, clock, open_engine
from engine.settings import Settings
from tests.postgres import Cluster

settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_numbers = count()


@pytest.fixture(autouse=True)
def business_clock_at_wall_time() -> Iterator[None]:
    """Every test begins without an offset: a unit of work sets it for its thread, and all tests share one thread."""
    clock.set_offset(timedelta(0))
    yield
    clock.set_offset(timedelta(0))


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A running PostgreSQL of our own, stopped at the end. Not below pytest's folder: every pytest of the same user closes that again."""
    with tempfile.TemporaryDirectory(prefix="lianban-postgres-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster.start(Path(folder))
        yield cluster
        cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, once per kind."""
    with empty_database(request.param, request, tmp_path) as url:
        yield url


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of a kind, which is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'lianban.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = f"lianban_{os.getpid()}_{next(_numbers)}"
    admin = create_engine(cluster.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield cluster.url(name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """The engine with inline jobs on a fresh schema of each database."""
    engine = open_engine(Settings(database_url=database_url, jobs="inline", files_dir=tmp_path / "files"))
    engine.create_schema()
    yield engine
    engine.close()
