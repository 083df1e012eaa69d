"""The office that the tests of an instance's page work in: one database a module, the process 费用核定, people of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.store import reads
from handlers.directory import service as directory
from tests.snapshots import Snapshots
from tests.webapp.conftest import log_in
from webapp import create_app
from webapp.composition import open_lianban

FEES = (Path(__file__).parent / "files" / "fees.bpmn").read_bytes()


@dataclass(frozen=True, slots=True)
class Office:
    """The process 费用核定, with an administrator (ada), an analyst (ana) and 李建国, who fills in the fee."""

    engine: Engine
    app: Flask | None

    def visit(self, username: str = "ada") -> FlaskClient:
        assert self.app is not None, "this office is not served"
        return log_in(self.app, username)

    def start(self, **variables: Any) -> int:
        with self.engine.unit_of_work() as session:
            return commands.start_instance(session, SYSTEM, "fees", variables={"caseNo": "F-1", **variables})

    def fill(self, key: int) -> None:
        """李建国 completes every open task."""
        with self.engine.unit_of_work() as session:
            li = directory.actor_named(session, "li")
            for task in reads.open_tasks_of_instance(session, key):
                commands.claim_task(session, li, task.key)
                commands.complete_task(session, li, task.key, {})

    def stuck(self) -> int:
        """An instance whose gateway cannot compare the fee."""
        key = self.start(fee=None)
        self.fill(key)
        return key

    def live(self, key: int) -> list[str]:
        with self.engine.reading() as session:
            return [each.element_id for each in reads.element_history(session, key) if each.state == "ACTIVE"]

    def token(self, key: int, element: str) -> int:
        with self.engine.reading() as session:
            return next(each.token_id for each in reads.element_history(session, key) if each.element_id == element)

    def variables(self, key: int) -> dict[str, Any]:
        with self.engine.reading() as session:
            return reads.variables(session, key)

    def incidents(self, key: int) -> list[Any]:
        with self.engine.reading() as session:
            return list(reads.incidents_of_instance(session, key))

    def actions(self, key: int) -> list[str]:
        page = self.visit().get(f"/operations?instance={key}").text
        return re.findall(r'</time></td><td class="nowrap">[^<]*</td><td class="nowrap">([^<]*)</td>', page)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, snapshots: Snapshots) -> Iterator[Office]:
    """Shared by the tests of a module: each starts instances of its own."""
    with snapshots.opened(request.param, request, tmp_path_factory.mktemp("office"), staff_office, open_lianban) as (engine, _nothing):
        yield Office(engine, create_app(engine))


def staff_office(engine: Engine) -> None:
    """ada (administrator), ana (analyst), li (自然资源局 经办), muge (an applicant), and the process."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "ada", "管理员", "admin")
        directory.create_demo_user(session, "ana", "刘洋", "analyst")
        directory.create_demo_user(session, "li", "李建国", "staff", [("ZRZYJ", "handler")])
        directory.create_demo_user(session, "muge", "牧歌", "investor", organisation="天山牧歌乳业有限公司")
        commands.deploy(session, SYSTEM, [("fees.bpmn", FEES)])
