"""The versions of the catalogue, where 0002 was run before it made them: it was widened on the day of its landing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store import database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    found = sa.inspect(op.get_bind())
    if not found.has_table("catalogue_version"):
        op.create_table(
            "catalogue_version",
            sa.Column("digest", sa.String(length=64), nullable=False),
            sa.Column("tables", database.Json, nullable=False),
            sa.Column("at", database.Instant(), nullable=False),
            sa.PrimaryKeyConstraint("digest", name=op.f("pk_catalogue_version")),
        )
    if "catalogue_version" not in {column["name"] for column in found.get_columns("project")}:
        with op.batch_alter_table("project", schema=None) as batch_op:
            batch_op.add_column(sa.Column("catalogue_version", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Nothing: 0002 takes back what it makes today."""
