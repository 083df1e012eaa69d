"""Brings every open clock up to date after the working calendar changed: one case at a time, each in a transaction of its own.

What is left to do stands in the rows (`case_clock.calendar_version`), so a crash in between loses nothing: the next sweep goes on.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import Engine, clock
from engine.commands import reschedule
from engine.errors import NotFound
from engine.policy import SYSTEM
from engine.runtime import runtime_of
from engine.store import audit, reads
from handlers.clock import ledger
from handlers.lights import calendar_of


def recompute_open_clocks(engine: Engine) -> int:
    """Recompute the open clocks that were computed with another calendar, and move the timers bound to them -> clocks whose dates moved."""
    with engine.reading() as session:
        calendar_of(session)  # whoever has read the calendar knows its version
        stale = ledger.stale_cases(session, runtime_of(session).calendar_version)
    return sum(_recompute(engine, case_id, root_key) for case_id, root_key in stale)


def _recompute(engine: Engine, case_id: int, root_key: int) -> bool:
    with engine.unit_of_work() as session:
        has_flow = _lock(session, root_key)
        now = clock.now()
        moved = ledger.recompute(session, case_id, now)
        if moved:
            found = ledger.clock_of(session, case_id, now)
            audit.record(session, SYSTEM, "clock.recomputed", root_key=root_key, data={"case": case_id})
            if has_flow:
                reschedule(session, SYSTEM, root_key, {"clock": ledger.variable(found)}, where={"caseId": str(case_id)})
    return moved


def _lock(session: Session, root_key: int) -> bool:
    """Lock the case's flow, as every command does first; False when it has none."""
    try:
        reads.lock_root(session, root_key)
    except NotFound:
        return False
    return True
