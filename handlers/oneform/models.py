"""Table of 一表申请: what was filled in for a stage, by field."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant, Json


class StageFormRow(Base):
    """The one form of a project's stage. `data`: the values under the forms' common group `application`."""

    __tablename__ = "stage_form"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(4), primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    saved_by: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[datetime] = mapped_column(Instant)
