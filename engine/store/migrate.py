"""Brings a database to the newest schema, and tells how far it is. DBOS keeps its own tables in the same database; they are not ours."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from engine.store.database import Base

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Engine) -> None:
    """Run every migration that is missing, in one transaction."""
    with database.begin() as connection:
        command.upgrade(_config(connection), "head")


def pending(database: Engine) -> bool:
    """Whether the schema is older than this program."""
    with database.connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    return set(current) != set(ScriptDirectory.from_config(_config(None)).get_heads())


def new_revision(database: Engine, message: str) -> None:
    """Write the next migration, numbered, from the difference between the models (all must be imported) and the database."""
    number = len(list(MIGRATIONS.glob("versions/*.py"))) + 1
    with database.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04}")


def differences(database: Engine) -> list[object]:
    """What the models have that the migrated database has not, and the other way round: empty when they agree."""
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        found: list[object] = compare_metadata(context, Base.metadata)
    return found


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Alembic's include_name: tables that our models do not know belong to the job engine."""
    return kind != "table" or name in Base.metadata.tables


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
