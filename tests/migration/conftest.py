"""What a migration does to a diagram is the kernel's and the same on every database: those tests run on SQLite. Whatever is SQL of its own
(rewriting rows, undoing, batches) has a test on both (`support.both_databases`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import empty_database


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: SQLite unless the test is marked."""
    with empty_database(getattr(request, "param", "sqlite"), request, tmp_path) as url:
        yield url
