"""The row of the business clock: how far it is ahead and which version of the calendar holds. It is read beside a command's first query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.store import models as m
from engine.store.prepared import Prepared, fetch, fetch_together
from engine.store.sending import Values

COLUMNS = (m.business_clock.c.offset_seconds, m.business_clock.c.calendar_version)
CLOCK = Prepared(select(*COLUMNS))


def settle(session: Session, seconds: int | None, calendar_version: int | None) -> None:
    """What the row says (None: there is none yet) holds for the session's transaction, if nobody has asked before."""
    if not clock.offset_is_known():
        session.info["settle_clock"](seconds or 0, calendar_version or 0)


def fetch_with_clock(session: Session, statement: Prepared, values: Values) -> list[tuple[Any, ...]]:
    """All rows of one query; the clock is read beside it if nobody has asked for it yet."""
    connection = session.connection()
    if clock.offset_is_known():
        return fetch(connection, statement, values)
    rows, found = fetch_together(connection, [(statement, values), (CLOCK, {})])
    settle(session, *(found[0] if found else (0, 0)))
    return rows
