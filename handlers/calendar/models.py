"""Tables of the working calendar: the imported notices and their days. What comes with the program stands in the catalogue's CSV files."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant


class NoticeRow(Base):
    """A yearly notice of days off (放假调休通知). Never deleted: `undone_at` takes it back, and the one before it holds again.

    `followed`: whether the due dates and timers of the running flows have followed its last change; None for one
    of an older version of the program.
    """

    __tablename__ = "calendar_notice"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    region: Mapped[str] = mapped_column(String(6), index=True)
    year: Mapped[int] = mapped_column(Integer, index=True)
    source: Mapped[str] = mapped_column(String(200))
    imported_by: Mapped[str] = mapped_column(String(100))
    imported_at: Mapped[datetime] = mapped_column(Instant)
    undone_by: Mapped[str] = mapped_column(String(100), default="")
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    followed: Mapped[bool | None] = mapped_column(Boolean, default=False)


class CalendarDayRow(Base):
    """A day of a notice that differs from weekends and statutory dates: `kind` is work or off."""

    __tablename__ = "work_calendar"
    __table_args__ = (UniqueConstraint("notice_id", "date"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("calendar_notice.id"), index=True)
    date: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(String(4))
    reason: Mapped[str] = mapped_column(String(100))
