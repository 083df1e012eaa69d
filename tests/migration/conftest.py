"""What a migration does to a diagram is the kernel's and the same on every database: those tests run on SQLite. Whatever is SQL of its own
(rewriting rows, undoing, batches) has a test on both (`support.both_databases`)."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """SQLite unless the test is marked."""
    kind: str = getattr(request, "param", "sqlite")
    return kind
