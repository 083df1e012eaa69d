"""The table of visits: one row for each time that somebody dealt with an applicant at the window. Rows are only ever added."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant


class VisitRow(Base):
    """A visit for a case. `reason` is a code of visit_reasons.csv, `person` who served the applicant; once a day for each reason."""

    __tablename__ = "case_visit"
    __table_args__ = (UniqueConstraint("case_id", "reason", "on"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    reason: Mapped[str] = mapped_column(String(20))
    on: Mapped[date] = mapped_column(Date)
    person: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(Instant)
