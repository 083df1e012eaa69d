"""What lies in a project's pool of materials, by name, for whoever asks only whether something was handed in."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.materials.models import MaterialRow


def names_of(session: Session, project_id: int | str) -> list[str]:
    """The names of all materials handed in for a project, in order."""
    statement = select(MaterialRow.item).where(MaterialRow.project_id == int(project_id)).distinct().order_by(MaterialRow.item)
    return list(session.scalars(statement))
