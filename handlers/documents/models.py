"""Tables of documents (文书) and permits (证照): as issued, as printed, as served, and the templates their text comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant, Json


class DocumentRow(Base):
    """A document as issued: never changed afterwards, but for `production_key` (the flow that prints it).

    `facts` are what its text is made of, `subject` the names as they were then (project, case, item, unit); `digest` is the sha256 over all
    that was fixed at issue. `number` is None for unnumbered kinds. `verification_code` is what the QR code on the paper leads to.
    """

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    number: Mapped[str | None] = mapped_column(String(100), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    item_code: Mapped[str] = mapped_column(String(10), default="")
    unit: Mapped[str] = mapped_column(String(20))
    addressee: Mapped[str] = mapped_column(String(200), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    subject: Mapped[dict[str, Any]] = mapped_column(Json)
    digest: Mapped[str] = mapped_column(String(64))
    verification_code: Mapped[str] = mapped_column(String(20), unique=True)
    root_key: Mapped[int] = mapped_column(BigKey)
    production_key: Mapped[int | None] = mapped_column(BigKey)
    issued_by: Mapped[str] = mapped_column(String(100))
    issued_at: Mapped[datetime] = mapped_column(Instant)


class DocumentFileRow(Base):
    """The PDF of a document, filed once and never replaced; its content lies in the files folder under its sha256.

    `template_version` is the wording it was printed with (0: as shipped). `seal` names the seal that belongs on it (GB data elements:
    type, name, signer, signed_at, algorithm, digest) with `signature` empty until an electronic seal service is connected.
    """

    __tablename__ = "document_file"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(Integer)
    pages: Mapped[int] = mapped_column(Integer)
    template_version: Mapped[int] = mapped_column(Integer)
    seal: Mapped[dict[str, Any]] = mapped_column(Json)
    made_at: Mapped[datetime] = mapped_column(Instant)


class DocumentTemplateRow(Base):
    """One version of the wording of a kind of document, as staff saved it. The newest is in force; the shipped text counts as version 0."""

    __tablename__ = "document_template"
    __table_args__ = (UniqueConstraint("kind", "version"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(String(200), default="")
    saved_by: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class DocumentServiceRow(Base):
    """A service (送达) of documents: how, when, by whom, to whom, and who signed for it. Append only. `receipt_id`: its 送达回证 (W24)."""

    __tablename__ = "document_service"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    method: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(100))
    signed_by: Mapped[str] = mapped_column(String(100))
    tracking_number: Mapped[str] = mapped_column(String(100), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    served_by: Mapped[str] = mapped_column(String(100))
    served_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
