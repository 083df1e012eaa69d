"""Table of the draws of experts: seed, pool and result, so that each can be drawn again and checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.database import Base, Instant, Json


class ExpertDrawRow(Base):
    """One draw: from `pool` (in catalogue order) `drawn` by the generator seeded with `seed`; `excluded` names who stood back and why."""

    __tablename__ = "expert_draw"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    seed: Mapped[str] = mapped_column(String(40))
    pool: Mapped[Any] = mapped_column(Json)
    excluded: Mapped[Any] = mapped_column(Json)
    drawn: Mapped[Any] = mapped_column(Json)
    person: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant)
