"""The migrations make exactly the schema that the models describe, on both databases, and leave the job engine's tables alone."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

from sqlalchemy import text

import handlers
import webapp.sessions  # noqa: F401  # its tables belong to the schema
from engine.store import migrate
from engine.store.database import open_database


def _import_all_models() -> None:
    for package in pkgutil.iter_modules(handlers.__path__):
        if package.ispkg and importlib.util.find_spec(f"handlers.{package.name}.models"):
            importlib.import_module(f"handlers.{package.name}.models")


def test_migrations_and_models_agree(database_url: str) -> None:
    _import_all_models()
    database = open_database(database_url)
    assert migrate.pending(database)
    migrate.upgrade(database)
    assert not migrate.pending(database)
    assert migrate.differences(database) == []
    migrate.upgrade(database)
    database.dispose()


def test_a_database_that_0002_upgraded_before_it_was_widened_gets_what_it_lacks(database_url: str) -> None:
    _import_all_models()
    database = open_database(database_url)
    migrate.upgrade(database, "0002")
    with database.begin() as connection:
        connection.execute(text("DROP TABLE catalogue_version"))
        connection.execute(text("ALTER TABLE project DROP COLUMN catalogue_version"))
    assert migrate.differences(database)
    migrate.upgrade(database)
    assert migrate.differences(database) == []
    database.dispose()
