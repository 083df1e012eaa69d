"""kill -9 of web and worker processes at random moments while cases run: all end, no approval is lost or counted twice, no job lost.

SQLite: the one process is killed again and again. PostgreSQL: two web processes and two workers, one of them at a time.
"""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import Engine
from engine.errors import Conflict
from engine.settings import Settings
from engine.store import models as m
from engine.store import reads
from tests.crash.cases import UNITS, begin, log_in, prepare, states
from tests.crash.running import Program, Site, request, running
from webapp import composition
from webapp.cli.opening import only_one

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
CASES, KILLS = (200, 12) if SOAK else (20, 2)
CLIENTS = 6
END_SECONDS = 300 if SOAK else 120
pytestmark = pytest.mark.scaled


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """The engine beside the processes: it prepares, and looks at the outcome; it runs no jobs."""
    settings = Settings(database_url=database_url, jobs="dbos", files_dir=tmp_path / "files")
    opened = composition.open_lianban(settings)
    prepare(opened)
    yield opened
    opened.close()


class Clerks:
    """Clients that complete every task once, at whichever server lives; an answer that a kill cut off is asked for again."""

    def __init__(self, engine: Engine, site: Site) -> None:
        self.done, self.unexpected = 0, list[str]()
        self._site, self._cookies = site, log_in(engine)
        with engine.reading() as session:
            rows = session.execute(select(m.user_task.c.key, m.user_task.c.candidate_groups).order_by(m.user_task.c.key)).all()
        self.tasks = [(row.key, row.candidate_groups[0].removesuffix(".handler")) for row in rows]
        random.shuffle(self.tasks)
        self._todo = iter(self.tasks)
        self._lock = threading.Lock()

    def work(self, _client: int) -> None:
        while True:
            with self._lock:
                task = next(self._todo, None)
            if task is None:
                return
            self._complete(*task)
            with self._lock:
                self.done += 1

    def _complete(self, key: int, unit: str) -> None:
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            web = random.choice(self._site.webs)
            try:
                answer = request(web.port, "POST", f"/tasks/{key}/complete", cookie=self._cookies[unit], data={"opinion": f"{unit} 同意"})
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if answer.status not in (200, 409):  # 409: the first request had been committed when the server was killed
                self.unexpected.append(f"{answer.status} {answer.body[:300]}")
            return
        self.unexpected.append(f"task {key} was never answered")


def kill_now_and_then(site: Site, clerks: Clerks) -> list[Program]:
    """Kill a process each time another part of the tasks is done, and once when all are and the jobs and timers run; start it again."""
    killed = []
    for part in range(1, KILLS + 1):
        until = len(clerks.tasks) * part // KILLS
        wait_for(lambda until=until: clerks.done >= until or clerks.unexpected, "clerks")
        time.sleep(random.uniform(0, 0.2) if part < KILLS else random.uniform(0.8, 1.6))
        victim = random.choice(site.programs())
        victim.kill()
        killed.append(victim)
        victim.start()
        victim.wait_until_ready()
    return killed


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)


def test_killed_processes_lose_and_double_nothing(engine: Engine, tmp_path: Path) -> None:
    keys = begin(engine, CASES)
    several = engine.runtime.database.dialect.name == "postgresql"
    with running(engine.settings, tmp_path, webs=2 if several else 1, workers=2 if several else 0) as site:
        clerks = Clerks(engine, site)
        with ThreadPoolExecutor(CLIENTS) as pool:
            working = [pool.submit(clerks.work, number) for number in range(CLIENTS)]
            killed = kill_now_and_then(site, clerks)
            for client in working:
                client.result()
        assert clerks.unexpected == []
        ended = {("approval", "COMPLETED"): CASES, ("archive", "COMPLETED"): CASES}
        wait_for(
            lambda: (
                (states(engine) == ended and undelivered(engine) == 0)
                or any(p.process is None or p.process.poll() is not None for p in site.programs())
            ),
            "the end",
        )
        log = site.programs()[0].log()
    assert states(engine) == ended, log
    assert len(killed) == KILLS
    _check_outcome(engine, keys, tmp_path)


def undelivered(engine: Engine) -> int:
    with engine.reading() as session:
        return int(session.execute(select(func.count()).select_from(m.message).where(m.message.c.state == "NEW")).scalar_one())


def _check_outcome(engine: Engine, keys: list[int], folder: Path) -> None:
    with engine.reading() as session:
        completed = Counter(session.scalars(select(m.audit_event.c.task_key).where(m.audit_event.c.action == "task.completed")))
        every = session.scalars(select(m.user_task.c.key)).all()
        numbers = []
        for key in keys:
            values = reads.variables(session, key)
            assert values["opinions"] == [{"unit": unit, "opinion": f"{unit} 同意"} for unit in UNITS]
            assert values["archivedAs"] == values["number"]
            numbers.append(values["number"])
        assert reads.incidents(session) == []
        assert set(session.scalars(select(m.job.c.state))) == {"COMPLETED"}
        assert session.scalar(select(func.count()).select_from(m.job)) == 2 * len(keys)
        assert undelivered(engine) == 0
    assert completed == dict.fromkeys(every, 1), "each approval once"
    assert sorted(numbers) == list(range(1, len(keys) + 1)), "a number each, without a gap"
    booked = Counter((folder / "ledger").read_text(encoding="ascii").split())
    assert len(booked) == len(keys) and min(booked.values()) >= 2, "I/O at least once for each job"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_second_server_on_one_sqlite_file_is_refused(database_url: str) -> None:
    settings = Settings(database_url=database_url)
    with only_one(settings), pytest.raises(Conflict, match="another server is running"), only_one(settings):
        raise AssertionError("let in")
    with only_one(settings):
        pass
