"""Processes that die: noticed by their heartbeat, their leases ended, what they had begun taken over; old things cleared away."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import Engine, clock, commands
from engine.background import attempt
from engine.commands.run_job import LEASE
from engine.commands.workers import KEEP_JOBS, Watch, clean_up, living
from engine.policy import SYSTEM
from engine.store import models as m
from tests.jobs import errands


class Recovering:
    """Notes whose jobs the job engine was asked to take over."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dead: list[str] = []
        monkeypatch.setattr(engine.runtime.jobs, "recover", self.dead.extend)


def process(engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch, *, dead_after: float = 0.0, alone: bool = False) -> Watch:
    """The watch of a process called `name` over the same database."""
    with monkeypatch.context() as patch:
        patch.setattr(engine.runtime.jobs, "executor_id", name)
        return Watch(engine.runtime, dead_after=timedelta(seconds=dead_after), alone=alone)


def names(engine: Engine) -> set[str]:
    with engine.reading() as session:
        return set(session.scalars(select(m.job_worker.c.id)))


def test_dead_process_is_buried_once_and_its_leases_end(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    recovering = Recovering(engine, monkeypatch)
    (key,) = errands.start(engine)
    errands.change_job(engine, errands.job(engine, key).key, state="ACTIVATED", worker="dead", deadline=clock.wall_now() + LEASE)
    process(engine, "dead", monkeypatch).beat()
    alive, other = process(engine, "alive", monkeypatch), process(engine, "other", monkeypatch)
    alive.beat()
    other.beat()
    assert "dead" in alive.bury()
    assert "dead" in recovering.dead and "dead" not in names(engine)
    assert errands.job(engine, key).deadline <= clock.wall_now()
    assert "dead" not in other.bury()


def test_process_that_shows_itself_lives(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    first, second = (process(engine, name, monkeypatch, dead_after=30) for name in ("first", "second"))
    second.beat()
    assert first.bury() == [], "seen for the first time: nobody knows yet"
    now[0] += 29
    assert first.bury() == []
    second.beat()
    now[0] += 29
    assert first.bury() == [], "it has shown itself since"
    now[0] += 31
    assert first.bury() == ["second"]
    second.beat()
    assert names(engine) == {"second"}, "whoever was only slow comes back"


def test_only_process_takes_over_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    process(engine, "yesterday", monkeypatch).beat()
    assert process(engine, "today", monkeypatch, dead_after=30, alone=True).bury() == ["yesterday"]


def test_process_that_leaves_is_not_taken_for_dead(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = errands.start(engine)
    errands.change_job(engine, errands.job(engine, key).key, state="ACTIVATED", worker="yesterday", deadline=clock.wall_now() + LEASE)
    leaving = process(engine, "yesterday", monkeypatch)
    leaving.beat()
    leaving.leave()
    assert names(engine) == set()
    assert process(engine, "today", monkeypatch, alone=True).bury() == []
    assert errands.job(engine, key).deadline <= clock.wall_now(), "a job that failed to report waits for nobody"


@pytest.mark.parametrize("nothing_left", [True, False])
def test_stopped_engine_leaves_its_row_only_for_jobs_to_be_taken_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, nothing_left: bool
) -> None:
    monkeypatch.setattr(engine.runtime.jobs, "stop", lambda: nothing_left)
    beaten = threading.Event()
    monkeypatch.setattr(Watch, "bury", lambda _watch: beaten.set())
    engine.start()
    assert beaten.wait(20)
    assert names(engine) == {"inline"}
    engine.stop()
    assert names(engine) == (set() if nothing_left else {"inline"})


def test_machines_with_different_clocks_do_not_bury_each_other(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    process(engine, "an hour behind", monkeypatch).beat()
    with engine.unit_of_work() as session:
        session.execute(m.job_worker.update().values(seen_at=clock.wall_now() - timedelta(hours=1)))
    assert process(engine, "here", monkeypatch, dead_after=30).bury() == []


def test_heartbeat_renews_the_leases_of_running_jobs_only(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    running, forgotten = (errands.job(engine, key).key for key in errands.start(engine, 2))
    soon = clock.wall_now() + timedelta(seconds=1)
    for key in (running, forgotten):
        errands.change_job(engine, key, state="ACTIVATED", worker="me", deadline=soon)
    engine.runtime.leased.add(running)
    process(engine, "me", monkeypatch).beat()
    with engine.reading() as session:
        deadlines = dict(session.execute(select(m.job.c.key, m.job.c.deadline)).all())
    assert deadlines[running] > soon + LEASE / 2
    assert deadlines[forgotten] == soon


def test_clean_up_deletes_what_ended_long_ago_and_nothing_else(engine: Engine) -> None:
    old, young, waiting = (errands.job(engine, key).key for key in errands.start(engine, 3))
    for key in (old, young):
        with engine.unit_of_work() as session:
            commands.complete_job(session, SYSTEM, key, {})
    errands.change_job(engine, old, ended_at=clock.wall_now() - KEEP_JOBS - timedelta(seconds=1))
    for ttl in (0, 3600):
        with engine.unit_of_work() as session:
            commands.publish_message(session, SYSTEM, "nobody_waits", str(ttl), {}, ttl_seconds=ttl)
    clean_up(engine.runtime)
    with engine.reading() as session:
        assert set(session.scalars(select(m.job.c.key))) == {young, waiting}
        assert list(session.scalars(select(m.message.c.correlation_key))) == ["3600"]


def test_one_of_several_processes_cleans_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.unit_of_work() as session:
        commands.publish_message(session, SYSTEM, "nobody_waits", "1", {}, ttl_seconds=0)
    process(engine, "a", monkeypatch).beat()
    clean_up(engine.runtime)  # this process is called "inline", and comes after "a"
    with engine.reading() as session:
        assert len(session.execute(select(m.message)).all()) == 1


def test_one_broken_piece_of_work_does_not_end_the_sweep(engine: Engine) -> None:
    def broken() -> None:
        raise ValueError("a defect")

    attempt("broken", broken)
    engine.runtime.sweeps.append(broken)
    engine.sweep()


def test_processes_that_ran_jobs_within_a_minute_are_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "other"):
        process(engine, name, monkeypatch).beat()
    with engine.unit_of_work() as session:
        session.execute(m.job_worker.update().where(m.job_worker.c.id == "other").values(seen_at=clock.wall_now() - timedelta(minutes=2)))
        assert living(session) == 1
