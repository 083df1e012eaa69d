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
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2.bccache import Bucket, BytecodeCache

from engine import Engine, clock, open_engine
from handlers.directory import passwords
from tests.postgres import Cluster
from tests.snapshots import Snapshots, empty

settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


LONGEST = (
    "e2e/test_whole_project.py",
    "e2e/test_screens.py",
    "e2e/test_parallel_review.py",
    "scale_out/",
    "crash/",
    "processes/",
    "api/test_openapi.py",
)
"""Files that take long, or wait long: begun first, so that no worker is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((place for place, name in enumerate(LONGEST) if f"tests/{name}" in item.nodeid), len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def shipped_hasher() -> PasswordHasher:
    """How passwords are hashed in real use; tests hash them a thousand times faster."""
    shipped = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return shipped


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> None:
    """Every application of a test run shares the compiled page templates."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": _CompiledTemplates()}


class _CompiledTemplates(BytecodeCache):
    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


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
def database_kind(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a database runs on each kind, unless it says on which."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    with empty_database(database_kind, request, tmp_path) as url:
        yield url


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of a kind, which is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'lianban.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """Filled databases to copy, see tests/snapshots.py."""
    return Snapshots(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def engine(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    """The engine without the domain, with inline jobs, on a fresh schema of each database."""
    with snapshots.opened(database_kind, request, tmp_path, empty, open_engine) as (engine, _nothing):
        yield engine
