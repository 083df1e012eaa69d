"""Tables of projects: the registration and the planned and reached milestones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant, Json


class ProjectRow(Base):
    """An investment project. `applicant` is the owner's user name, `filed_by` who typed it in; `data` the registration form F10.

    `catalogue_version`: the digest of the catalogue that it goes by, None: today's (registered before versions were kept).
    `request_digest`: of the page and the answers it was registered with, so that a second click registers nothing.
    """

    __tablename__ = "project"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str | None] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    organisation: Mapped[str] = mapped_column(String(200))
    organisation_code: Mapped[str] = mapped_column(String(18))
    applicant: Mapped[str] = mapped_column(String(100), index=True)
    filed_by: Mapped[str] = mapped_column(String(100), index=True)
    variant: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20), default="active", index=True)
    outcome: Mapped[str] = mapped_column(String(40), default="")
    confidential: Mapped[bool] = mapped_column(Boolean, default=False)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    lifecycle_key: Mapped[int | None] = mapped_column(BigKey)
    registered_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    request_digest: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    catalogue_version: Mapped[str | None] = mapped_column(String(64))


class MilestoneRow(Base):
    """A milestone of a project (早落地、早开工、早建设、早运营): planned and actual day; what proves it, and who wrote it down last."""

    __tablename__ = "project_milestone"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    planned: Mapped[date | None] = mapped_column(Date)
    actual: Mapped[date | None] = mapped_column(Date)
    evidence: Mapped[str] = mapped_column(String(200), default="", server_default="")
    recorded_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
    recorded_at: Mapped[datetime | None] = mapped_column(Instant)
