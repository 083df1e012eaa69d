"""Tables of the clock: the events of a case, only ever added, and what the clock computed from them showed when the last one happened."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant


class ClockEventRow(Base):
    """One event of a case's clock. `on` is the day that counts (a receipt at night: the next working day), `at` when it was recorded."""

    __tablename__ = "clock_event"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    on: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(Instant)
    person: Mapped[str] = mapped_column(String(100))
    deemed: Mapped[bool] = mapped_column(Boolean, default=False)
    pause_kind: Mapped[str] = mapped_column(String(12), default="")
    procedure: Mapped[str] = mapped_column(String(60), default="")
    legal: Mapped[bool] = mapped_column(Boolean, default=True)
    planned: Mapped[date | None] = mapped_column(Date)
    days: Mapped[int] = mapped_column(Integer, default=0)
    approved_by: Mapped[str] = mapped_column(String(100), default="")
    document: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(Text, default="")


class CaseClockRow(Base):
    """The clock of a case as of `read_at`: kept so that lists need no arithmetic; always what replaying the events gives.

    `due` is empty while paused. Days count in `limit_unit` (wd or cd), the four times in working days. `overdue_at`: when the limit
    passed (超期登记). `calendar_version`: the calendar it was computed with.
    """

    __tablename__ = "case_clock"

    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(String(10))
    root_key: Mapped[int] = mapped_column(BigKey, index=True)
    limit_days: Mapped[int | None] = mapped_column(Integer)
    limit_unit: Mapped[str] = mapped_column(String(2))
    statutory_days: Mapped[int | None] = mapped_column(Integer)
    statutory_unit: Mapped[str] = mapped_column(String(2))
    state: Mapped[str] = mapped_column(String(10), index=True)
    light: Mapped[str] = mapped_column(String(8))
    elapsed: Mapped[int] = mapped_column(Integer)
    remaining: Mapped[int | None] = mapped_column(Integer)
    due: Mapped[date | None] = mapped_column(Date, index=True)
    projected_due: Mapped[date | None] = mapped_column(Date)
    statutory_due: Mapped[date | None] = mapped_column(Date)
    yellow: Mapped[date | None] = mapped_column(Date)
    silent: Mapped[date | None] = mapped_column(Date)
    serve_by: Mapped[date | None] = mapped_column(Date)
    provisional: Mapped[bool] = mapped_column(Boolean)
    approval_days: Mapped[int] = mapped_column(Integer)
    span_days: Mapped[int] = mapped_column(Integer)
    correction_days: Mapped[int] = mapped_column(Integer)
    special_days: Mapped[int] = mapped_column(Integer)
    waiting_days: Mapped[int] = mapped_column(Integer)
    overdue_at: Mapped[datetime | None] = mapped_column(Instant)
    read_at: Mapped[datetime] = mapped_column(Instant)
    calendar_version: Mapped[int] = mapped_column(Integer, index=True)
