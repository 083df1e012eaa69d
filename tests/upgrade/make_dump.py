"""Makes the database of a landed version, full of unfinished work, for the tests of this folder: run once after each landing.

    .venv/bin/python tests/upgrade/make_dump.py COMMIT landingN

takes the program of that commit out of git, lets *it* make the database and writes landingN.sql.xz beside this file: SQL text whose first
line is a comment with the facts that the tests need (JSON). Only what every landed version has is used here; when a later version moves
something, try both places.
"""

from __future__ import annotations

import csv
import hashlib
import json
import lzma
import os
import random
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import select

HERE = Path(__file__).parent
PROJECTS = ("3", "4", "5", "6")
"""Of the demo: one to be ended here, a joint review half signed, a joint acceptance whose one failure is inspected again, a publicity with
an objection."""
ENDED, SUSPENDED = "3", "6"
SESSION = "the cookie of somebody who was logged in at the time"
DRAFT = {"text": "写了一半"}


def main(arguments: list[str]) -> int:
    """Make the dump of a commit; inside the process that runs that commit's program: only the database."""
    if arguments[0] == "--inside":
        folder = Path(arguments[1])
        (folder / "facts.json").write_text(json.dumps(_live(folder), ensure_ascii=False), encoding="utf-8")
        return 0
    commit, name = arguments
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        archive = subprocess.run(["git", "archive", commit], cwd=HERE.parent.parent, check=True, stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as program:
            program.extractall(folder / "program", filter="data")
        environment = os.environ | {"PYTHONPATH": str(folder / "program")}
        subprocess.run([sys.executable, __file__, "--inside", made], cwd=folder, env=environment, check=True)
        facts = {"commit": commit} | json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        text = dumped(folder / "lianban.db", facts)
    target = HERE / f"{name}.sql.xz"
    target.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{target.name}: {target.stat().st_size // 1024} KB, projects {facts['projects']}")
    return 0


def dumped(database: Path, facts: dict[str, Any]) -> str:
    """An SQLite file as SQL text under a comment with the facts."""
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join([f"-- {json.dumps(facts, ensure_ascii=False)}", *connection.iterdump()]) + "\n"


def _live(folder: Path) -> dict[str, Any]:
    """The life of a while -> the facts. Everything from here on runs under the program of the landed commit."""
    from engine import clock, open_engine
    from engine.settings import Settings
    from webapp.composition import open_lianban

    settings = Settings(database_url=f"sqlite:///{folder / 'lianban.db'}", files_dir=folder / "files", jobs="inline")
    engine = open_lianban(settings)
    engine.migrate()
    projects = _work(engine, folder)
    facts: dict[str, Any] = {"projects": projects, "session": SESSION, "examples": _examples()} | _let_in(engine)
    engine.close()
    bare = open_engine(settings)  # without what the domain demands of diagrams: these are the engine's elements
    facts |= {"running": _use_every_element(bare, "running"), "suspended": _use_every_element(bare, "suspended")}
    _suspend(bare, facts["suspended"])
    with bare.reading():
        facts["business_time"] = clock.now().isoformat()
    bare.close()
    return facts


def _examples() -> dict[str, Any]:
    """The example answers that fit the forms of the version, by form id."""
    from engine.settings import ROOT

    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "forms" / "examples").glob("*.json")}


def _work(engine: Any, folder: Path) -> dict[str, int]:
    """The chosen projects of the demo; one of them is ended, one suspended, a form is half filled in -> project ids by number."""
    from engine import commands
    from engine.policy import SYSTEM
    from engine.settings import ROOT
    from handlers.demo import service as demo
    from handlers.driving.service import Driver
    from handlers.projects import service as projects
    from handlers.projects.models import ProjectRow

    scripts = [script for script in json.loads(demo.SCRIPTS.read_text(encoding="utf-8")) if script["number"] in PROJECTS]
    demo.SCRIPTS = folder / "scripts.json"
    demo.SCRIPTS.write_text(json.dumps(scripts, ensure_ascii=False), encoding="utf-8")
    assert demo.load_demo(engine)
    with (ROOT / "processes" / "catalogue" / "demo_projects.csv").open(encoding="utf-8", newline="") as table:
        names = {row["name"]: row["number"] for row in csv.DictReader(table)}
    with engine.reading() as session:
        ids = {names[row.name]: row.id for row in session.scalars(select(ProjectRow))}
        ended = projects.get_project(session, SYSTEM, ids[ENDED])
    driver = Driver(engine)
    _withdraw(driver, ended)
    review = next(task for task in driver.open_tasks(ids["4"]) if task.form_id == "joint_review_opinion")
    doer = driver.claim(review)
    with engine.unit_of_work() as session:
        commands.save_draft(session, driver.actor(doer), review.key, DRAFT)
    _suspend(engine, next(task for task in driver.open_tasks(ids[SUSPENDED])).root_key)
    return ids


