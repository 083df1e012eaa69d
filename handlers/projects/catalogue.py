"""The catalogue that a project goes by: the version that was in force when it was registered (R059)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from handlers.catalogue import versions
from handlers.catalogue.service import Catalogue
from handlers.catalogue.versions import Version
from handlers.projects.models import ProjectRow


def catalogue_of(session: Session, project_id: int | str) -> Catalogue:
    """The catalogue with the items, materials and preconditions as the project has them. For callers that have checked access."""
    return versions.catalogue_of(session, _digest(session, project_id))


def catalogue_version(session: Session, project_id: int | str) -> Version | None:
    """The version that the project goes by, None when it goes by today's: it was registered before versions were kept."""
    return versions.version_of(session, _digest(session, project_id))


def _digest(session: Session, project_id: int | str) -> str | None:
    row = session.get(ProjectRow, int(project_id))
    return row.catalogue_version if row is not None else None
