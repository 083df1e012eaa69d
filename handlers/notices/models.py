"""Table of messages to people inside the system."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant


class NoticeRow(Base):
    """A message to one person; `read_at` is None until it is opened."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    recipient: Mapped[str] = mapped_column(String(100))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    event: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (Index("ix_notice_recipient", "recipient", "read_at"),)
