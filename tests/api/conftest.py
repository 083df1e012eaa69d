"""The API over a fresh database: people of every kind with tokens, and a small process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine import Engine, open_engine
from handlers.directory import service as directory
from handlers.directory import tokens
from tests.snapshots import Snapshots
from webapp import create_app

FILES = Path(__file__).parent / "files"
PASSWORD = "correct horse 2022"


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that acts for somebody."""

    client: FlaskClient
    authorization: str

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> TestResponse:
        headers = {"Authorization": self.authorization, **more.pop("headers", {})}
        return self.client.open(path, method=method, json=json, headers=headers, **more)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def post(self, path: str, json: Any = None, status: int = 200) -> Any:
        """POST and expect `status` -> the JSON of the answer, None when it has none."""
        answer = self.call("POST", path, {} if json is None else json)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json(silent=True)

    def found(self, what: str, **filters: Any) -> list[Any]:
        return list(self.post(f"/v2/{what}/search", {"filter": filters})["items"])

    def deploy(self, *names: str, status: int = 200) -> Any:
        parts = [((FILES / name).open("rb"), name) for name in names]
        answer = self.call("POST", "/v2/deployments", data={"resources": parts, "tenantId": "<default>"})
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def start(self, process_id: str, variables: dict[str, Any] | None = None, **more: Any) -> str:
        body = {"processDefinitionId": process_id, "variables": variables or {}, **more}
        return str(self.post("/v2/process-instances", body)["processInstanceKey"])


@pytest.fixture
def people(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    """The engine without the domain, and five people in it."""
    with snapshots.opened(database_kind, request, tmp_path, add_people, open_engine) as (engine, _nothing):
        yield engine


def add_people(engine: Engine) -> None:
    """ada (administrator), ana (analyst), li (自然资源局 经办), wang (住建局 经办), muge (an applicant); nobody has a password."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "ada", "管理员", "admin")
        directory.create_demo_user(session, "ana", "刘洋", "analyst")
        directory.create_demo_user(session, "li", "李建国", "staff", [("ZRZYJ", "handler")])
        directory.create_demo_user(session, "wang", "王海燕", "staff", [("ZJJ", "handler")])
        directory.create_demo_user(session, "muge", "牧歌", "investor", organisation="天山牧歌乳业有限公司")


@pytest.fixture
def app(people: Engine) -> Flask:
    return create_app(people)


@pytest.fixture
def caller(people: Engine, app: Flask) -> Callable[[str], Caller]:
    """`caller("ana")`: a program with a token of hers."""

    def make(username: str) -> Caller:
        with people.unit_of_work() as session:
            return Caller(app.test_client(), f"Bearer {tokens.add_token(session, username, 'test')}")

    return make


@pytest.fixture
def ada(caller: Callable[[str], Caller]) -> Caller:
    return caller("ada")


@pytest.fixture
def ana(caller: Callable[[str], Caller]) -> Caller:
    return caller("ana")


@pytest.fixture
def li(caller: Callable[[str], Caller]) -> Caller:
    return caller("li")
