"""Tables of cases: the case as it stands, and every change of its status as a row that is only ever added."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant


class CaseRow(Base):
    """A case (办件). `status` is a code of the status dictionary; `accepted_at` may lie before the day it became known (视为受理)."""

    __tablename__ = "case_file"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    query_code: Mapped[str] = mapped_column(String(10))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    item_code: Mapped[str] = mapped_column(String(10), index=True)
    unit: Mapped[str] = mapped_column(String(20), index=True)
    applicant: Mapped[str] = mapped_column(String(100))
    status: Mapped[int] = mapped_column(Integer, index=True)
    tolerance: Mapped[bool] = mapped_column(Boolean, default=False)
    deemed_accepted: Mapped[bool] = mapped_column(Boolean, default=False)
    result: Mapped[str] = mapped_column(String(20), default="")
    document_number: Mapped[str] = mapped_column(String(100), default="")
    root_key: Mapped[int] = mapped_column(BigKey, index=True)
    received_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    served_at: Mapped[datetime | None] = mapped_column(Instant)


class CaseEventRow(Base):
    """One change of a case's status: who, of which unit, when, by which element of the diagram. Append only."""

    __tablename__ = "case_event"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    previous: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[int] = mapped_column(Integer)
    person: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(20))
    element_id: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(Text, default="")
