"""Move the business clock: for the demo and for tests, never in a city's real service."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Invalid
from engine.policy import Actor, require
from engine.store import audit
from engine.store import models as m
from engine.store.upserting import upsert


def move_clock(
    session: Session, actor: Actor, *, to: datetime | None = None, by: timedelta | None = None, driven: bool = False
) -> timedelta:
    """Set business time to `to` (aware) or move it by `by` -> the new offset from wall time. Timers follow when they are next run.

    The offset is kept in whole seconds, rounded up: what is due at `to` is due afterwards.
    `driven`: by a script that plays people at their moments, which moves it hundreds of times; the trail tells that apart.
    """
    require(actor, "administer")
    if (to is None) == (by is None):
        raise Invalid(reason="请给出目标时间或移动量之一")
    offset = to - clock.wall_now() if to is not None else clock.offset() + (by or timedelta())
    row = {"id": 1, "offset_seconds": math.ceil(offset.total_seconds())}
    upsert(session.connection(), m.business_clock, [row], ("id",), ("offset_seconds",))
    clock.set_offset(offset)
    action = "clock.driven" if driven else "clock.moved"
    audit.record(session, actor, action, data={"offsetSeconds": row["offset_seconds"], "to": clock.now().isoformat()})
    return offset
