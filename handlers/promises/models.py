"""Tables of promises and of the credit records that broken ones leave."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant, Json


class PromiseRow(Base):
    """What an applicant promised in a case: `kind` tolerance (hand in later) or commitment (declare instead of proving).

    `state`: open, kept or broken. `deadline` is the last day of a tolerance; a commitment is checked after the decision.
    """

    __tablename__ = "case_promise"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    materials: Mapped[Any] = mapped_column(Json)
    deadline: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8), index=True)
    extended: Mapped[bool] = mapped_column(Boolean, default=False)
    document: Mapped[str] = mapped_column(String(100))
    signed_by: Mapped[str] = mapped_column(String(100))
    signed_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class CreditRecordRow(Base):
    """A broken promise of an organisation (失信记录). Never deleted; `repaired_at` ends its effect (信用修复)."""

    __tablename__ = "credit_record"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    organisation_code: Mapped[str] = mapped_column(String(18), index=True)
    organisation: Mapped[str] = mapped_column(String(200))
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    repaired_by: Mapped[str] = mapped_column(String(100), default="")
    repaired_at: Mapped[datetime | None] = mapped_column(Instant)
