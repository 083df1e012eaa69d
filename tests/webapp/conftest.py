"""The application over a fresh database with a few people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, open_engine
from handlers.directory import service as directory
from handlers.projects import service as projects
from tests.e2e import city
from tests.snapshots import Snapshots
from webapp import create_app, sessions
from webapp.composition import open_lianban

PASSWORD = "correct horse 2022"
OBJECTION = {"opinion": "不同意", "clause": "民用建筑设计统一标准 4.2.4", "change": "主出入口东移 40 m", "comment": "距交叉口太近。"}


@dataclass(frozen=True, slots=True)
class Town:
    """A served city: its engine, its application, and the project in joint review to which 住建局 has objected."""

    engine: Engine
    app: Flask
    project: int

    def visit(self, username: str) -> FlaskClient:
        return log_in(self.app, username)

    def register(self) -> int:
        """A fresh project of the school's."""
        with self.engine.unit_of_work() as session:
            data = city.example("project_registration")
            data["project"]["xmdm"] = ""
            return projects.register_project(session, city.actor(session, city.APPLICANT), data).id


def add_people(engine: Engine) -> None:
    """li (自然资源局 经办), wang (住建局 经办), muge (an investor's person), and zhao with a password."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "li", "李建国", "staff", [("ZRZYJ", "handler")])
        directory.create_demo_user(session, "wang", "王海燕", "staff", [("ZJJ", "handler")])
        directory.create_demo_user(session, "muge", "牧歌", "investor", organisation="天山牧歌乳业有限公司")
        directory.create_user(session, "zhao", "赵敏", "staff", PASSWORD, [("ZRZYJ", "verifier")])


@pytest.fixture
def people(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    """The engine without the domain, and four people in it."""
    with snapshots.opened(database_kind, request, tmp_path, add_people, open_engine) as (engine, _nothing):
        yield engine


@pytest.fixture
def app(people: Engine) -> Flask:
    return create_app(people)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that is not logged in."""
    return app.test_client()


def log_in(app: Flask, username: str) -> FlaskClient:
    """A browser of a logged-in person; the session is opened directly, the log-in form has tests of its own."""
    with app.app_context(), app.extensions["lianban"].unit_of_work() as session:
        token = sessions.open_session(session, username, address="127.0.0.1", agent="test")
    client = app.test_client()
    client.set_cookie(sessions.COOKIE, token)
    return client


def bring_to_objection(engine: Engine) -> int:
    """The real diagrams and forms, people of every office, and a project in joint review to which 住建局 has objected -> its id."""
    project = city.found_city_in_review(engine)
    objection = {"review": city.example("joint_review_opinion")["review"] | OBJECTION}
    task = next(t for t in city.open_tasks(engine, project) if "ZJJ.handler" in t.candidate_groups)
    city.complete(engine, task, objection)
    return int(project)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, snapshots: Snapshots) -> Iterator[Town]:
    """Shared by the tests of a module: those that change something register a project of their own."""
    with snapshots.opened(request.param, request, tmp_path_factory.mktemp("town"), bring_to_objection, open_lianban) as (engine, project):
        yield Town(engine, create_app(engine), project)
