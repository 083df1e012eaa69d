"""The scale-out profile for real: two web processes and two workers over one PostgreSQL, spoken to over HTTP."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from engine import Engine, clock
from engine.settings import Settings
from engine.store import models as m
from engine.store import reads
from tests.crash.cases import UNITS, begin, log_in, prepare, states
from tests.crash.running import Site, request, running
from tests.postgres import Cluster
from webapp import composition

END_SECONDS = 120


@dataclass
class Town:
    """The running processes, an engine beside them that looks and prepares, and everybody's cookie."""

    site: Site
    engine: Engine
    cookies: dict[str, str]

    def complete(self, task: Any, web: int) -> int:
        """Complete a task at one of the web processes -> the HTTP status."""
        unit = task.candidate_groups[0].removesuffix(".handler")
        path = f"/tasks/{task.key}/complete"
        return request(self.site.webs[web].port, "POST", path, cookie=self.cookies[unit], data={"opinion": unit}).status

    def tasks(self, instance: int) -> list[Any]:
        with self.engine.reading() as session:
            return [task for task in reads.tasks_of_root(session, instance) if task.state == "CREATED"]


@pytest.fixture(scope="module")
def town(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    name, folder = f"scale_out_{os.getpid()}", tmp_path_factory.mktemp("scale-out")
    admin = create_engine(postgres_cluster.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    engine = composition.open_lianban(Settings(database_url=postgres_cluster.url(name), jobs="dbos", files_dir=folder / "files"))
    prepare(engine)
    with running(engine.settings, folder, webs=2, workers=2) as site:
        yield Town(site, engine, log_in(engine))
    engine.close()


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)


def test_tasks_of_one_case_are_completed_at_either_process_and_its_timer_and_jobs_run_once(town: Town) -> None:
    before = states(town.engine)["approval", "COMPLETED"]
    keys = begin(town.engine, 6)
    for number, key in enumerate(keys):
        for turn, task in enumerate(town.tasks(key)):
            assert town.complete(task, (number + turn) % 2) == 200, "each process sees what the other has done"
    wait_for(lambda: states(town.engine)["approval", "COMPLETED"] == before + 6, "the ends")
    with town.engine.reading() as session:
        fired = Counter(session.scalars(select(m.audit_event.c.instance_key).where(m.audit_event.c.action == "timer.fired")))
        jobs = session.execute(select(m.job.c.state, m.job.c.attempts)).all()
        for key in keys:
            assert [o["unit"] for o in reads.variables(session, key)["opinions"]] == list(UNITS)
    assert [fired[key] for key in keys] == [1] * 6
    assert {tuple(job) for job in jobs} == {("COMPLETED", 1)}


def test_same_task_at_both_processes_at_once_counts_once(town: Town) -> None:
    for key in begin(town.engine, 4):
        for task in town.tasks(key):
            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(lambda web, task=task: town.complete(task, web), (0, 1))) == [200, 409]


def test_page_at_one_process_hears_of_a_change_at_the_other(town: Town) -> None:
    (key,) = begin(town.engine, 1)
    first, *_ = town.tasks(key)
    with closing(http.client.HTTPConnection("127.0.0.1", town.site.webs[0].port, timeout=END_SECONDS)) as stream:
        stream.request("GET", "/live", headers={"Cookie": town.cookies["ZJJ"]})
        events = stream.getresponse()
        assert events.status == 200 and events.readline() == b"retry: 3000\n"
        assert town.complete(first, 1) == 200
        lines = iter(events.readline, b"")
        assert next(line for line in lines if line.startswith(b"data:") and b'"c0"' in line)


def test_workers_show_themselves_and_web_processes_without_jobs_do_not(town: Town) -> None:
    def seen() -> int:
        with town.engine.reading() as session:
            recent = m.job_worker.c.seen_at > clock.wall_now() - timedelta(seconds=30)
            return len(session.scalars(select(m.job_worker.c.id).where(recent)).all())

    wait_for(lambda: seen() == 2, "two heartbeats")


def test_stopped_worker_hands_over_and_the_other_goes_on(town: Town) -> None:
    leaving = town.site.workers[0]
    assert leaving.process is not None
    leaving.process.send_signal(signal.SIGTERM)
    assert leaving.process.wait(timeout=END_SECONDS) == 0, leaving.log()
    before = states(town.engine)["archive", "COMPLETED"]
    for key in begin(town.engine, 2):
        for task in town.tasks(key):
            assert town.complete(task, 0) == 200
    wait_for(lambda: states(town.engine)["archive", "COMPLETED"] >= before + 2, "the ends")
