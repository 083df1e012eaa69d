"""Brings a database to the newest schema, and tells how far it is. DBOS keeps its own tables in the same database; they are not ours."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from engine.errors import Conflict
from engine.store.database import Base

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaTooNew(Conflict):
    """数据库是更新版本的联办升级过的（结构 {found}，本程序只到 {known}）。请运行新版程序，或者从升级前的备份恢复。

    A newer version has upgraded this database (schema {found}; this program knows up to {known}). Run that version, or restore the backup
    that was made before the upgrade.
    """

    code = "schema_too_new"


def upgrade(database: Engine, revision: str = "head") -> None:
    """Run every migration that is missing up to `revision`, in one transaction. Raises SchemaTooNew; there is no way down."""
    with database.begin() as connection:
        _known(connection)
        command.upgrade(_config(connection), revision)


def pending(database: Engine) -> bool:
    """Whether the schema is older than this program. Raises SchemaTooNew when it is newer."""
    with database.connect() as connection:
        return _known(connection) != set(ScriptDirectory.from_config(_config(None)).get_heads())


def _known(connection: Connection) -> set[str]:
    """The revision of the schema (none: an empty database), which this program must have."""
    current = MigrationContext.configure(connection).get_current_heads()
    scripts = ScriptDirectory.from_config(_config(None))
    known = {script.revision for script in scripts.walk_revisions()}
    if not known.issuperset(current):
        raise SchemaTooNew(found=", ".join(current), known=", ".join(scripts.get_heads()))
    return set(current)


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
