"""The REST API: cycles of start, list, get and complete against requests to an empty Flask route plus bare commits; fifty people who
complete fifty branches of one instance at the same moment against one of them alone.

Both sides are called as WSGI applications in this process, so that no socket hides what the application costs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import select

from benchmarks._measure import Action, Database, Row, bare_commit, databases, in_turn, row, settle
from engine import Engine, commands
from engine.policy import SYSTEM
from engine.settings import Settings
from engine.store import models as m
from handlers.directory import service as directory
from tests.webapp.conftest import log_in
from webapp import create_app
from webapp.composition import open_lianban

Ask = Callable[[str, str, Any], Any]
DIAGRAMS = Path(__file__).parent / "diagrams"
CYCLES = 200
BRANCHES = 50
ROUNDS = 9


def run() -> list[Row]:
    """Rows of the table in var/bench.json, on SQLite and PostgreSQL."""
    with databases() as both:
        return [line for database in both for line in _measure(database)]


def _measure(database: Database) -> list[Row]:
    engine = open_lianban(Settings(database_url=database.url, jobs="inline", files_dir=database.folder / "files"))
    engine.create_schema()
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "bench", "压力", "admin", [("ZRZYJ", "handler")])
        files = ("http.bpmn", "branches.bpmn")
        commands.deploy(session, SYSTEM, [(name, (DIAGRAMS / name).read_bytes()) for name in files])
    app = create_app(engine)
    settle()
    cycle, base = in_turn(CYCLES, _cycle(app), _four_empty_requests(bare_commit(database, engine)))
    single, together = _branches(engine, app)
    engine.close()
    where = f"({database.label})"
    return [
        row(f"HTTP cycle start, list, get, complete vs 4 empty requests + 2 commits {where}", cycle, base, 3.0),
        row(f"HTTP cycles per second {where}", 1 / cycle, None, None, "1/s"),
        row(f"50 HTTP completions of one instance at once vs one of them alone {where}", together, single, 60.0),
    ]


def _cycle(app: Flask) -> Action:
    ask = _client(app)

    def cycle(_number: int) -> None:
        instance = ask("POST", "/v2/process-instances", {"processDefinitionId": "bench_http", "variables": {"amount": 3}})
        found = ask("POST", "/v2/user-tasks/search", {"filter": {"processInstanceKey": instance["processInstanceKey"]}})
        key = found["items"][0]["userTaskKey"]
        ask("GET", f"/v2/user-tasks/{key}", None)
        ask("POST", f"/v2/user-tasks/{key}/completion", {"variables": {"opinion": "同意"}})

    return cycle


def _client(app: Flask) -> Ask:
    client = log_in(app, "bench")

    def ask(method: str, path: str, body: Any) -> Any:
        answer = client.open(path, method=method, json=body, headers={"Origin": "http://localhost"})
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json(silent=True)

    return ask


def _four_empty_requests(bare: Action) -> Action:
    app = Flask("empty")
    app.add_url_rule("/", view_func=lambda: "", methods=["GET", "POST"])
    client = app.test_client()

    def cycle(number: int) -> None:
        for method in ("POST", "POST", "GET", "POST"):
            client.open("/", method=method)
        bare(2 * number)
        bare(2 * number + 1)

    return cycle


def _branches(engine: Engine, app: Flask) -> tuple[float, float]:
    """(median seconds of one completion, median seconds until all are done together) of several rounds of each."""
    asks = [_client(app) for _ in range(BRANCHES)]
    alone, together = [], []
    for _ in range(ROUNDS):
        for key in _open_branches(engine)[0]:
            began = time.perf_counter()
            _complete(asks[0], key)
            alone.append(time.perf_counter() - began)
        together.append(_together(engine, asks))
    return statistics.median(alone), statistics.median(together)


def _together(engine: Engine, asks: list[Ask]) -> float:
    """Seconds until fifty people have completed the fifty branches of one instance; every answer is a success and the join fires once."""
    keys, instance = _open_branches(engine)
    ready = Barrier(BRANCHES + 1)

    def complete(number: int) -> None:
        ready.wait(timeout=60)
        _complete(asks[number], keys[number])

    with ThreadPoolExecutor(BRANCHES) as pool:
        done = [pool.submit(complete, number) for number in range(BRANCHES)]
        ready.wait(timeout=60)
        began = time.perf_counter()
        for each in done:
            each.result()
        together = time.perf_counter() - began
    with engine.reading() as session:
        after = select(m.user_task.c.element_id).where(m.user_task.c.instance_key == instance, m.user_task.c.state == "CREATED")
        assert list(session.scalars(after)) == ["after"], "the join fires once"
    return together


def _complete(ask: Ask, key: int) -> None:
    ask("POST", f"/v2/user-tasks/{key}/completion", {"variables": {}})


def _open_branches(engine: Engine) -> tuple[list[int], int]:
    with engine.unit_of_work() as session:
        instance = commands.start_instance(session, SYSTEM, "bench_branches", {"members": list(range(BRANCHES))})
    with engine.reading() as session:
        return list(session.scalars(select(m.user_task.c.key).where(m.user_task.c.instance_key == instance))), instance
