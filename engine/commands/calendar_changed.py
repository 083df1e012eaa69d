"""The working days stored in the database changed: every process reads them anew with its next unit of work."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import models as m
from engine.store.upserting import upsert


def calendar_changed(session: Session) -> int:
    """Give the calendar a new version -> the version. Whoever stored the days calls it in the same transaction, so both hold or none."""
    statement = select(m.business_clock.c.offset_seconds, m.business_clock.c.calendar_version).with_for_update()
    offset, version = session.execute(statement).first() or (0, 0)
    row = {"id": 1, "offset_seconds": offset, "calendar_version": version + 1}
    upsert(session.connection(), m.business_clock, [row], ("id",), ("calendar_version",))
    return int(version) + 1
