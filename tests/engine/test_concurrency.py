"""Fifty people complete the fifty branches of one case at once, over HTTP: everybody gets 200, the join fires once (engine.md §3)."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import models as m
from engine.store import reads
from handlers.directory import service as directory
from tests.crash.running import Answer, request
from webapp import create_app, sessions
from webapp.composition import open_lianban

DIAGRAM = Path(__file__).parent / "diagrams" / "fifty.bpmn"
PEOPLE = [f"p{number:02}" for number in range(50)]
ROUNDS = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 10


@dataclass
class Office:
    """A served application and the cookies of fifty people."""

    engine: Engine
    port: int
    cookies: dict[str, str]

    def ask(self, person: str, method: str, path: str, data: object = None) -> Answer:
        return request(self.port, method, path, cookie=self.cookies[person], data=data)

    def start(self) -> int:
        with self.engine.unit_of_work() as session:
            return commands.start_instance(session, SYSTEM, "fifty", {"people": PEOPLE})

    def tasks(self, instance: int) -> dict[str, int]:
        """Person -> the key of their open task."""
        wanted = select(m.user_task.c.assignee, m.user_task.c.key)
        with self.engine.reading() as session:
            rows = session.execute(wanted.where(m.user_task.c.instance_key == instance, m.user_task.c.state == "CREATED"))
            return {str(assignee): int(key) for assignee, key in rows}


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    engine = open_lianban(Settings(database_url=database_url, jobs="inline", files_dir=tmp_path / "files"))
    engine.create_schema()
    app = create_app(engine)
    with app.app_context(), engine.unit_of_work() as session:
        directory.import_units(session)
        cookies = {}
        for person in PEOPLE:
            directory.create_demo_user(session, person, person, "staff", [("ZRZYJ", "handler")])
            cookies[person] = f"{sessions.COOKIE}={sessions.open_session(session, person)}"
        commands.deploy(session, SYSTEM, [(DIAGRAM.name, DIAGRAM.read_bytes())])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield Office(engine, server.server_port, cookies)
    server.shutdown()
    serving.join()
    server.server_close()
    engine.close()


def together(office: Office, tasks: dict[str, int], *, draft_first: bool) -> Counter[tuple[int, ...]]:
    """Everybody at once: (look at it, keep a draft,) complete it -> how often which statuses."""
    gate = threading.Barrier(len(tasks))

    def act(person: str) -> tuple[int, ...]:
        path = f"/tasks/{tasks[person]}"
        gate.wait(timeout=60)
        before = []
        if draft_first:
            before = [office.ask(person, "GET", path), office.ask(person, "POST", f"{path}/draft", {"opinion": "写到一半"})]
        return tuple(answer.status for answer in [*before, office.ask(person, "POST", f"{path}/complete", {"opinion": person})])

    with ThreadPoolExecutor(len(tasks)) as pool:
        return Counter(pool.map(act, tasks))


@pytest.mark.scaled
def test_fifty_branches_completed_at_once_round_after_round(office: Office) -> None:
    for number in range(ROUNDS):
        instance = office.start()
        tasks = office.tasks(instance)
        assert sorted(tasks) == PEOPLE
        everybody_is_done = {(200, 200, 200): 50} if number == 0 else {(200,): 50}
        assert together(office, tasks, draft_first=number == 0) == everybody_is_done
        with office.engine.reading() as session:
            assert reads.instance(session, instance).state == "COMPLETED"
            values = reads.variables(session, instance)
            history = [e for e in reads.element_history(session, instance) if e.element_id == "joined"]
        assert (values["opinions"], values["total"], len(history)) == (PEOPLE, 50, 1)


def test_one_task_submitted_by_fifty_clicks_is_completed_once_and_the_others_are_told(office: Office) -> None:
    task = office.tasks(office.start())["p00"]
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda _: office.ask("p00", "POST", f"/tasks/{task}/complete", {"opinion": "同意"}).status, range(50))
        assert Counter(answers) == {200: 1, 409: 49}
