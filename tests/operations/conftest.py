"""What an operation does to a diagram is the kernel's and the same on every database: those tests run on SQLite. At least one test of
every command runs on both (`support.both_databases`)."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """SQLite unless the test is marked."""
    kind: str = getattr(request, "param", "sqlite")
    return kind
