"""The processes that run jobs: each keeps a heartbeat row and renews the leases of the jobs it is running; one that is not seen any more
is dead, and whoever notices takes over what it had begun. Old jobs and messages are cleared away here too.

A death is judged by the row not changing for some time on the observer's own monotonic clock, never by comparing two machines' clocks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine import clock
from engine.commands.messages import remove_expired
from engine.commands.run_job import LEASE
from engine.runtime import Runtime
from engine.store import models as m
from engine.store.upserting import upsert
from engine.unit_of_work import reading, unit_of_work

KEEP_JOBS = timedelta(days=30)
KEEP_HINTS = timedelta(days=1)
CLEAN_UP_AT_ONCE = 1_000
ENDED = ("COMPLETED", "CANCELED", "ERROR_THROWN")


class Watch:
    """One process's heartbeat, and its view of the others'. `alone`: no other process may run (SQLite), so all others are dead."""

    def __init__(self, runtime: Runtime, *, dead_after: timedelta, alone: bool) -> None:
        self._runtime, self._dead_after, self._alone = runtime, dead_after, alone
        self._me = runtime.jobs.executor_id
        self._started = clock.wall_now()
        self._seen: dict[str, tuple[datetime, float]] = {}

    def beat(self) -> None:
        """Say that this process lives, and hold on to the jobs that it is running."""
        now = clock.wall_now()
        with unit_of_work(self._runtime, at_once=True) as session:
            row = {"id": self._me, "started_at": self._started, "seen_at": now}
            upsert(session.connection(), m.job_worker, [row], ("id",), ("seen_at",))
            _set_deadline(session, self._me, now + LEASE, tuple(self._runtime.leased))

    def bury(self) -> list[str]:
        """Free the jobs of the dead, in the job engine and in our table -> whose."""
        dead = self._dead()
        if not dead:
            return []
        self._runtime.jobs.recover(list(dead))
        with unit_of_work(self._runtime, at_once=True) as session:
            return [name for name, seen in sorted(dead.items()) if _release(session, name, seen)]

    def leave(self) -> None:
        """This process runs jobs no more and has left none behind: nobody has anything to take over from it."""
        with unit_of_work(self._runtime) as session:
            session.execute(delete(m.job_worker).where(m.job_worker.c.id == self._me))
            _set_deadline(session, self._me, clock.wall_now(), None)

    def _dead(self) -> dict[str, datetime]:
        now = clock.monotonic()
        with reading(self._runtime) as session:
            others = select(m.job_worker.c.id, m.job_worker.c.seen_at).where(m.job_worker.c.id != self._me)
            rows = {str(name): seen for name, seen in session.execute(others)}
        before, self._seen = self._seen, {}
        for name, seen in rows.items():
            known = before.get(name)
            self._seen[name] = known if known is not None and known[0] == seen else (seen, now)
        limit = 0.0 if self._alone else self._dead_after.total_seconds()
        return {name: seen for name, (seen, since) in self._seen.items() if now - since >= limit}


def _release(session: Session, worker: str, seen_at: datetime) -> bool:
    """Delete the dead one's row and end its leases; False when it has shown itself, or another has buried it, in the meantime."""
    gone = delete(m.job_worker).where(m.job_worker.c.id == worker, m.job_worker.c.seen_at == seen_at).returning(m.job_worker.c.id)
    if session.scalar(gone) is None:
        return False
    _set_deadline(session, worker, clock.wall_now(), None)
    return True


def _set_deadline(session: Session, worker: str, deadline: datetime, keys: tuple[int, ...] | None) -> None:
    """Move the end of the worker's leases (None: of all). Rows that a command holds are left out: that command ends or cancels the job, and
    to wait for several of them at once could deadlock with it."""
    if keys == ():
        return
    mine = select(m.job.c.key).where(m.job.c.worker == worker, m.job.c.state == "ACTIVATED")
    if keys is not None:
        mine = mine.where(m.job.c.key.in_(keys))
    found = list(session.scalars(mine.with_for_update(skip_locked=True)))
    if found:
        session.execute(m.job.update().where(m.job.c.key.in_(found)).values(deadline=deadline))


def living(session: Session) -> int:
    """How many processes ran jobs within the last minute, by this machine's clock: for people to look at."""
    recent = m.job_worker.c.seen_at > clock.wall_now() - timedelta(minutes=1)
    return session.scalar(select(func.count()).select_from(m.job_worker).where(recent)) or 0


def clean_up(runtime: Runtime) -> None:
    """Delete messages whose time is over, jobs that ended 30 days ago, and the job engine's own records of yesterday.

    Of several processes only the one with the smallest name does it, so that they do not stand in each other's way.
    """
    with reading(runtime) as session:
        first = session.scalar(select(func.min(m.job_worker.c.id)))
    if first not in (None, runtime.jobs.executor_id):
        return
    for remove in (remove_expired, _remove_ended):
        while True:
            with unit_of_work(runtime) as session:
                removed = remove(session)
            if removed < CLEAN_UP_AT_ONCE:
                break
    runtime.jobs.clean_up(KEEP_HINTS)


def _remove_ended(session: Session) -> int:
    old = (m.job.c.ended_at <= clock.wall_now() - KEEP_JOBS) & m.job.c.state.in_(ENDED)
    keys = list(session.scalars(select(m.job.c.key).where(old).order_by(m.job.c.key).limit(CLEAN_UP_AT_ONCE)))
    if keys:
        session.execute(delete(m.job).where(m.job.c.key.in_(keys)))
    return len(keys)
