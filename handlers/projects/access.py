"""Who sees which project: investors their own (and what they filed), the offices every project that is not confidential."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.policy import Actor
from handlers.projects.models import ProjectRow

MAX_ID = 2**31 - 1
"""PostgreSQL keeps project numbers in 32 bits and refuses to look for a larger one."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The SQL condition on `project` for this person."""
    own = or_(ProjectRow.applicant.in_(actor.owns | {actor.username}), ProjectRow.filed_by == actor.username)
    if actor.can("read_all"):
        return true()
    if actor.groups or actor.can("operate"):
        return or_(own, ProjectRow.confidential.is_(False))
    return own


def project_row(session: Session, actor: Actor, project_id: int | str) -> ProjectRow:
    """A project's row; NotFound when there is none, and for others just the same: nobody learns that it exists."""
    text = str(project_id)
    if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= MAX_ID:
        row = session.scalar(select(ProjectRow).where(ProjectRow.id == int(text), visible_to(actor)))
        if row is not None:
            return row
    raise NotFound(what="项目", key=project_id)
