"""The table of false material that was found in applications."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant


class FalseMaterialRow(Base):
    """That the applicant gave false material in a case (行政许可法 78): why, the warning, the last day of the bar. Never deleted."""

    __tablename__ = "false_material"

    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    article: Mapped[str] = mapped_column(String(200))
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    barred_until: Mapped[date | None] = mapped_column(Date)
    recorded_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
