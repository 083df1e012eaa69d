"""The web tests' application and town."""

from __future__ import annotations

from tests.webapp.conftest import app, client, people, town

__all__ = ["app", "client", "people", "town"]
