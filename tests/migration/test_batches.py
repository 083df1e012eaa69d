"""Batches: one operation over many instances, each in a transaction of its own; progress survives a crash; nothing is done twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import func, select

from engine import Engine, clock, commands, open_engine
from engine.commands import batches as running
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.jobs.dbos_adapter import DbosJobs
from engine.policy import SYSTEM, Actor
from engine.settings import Settings
from engine.store import batches, definitions
from engine.store import models as m
from tests.bpmn.support import END, START, chain, doc, flow, gate, user
from tests.migration.support import both_databases, complete, deploy, instance, open_tasks, sequence, start


def create(engine: Engine, kind: str, keys: list[int], **parameters: object) -> int:
    """A batch; inline jobs run it at once."""
    with engine.unit_of_work() as session:
        return commands.create_batch(session, SYSTEM, kind, keys, parameters, reason="测试")


def create_only(engine: Engine, kind: str, keys: list[int], monkeypatch: pytest.MonkeyPatch, **parameters: object) -> int:
    """A batch whose job got lost."""
    with monkeypatch.context() as patch:
        patch.setattr(type(engine.runtime.jobs), "enqueue", lambda *_args, **_named: None)
        return create(engine, kind, keys, **parameters)


def progress(engine: Engine, key: int) -> batches.BatchProgress:
    with engine.reading() as session:
        return commands.batch_progress(session, SYSTEM, key)


@both_databases
def test_instances_are_migrated_and_each_failure_is_named(engine: Engine) -> None:
    source = deploy(engine, sequence("a", "b"))
    keys = [start(engine) for _ in range(4)]
    complete(engine, keys[1], "a")
    complete(engine, keys[2], "a")
    complete(engine, keys[2], "b")
    target = deploy(engine, sequence("a", "c"))
    key = create(engine, "migrate", keys, sourceKey=source, targetKey=target)
    done = progress(engine, key)
    assert (done.state, done.total, done.done, done.failed, done.pending, done.percent) == ("COMPLETED", 4, 2, 2, 0, 100)
    with engine.reading() as session:
        failed = {item.instance_key: (item.code, item.message, item.message_en) for item in batches.items(session, key, "FAILED")}
    assert failed[keys[1]][0] == "migration_refused" and "b" in failed[keys[1]][1] and failed[keys[1]][2]
    assert failed[keys[2]][0] == "conflict"
    assert [instance(engine, k).definition_key == target for k in keys] == [True, False, False, True]


def test_a_batch_of_migrations_is_undone_by_a_batch(engine: Engine) -> None:
    source = deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(3)]
    target = deploy(engine, sequence("a", "b"))
    first = create(engine, "migrate", keys, sourceKey=source, targetKey=target)
    complete(engine, keys[0], "a")
    with engine.reading() as session:
        found = commands.undoable_of_batch(session, SYSTEM, first)
        with pytest.raises(Forbidden):
            commands.undoable_of_batch(session, Actor("nobody"), first)
    assert [(each.instance_key, bool(each.why_not)) for each in found] == [(keys[0], True), (keys[1], False), (keys[2], False)]
    undone = progress(engine, create(engine, "undo_migration", keys))
    assert (undone.done, undone.failed) == (2, 1)
    assert [instance(engine, k).definition_key for k in keys] == [target, source, source]
    with engine.reading() as session:
        assert [each.instance_key for each in commands.undoable_of_batch(session, SYSTEM, first)] == keys[:1], "the others are undone"
    with engine.reading() as session:
        assert set(session.scalars(select(m.instance_migration.c.batch_key))) == {first}


@pytest.mark.parametrize("kind", ["cancel", "suspend"])
def test_other_operations(engine: Engine, kind: str) -> None:
    deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(2)]
    assert progress(engine, create(engine, kind, keys)).done == 2
    again = progress(engine, create(engine, kind, keys))
    assert (again.done, again.failed) == (0, 2)
    if kind == "suspend":
        assert progress(engine, create(engine, "resume", keys)).done == 2
        complete(engine, keys[0], "a")
    else:
        assert {instance(engine, k).state for k in keys} == {"TERMINATED"}


def test_instances_are_modified(engine: Engine) -> None:
    deploy(engine, sequence("a", "b"))
    keys = [start(engine) for _ in range(2)]
    complete(engine, keys[1], "a")
    move = {"sourceElementId": "a", "targetElementId": "b"}
    done = progress(engine, create(engine, "modify", keys, moveInstructions=[move]))
    assert (done.done, done.failed) == (1, 1)
    assert [list(open_tasks(engine, k)) for k in keys] == [["b"], ["b"]]


def test_an_analyst_may_migrate_and_modify_but_not_cancel(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    key = start(engine)
    analyst = Actor("liuyang", powers=frozenset({"deploy"}))
    with pytest.raises(Forbidden), engine.unit_of_work() as session:
        commands.create_batch(session, analyst, "cancel", [key], reason="x")
    with engine.unit_of_work() as session:
        batch = commands.create_batch(session, analyst, "undo_migration", [key], reason="x")
    with engine.reading() as session:
        assert commands.batch_progress(session, analyst, batch).failed == 1
        with pytest.raises(Forbidden):
            commands.batch_progress(session, Actor("nobody"), batch)


def test_incidents_are_retried(engine: Engine) -> None:
    body = START + gate("x", "exclusive") + user("a") + END + chain("s", "x") + flow("x", "a", "good") + chain("a", "e")
    deploy(engine, doc(body))
    broken, sound = start(engine), start(engine, {"good": True})
    done = progress(engine, create(engine, "retry_incidents", [broken, sound]))
    assert (done.done, done.failed) == (1, 1)


def test_more_instances_than_one_slice(engine: Engine) -> None:
    """More than one slice: the job hands over to itself."""
    source = deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(7)]
    target = deploy(engine, sequence("a", "b"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "SLICE", 3)
        key = create(engine, "migrate", keys, sourceKey=source, targetKey=target)
    assert (progress(engine, key).state, progress(engine, key).done) == ("COMPLETED", 7)


@both_databases
def test_a_worker_that_dies_in_the_middle_loses_and_repeats_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(5)]
    key = create_only(engine, "cancel", keys, monkeypatch)
    done: list[int] = []
    real = running.OPERATIONS["cancel"]

    def dies(session, actor, instance_key, parameters, reason, batch_key) -> None:  # type: ignore[no-untyped-def]
        real(session, actor, instance_key, parameters, reason, batch_key)
        done.append(instance_key)
        if len(done) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(running.OPERATIONS, "cancel", dies)
        with pytest.raises(KeyboardInterrupt):
            commands.run_batch(engine.runtime, key)
    assert (progress(engine, key).done, progress(engine, key).state) == (2, "RUNNING"), "the third was rolled back with its item"
    engine.sweep()
    assert progress(engine, key).done == 2, "the sweep gives the worker a minute"
    with engine.unit_of_work() as session:
        batches.touch(session, key, clock.wall_now() - 2 * running.QUIET)
    engine.sweep()
    assert (progress(engine, key).done, progress(engine, key).state) == (5, "COMPLETED")
    with engine.reading() as session:
        cancelled = m.audit_event.c.action == "instance.cancelled"
        assert session.scalar(select(func.count()).select_from(m.audit_event).where(cancelled)) == 5


def test_a_defect_in_one_instance_does_not_stop_the_batch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(3)]
    real = running.OPERATIONS["cancel"]

    def fails(session, actor, instance_key, parameters, reason, batch_key) -> None:  # type: ignore[no-untyped-def]
        real(session, actor, instance_key, parameters, reason, batch_key)
        if instance_key == keys[1]:
            raise ZeroDivisionError("defect")

    monkeypatch.setitem(running.OPERATIONS, "cancel", fails)
    key = create(engine, "cancel", keys)
    assert (progress(engine, key).done, progress(engine, key).failed) == (2, 1)
    assert instance(engine, keys[1]).state == "ACTIVE", "what the failing one did is rolled back"
    with engine.reading() as session:
        (item,) = batches.items(session, key, "FAILED")
    assert (item.code, item.message) == ("unexpected", "ZeroDivisionError: defect")


def test_pause_resume_cancel(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(3)]
    key = create_only(engine, "cancel", keys, monkeypatch)
    with engine.unit_of_work() as session:
        commands.pause_batch(session, SYSTEM, key)
    commands.run_batch(engine.runtime, key)
    assert (progress(engine, key).done, progress(engine, key).state) == (0, "PAUSED")
    with pytest.raises(Conflict), engine.unit_of_work() as session:
        commands.pause_batch(session, SYSTEM, key)
    with engine.unit_of_work() as session:
        commands.resume_batch(session, SYSTEM, key)
    assert (progress(engine, key).done, progress(engine, key).state) == (3, "COMPLETED")
    with pytest.raises(Conflict), engine.unit_of_work() as session:
        commands.cancel_batch(session, SYSTEM, key)


def test_a_cancelled_batch_leaves_out_what_has_not_begun(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(engine, sequence("a"))
    key = create_only(engine, "cancel", [start(engine), start(engine)], monkeypatch)
    with engine.unit_of_work() as session:
        commands.cancel_batch(session, SYSTEM, key)
    commands.run_batch(engine.runtime, key)
    now = progress(engine, key)
    assert (now.state, now.skipped, now.pending) == ("CANCELLED", 2, 0) and now.ended_at is not None


@both_databases
def test_two_workers_on_one_batch_take_different_items(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(4)]
    key = create_only(engine, "cancel", keys, monkeypatch)
    if engine.runtime.database.dialect.name == "postgresql":
        with engine.unit_of_work() as first, engine.unit_of_work() as second:
            a, b = batches.take_next(first, key), batches.take_next(second, key)
            assert a is not None and b is not None and a.position != b.position
    commands.run_batch(engine.runtime, key)
    commands.run_batch(engine.runtime, key)
    assert progress(engine, key).done == 4


def test_bad_input_is_refused(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    key = start(engine)
    bad = [("unknown", [key], {}), ("migrate", [key], {"sourceKey": 1}), ("cancel", [], {})]
    for kind, keys, parameters in bad:
        with pytest.raises(Invalid):
            create(engine, kind, keys, **parameters)
    with pytest.raises(NotFound):
        create(engine, "cancel", [key, 10**9])
    with pytest.raises(Invalid), engine.unit_of_work() as session:
        commands.create_batch(session, SYSTEM, "cancel", [key], {}, reason=" ")
    with pytest.raises(NotFound):
        progress(engine, 10**9)


def test_the_newest_batches_come_first_with_their_items(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    one, two = start(engine, business_id="p1"), start(engine, business_id="p2")
    first, second = create(engine, "suspend", [one]), create(engine, "suspend", [two, two])
    with engine.reading() as session:
        assert [b.key for b in batches.newest(session)] == [second, first]
        assert [(i.business_id, i.state) for i in batches.items(session, second)] == [("p2", "DONE")]
    assert list(open_tasks(engine, one)) == ["a"] and timedelta(0) <= clock.wall_now() - progress(engine, first).created_at


def test_usage_moves_to_the_new_version(engine: Engine) -> None:
    source = deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(2)]
    target = deploy(engine, sequence("a", "b"))
    create(engine, "migrate", keys, sourceKey=source, targetKey=target)
    with engine.reading() as session:
        assert definitions.active_elements(session, target) == {"a": 2}
        assert definitions.usage(session)[target].active == 2


def test_the_job_engine_runs_a_batch_to_its_end(tmp_path: Path) -> None:
    """DBOS instead of inline jobs: the batch begins after the commit, in another thread."""
    engine = open_engine(Settings(database_url=f"sqlite:///{tmp_path / 'jobs.db'}", jobs="dbos", files_dir=tmp_path))
    engine.create_schema()
    jobs = engine.runtime.jobs
    assert isinstance(jobs, DbosJobs)
    jobs.migrate()
    source = deploy(engine, sequence("a"))
    keys = [start(engine) for _ in range(3)]
    target = deploy(engine, sequence("a", "b"))
    with ThreadPoolExecutor(1) as thread:  # a browser test of the same process may have left an event loop in this one
        thread.submit(engine.start).result()
        key = create(engine, "migrate", keys, sourceKey=source, targetKey=target)
        for _ in range(200):
            if progress(engine, key).state == "COMPLETED":
                break
            Event().wait(0.1)
        thread.submit(engine.close).result()
    assert (progress(engine, key).done, progress(engine, key).state) == (3, "COMPLETED")
