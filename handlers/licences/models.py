"""Tables of what was granted: the licence with its term, what happened to it, and who may not apply for a time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant, Json


class LicenceRow(Base):
    """One result that a project holds. `origin`: case (decided here), existing (issued before or elsewhere, entered with its number).

    `valid_until` is its last day, None without a term; `used_by` (a milestone or an item) ends the term once reached. `state`: valid,
    revoked (撤销) or cancelled (注销). `content`: what it says now, as changed last.
    """

    __tablename__ = "licence"
    __table_args__ = (UniqueConstraint("case_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    item_code: Mapped[str] = mapped_column(String(10), index=True)
    title: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(20))
    origin: Mapped[str] = mapped_column(String(10))
    granted_on: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date, index=True)
    used_by: Mapped[str] = mapped_column(String(20), default="")
    renewals: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(10), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    service_key: Mapped[int | None] = mapped_column(BigKey)
    reminded: Mapped[bool] = mapped_column(Boolean, default=False)


class LicenceEventRow(Base):
    """What happened to a licence; never changed. `document`: the number of the paper that goes with it."""

    __tablename__ = "licence_event"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    licence_id: Mapped[int] = mapped_column(ForeignKey("licence.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    person: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(Text, default="")
    article: Mapped[str] = mapped_column(String(200), default="")
    document: Mapped[str] = mapped_column(String(100), default="")
    data: Mapped[dict[str, Any]] = mapped_column(Json)


class FilingBarRow(Base):
    """An organisation may not apply for an item until a day (行政许可法 78, 79). Never deleted."""

    __tablename__ = "filing_bar"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    organisation_code: Mapped[str] = mapped_column(String(18), index=True)
    item_code: Mapped[str] = mapped_column(String(10))
    until: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    article: Mapped[str] = mapped_column(String(200))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    recorded_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