def _withdraw(driver: Any, project: Any) -> None:
    """The applicant withdraws and gives the project up, and everybody confirms it."""
    from handlers.driving.service import Player, Script, rules_of

    event = next(row for row in driver.awaited(project.id) if row.message_name == "withdrawal_requested")
    driver.report(event, {}, project)
    given_up = [
        {"form": "refile_choice", "answer": {"refile": {"choice": "终止项目", "reason": "投资计划调整，不再建设。"}}},
        *({"message": row.message_name, "hold": True} for row in driver.awaited(project.id)),
    ]
    player = Player(driver, Script(rules_of(given_up), random.Random(1)), project)
    while player.act() is not None:
        driver.engine.run_due()
    assert not driver.live_flows(project.id), driver.open_tasks(project.id)


def _let_in(engine: Any) -> dict[str, str]:
    """Somebody is logged in, and a program has a token -> who, and the token's text."""
    from engine import clock
    from handlers.directory import tokens
    from webapp.sessions import WebSession

    with engine.unit_of_work() as session:
        now = clock.wall_now()
        digest = hashlib.sha256(SESSION.encode()).hexdigest()
        session.add(WebSession(digest=digest, username="liuyang", created_at=now, seen_at=now, address="192.0.2.1", agent="upgrade"))
        return {"username": "liuyang", "token": tokens.add_token(session, "liuyang", "upgrade", timedelta(days=36500))}


def _use_every_element(engine: Any, key: str) -> int:
    """One process with an element of every kind, each in the middle of its work -> the root instance's key."""
    from engine import commands
    from engine.policy import SYSTEM
    from engine.store import models as m

    def do(act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with engine.unit_of_work() as session:
            return act(session, SYSTEM, *given, **named)

    def open_task(element: str) -> int:
        task = select(m.user_task.c.key).where(m.user_task.c.root_key == root, m.user_task.c.state == "CREATED")
        with engine.reading() as session:
            return int(session.scalars(task.where(m.user_task.c.element_id == element).order_by(m.user_task.c.key)).first() or 0)

    def complete(element: str, **data: Any) -> None:
        do(commands.complete_task, open_task(element), data)

    do(commands.deploy, [("kept_elements.bpmn", (HERE / "kept_elements.bpmn").read_bytes())], name="kept")
    root: int = do(commands.start_instance, "kept_elements", {"key": key, "units": ["ZRZYJ", "ZJJ", "JTYSJ"]})
    complete("review", opinion="同意")
    for element in ("round", "water", "consult", "booked", "draft", "first"):
        complete(element)
    do(commands.return_task, open_task("check"), "draft", reason="依据没有写明")
    do(commands.claim_task, open_task("fill"))
    do(commands.save_draft, open_task("fill"), DRAFT)
    do(commands.publish_message, "kept_note", key, {"text": "升级前"})
    engine.run_due()
    with engine.reading() as session:
        failed = session.scalar(select(m.job.c.key).where(m.job.c.root_key == root, m.job.c.type == "kept_failed"))
    do(commands.fail_job, failed, retries=0, message="打印机没有纸")
    return root


def _suspend(engine: Any, root: int) -> None:
    from engine import commands
    from engine.policy import SYSTEM

    with engine.unit_of_work() as session:
        commands.suspend_instance(session, SYSTEM, root, "等待上级答复")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
