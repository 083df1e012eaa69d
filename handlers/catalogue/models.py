"""The versions of the catalogue that projects were registered under."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant, Json


class CatalogueVersionRow(Base):
    """A version by the digest of what it says: `tables` as their files had them (name -> rows), `at` when the first project took it."""

    __tablename__ = "catalogue_version"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    tables: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Instant)
