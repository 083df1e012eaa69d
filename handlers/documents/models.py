"""Table of issued documents (文书) and permits (证照)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant, Json


class DocumentRow(Base):
    """A document as issued: never changed afterwards. `facts` are what its text is rendered from; `number` is None for unnumbered kinds."""

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    number: Mapped[str | None] = mapped_column(String(100), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    item_code: Mapped[str] = mapped_column(String(10), default="")
    unit: Mapped[str] = mapped_column(String(20))
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    root_key: Mapped[int] = mapped_column(BigKey)
    issued_by: Mapped[str] = mapped_column(String(100))
    issued_at: Mapped[datetime] = mapped_column(Instant)
