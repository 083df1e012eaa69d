"""A full disk, a lost connection, a restarted database server: the request gets 503 and changes nothing, the next one works."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text

from engine import Engine, commands, open_engine
from engine.policy import SYSTEM
from engine.runtime import InstanceCache
from engine.settings import Settings
from engine.store import database, reads
from engine.store import models as m
from handlers.directory import service as directory
from tests.postgres import Cluster
from tests.webapp.conftest import log_in
from webapp import create_app

DIAGRAM = Path(__file__).parents[1] / "engine" / "diagrams" / "parallel_review.bpmn"


def start(engine: Engine) -> tuple[int, int]:
    """A review by 自然资源局 -> the instance's and its open task's key."""
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
        key = commands.start_instance(session, SYSTEM, "parallel_review", {"units": ["ZRZYJ"]})
    with engine.reading() as session:
        return key, int(session.execute(select(m.user_task.c.key).where(m.user_task.c.instance_key == key)).scalar_one())


def complete(client: FlaskClient, task: int, opinion: str = "同意") -> Any:
    return client.post(f"/tasks/{task}/complete", json={"data": {"opinion": opinion}}, headers={"Accept": "application/json"})


def completions(engine: Engine, task: int) -> int:
    with engine.reading() as session:
        trail = select(m.audit_event.c.id).where(m.audit_event.c.task_key == task, m.audit_event.c.action == "task.completed")
        return len(session.execute(trail).all())


def assert_unavailable(answer: Any) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["code"] == "unavailable"


class FullDisk:
    """SQLite may not take another page, on every connection of the pool, until it is lifted."""

    def __init__(self, engine: Engine) -> None:
        self._database, self._full = engine.runtime.database, True
        with self._database.connect() as connection:
            self._pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        event.listen(self._database, "connect", self._limit)
        self._database.dispose()

    def _limit(self, connection: Any, _record: Any) -> None:
        if self._full:
            connection.execute(f"PRAGMA max_page_count={self._pages}")

    def lift(self) -> None:
        self._full = False
        self._database.dispose()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_full_disk_refuses_writing_keeps_reading_and_everything_works_when_there_is_room(app: Flask, people: Engine) -> None:
    key, task = start(people)
    client = log_in(app, "li")
    disk = FullDisk(people)
    long_opinion = "同意" * 50_000
    assert_unavailable(complete(client, task, long_opinion))
    assert client.get(f"/tasks/{task}").status_code == 200
    assert completions(people, task) == 0
    disk.lift()
    assert complete(client, task, long_opinion).status_code == 200
    assert completions(people, task) == 1
    with people.reading() as session:
        assert reads.variables(session, key)["opinions"] == [{"unit": "ZRZYJ", "opinion": long_opinion}]


def test_page_of_a_fault_is_clear_and_needs_no_database(app: Flask, people: Engine) -> None:
    client, monitor = log_in(app, "li"), app.test_client()

    def gone(*_: Any) -> None:
        raise people.runtime.database.dialect.loaded_dbapi.OperationalError("the database is gone")

    pools = (
        {people.runtime.database, people.runtime.readers} if people.runtime.database.dialect.name != "sqlite" else {people.runtime.database}
    )
    for pool in pools:
        pool.dispose()
        event.listen(pool, "do_connect", gone)
    page = client.get("/")
    assert page.status_code == 503 and "数据库暂时没有应答" in page.text and "Traceback" not in page.text
    assert (monitor.get("/health").status_code, monitor.get("/ready").status_code) == (200, 503)
    for pool in pools:
        event.remove(pool, "do_connect", gone)
    assert client.get("/").status_code in (200, 302)
    assert monitor.get("/ready").status_code == 200


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_idle_connections_that_were_cut_are_replaced_unnoticed(app: Flask, people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task = start(people)
    client = log_in(app, "li")
    _cut_connections(people)
    monkeypatch.setattr(database, "IDLE_SECONDS", -1)  # as if time had passed
    assert complete(client, task).status_code == 200


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_busy_connections_that_were_cut_cost_one_request_at_most(app: Flask, people: Engine) -> None:
    _, task = start(people)
    client = log_in(app, "li")
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: client.get("/ready"), range(20)))
    _cut_connections(people)
    first = complete(client, task)
    assert first.status_code in (200, 503)
    if first.status_code == 503:
        assert complete(client, task).status_code == 200
    assert completions(people, task) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_connection_cut_in_the_middle_of_a_command_changes_nothing_and_a_second_try_works(app: Flask, people: Engine) -> None:
    key, task = start(people)
    client = log_in(app, "li")
    with people.unit_of_work() as holder, ThreadPoolExecutor(1) as pool:
        reads.lock_root(holder, key)
        waiting = pool.submit(complete, client, task)
        _wait_until_somebody_waits(people)
        _cut_connections(people, spare=int(holder.scalar(text("SELECT pg_backend_pid()"))))
        assert_unavailable(waiting.result(timeout=60))
    assert completions(people, task) == 0
    assert complete(client, task).status_code == 200
    assert completions(people, task) == 1


def _cut_connections(engine: Engine, spare: int = 0) -> None:
    with engine.runtime.database.connect() as connection:
        others = "datname = current_database() AND pid NOT IN (pg_backend_pid(), :spare)"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"), {"spare": spare})


def _wait_until_somebody_waits(engine: Engine) -> None:
    waiting = text("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")
    pause = threading.Event()
    for _ in range(600):
        with engine.runtime.database.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
        pause.wait(0.05)
    raise AssertionError("nobody waits for the lock")


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL that may be stopped."""
    with tempfile.TemporaryDirectory(prefix="lianban-restart-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster.start(Path(folder))
        yield cluster
        cluster.stop()


def test_restart_of_the_database_server_is_survived_by_pages_and_jobs(own_cluster: Cluster, tmp_path: Path) -> None:
    engine = open_engine(Settings(database_url=own_cluster.url("postgres"), jobs="dbos", files_dir=tmp_path / "files"))
    engine.create_schema()
    engine.runtime.jobs.migrate()  # type: ignore[attr-defined]  # DBOS's tables
    ran = threading.Event()
    engine.runtime.jobs.register("note", lambda _key: ran.set())
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "li", "李建国", "staff", [("ZRZYJ", "handler")])
    client = log_in(create_app(engine), "li")
    _, task = start(engine)
    with ThreadPoolExecutor(1) as thread:  # Playwright's event loop in this one would keep DBOS from starting
        thread.submit(engine.start).result()
        own_cluster.stop()
        assert_unavailable(complete(client, task))
        own_cluster.start_again()
        assert complete(client, task).status_code == 200
        with engine.unit_of_work() as session:
            engine.runtime.jobs.enqueue(session, "note", 1)
        assert ran.wait(60), "the job engine has found its database again"
        thread.submit(engine.close).result()


def test_evicted_instances_are_built_again_from_their_rows(people: Engine) -> None:
    people.runtime.instances = InstanceCache(1)
    tasks = [start(people)[1] for _ in range(3)]
    for task in tasks:
        people.runtime.instances.clear()
        with people.unit_of_work() as session:
            commands.complete_task(session, directory.actor_named(session, "li"), task, {"opinion": "同意"})
    with people.reading() as session:
        assert len(session.execute(select(m.user_task.c.key).where(m.user_task.c.element_id == "t_sum")).all()) == 3


def test_command_that_fails_leaves_nothing_in_the_cache(people: Engine) -> None:
    _, task = start(people)
    with pytest.raises(RuntimeError), people.unit_of_work() as session:
        commands.complete_task(session, directory.actor_named(session, "li"), task, {"opinion": "不同意"})
        raise RuntimeError("after the step, before the commit")
    assert completions(people, task) == 0
    with people.unit_of_work() as session:
        commands.complete_task(session, directory.actor_named(session, "li"), task, {"opinion": "同意"})
    assert completions(people, task) == 1
