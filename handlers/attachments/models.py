"""The table of files that programs store; the contents lie in the files folder, named by their sha256."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, BigKey, Instant, Json


class AttachmentRow(Base):
    """One stored file. Two of the same content share it on disk."""

    __tablename__ = "attachment"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigKey)
    content_type: Mapped[str] = mapped_column(String(150))
    file_name: Mapped[str] = mapped_column(String(255))
    process_id: Mapped[str | None] = mapped_column(String(200))
    instance_key: Mapped[int | None] = mapped_column(BigKey, index=True)
    properties: Mapped[dict[str, Any]] = mapped_column(Json)
    expires_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(String(100))
