"""For whom a request acts: Basic, bearer, a browser's log-in, and in the demo nobody, but only from this machine and no foreign page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, open_engine
from engine.settings import Settings
from handlers.directory import service as directory
from handlers.directory import tokens
from tests.api.conftest import PASSWORD, add_people
from tests.webapp.conftest import log_in
from webapp import create_app

ME = "/v2/authentication/me"


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def opened(folder: Path, *, demo: bool, host: str = "127.0.0.1") -> Engine:
    settings = Settings(database_url=f"sqlite:///{folder / 'lianban.db'}", jobs="inline", demo=demo, host=host)
    engine = open_engine(settings)
    engine.create_schema()
    add_people(engine)
    return engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    running = opened(tmp_path_factory.mktemp("identity"), demo=False)
    with running.unit_of_work() as session:
        directory.create_user(session, "刘洋", "刘洋", "analyst", PASSWORD)
        directory.create_user(session, "gone", "离职", "analyst", PASSWORD)
    yield running
    running.close()


@pytest.fixture(scope="module")
def app(engine: Engine) -> Flask:
    return create_app(engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., FlaskClient]]:
    """`demo(host=...)`: a program on the machine of a demo that is bound to `host`."""
    running: list[Engine] = []

    def start(host: str = "127.0.0.1") -> FlaskClient:
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(opened(folder, demo=True, host=host))
        return create_app(running[-1]).test_client()

    yield start
    for engine in running:
        engine.close()


def test_topology_and_the_documents_are_open(client: FlaskClient) -> None:
    for path in ("/v2/topology", "/engine-rest/version", "/v2/openapi.json", "/.well-known/camunda-automation-platform/webapps"):
        assert client.get(path).status_code == 200
    assert client.get("/v2/topology").get_json()["gatewayVersion"] == "8.9.0"


def test_name_and_password_in_chinese(client: FlaskClient) -> None:
    for _ in range(2):  # the second time it is remembered
        me = client.get(ME, headers=basic("刘洋", PASSWORD)).get_json()
        assert (me["username"], me["roles"]) == ("刘洋", ["deploy"])


def test_a_changed_password_and_a_disabled_account_count_at_once(engine: Engine, client: FlaskClient) -> None:
    assert client.get(ME, headers=basic("gone", PASSWORD)).status_code == 200
    with engine.unit_of_work() as session:
        directory.reset_password(session, "gone", "another secret 2023")
    assert client.get(ME, headers=basic("gone", PASSWORD)).status_code == 401
    assert client.get(ME, headers=basic("gone", "another secret 2023")).status_code == 200
    with engine.unit_of_work() as session:
        token = tokens.add_token(session, "gone", "test")
        directory.disable_user(session, "gone")
    assert client.get(ME, headers=basic("gone", "another secret 2023")).status_code == 403
    assert client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_a_token_ends(engine: Engine, client: FlaskClient) -> None:
    with engine.unit_of_work() as session:
        token = tokens.add_token(session, "ada", "test", timedelta(seconds=-1))
    answer = client.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_refused")


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer", "Bearer lb_x", "Digest x", "Basic /w=="],
)
def test_everything_else_is_unauthorized(client: FlaskClient, header: str | None) -> None:
    answer = client.get(ME, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.get_json()["title"] == "Unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_browsers_log_in_counts_but_not_for_a_page_of_another_site(app: Flask) -> None:
    browser = log_in(app, "ana")
    assert browser.get(ME).get_json()["username"] == "ana"
    search = "/v2/process-instances/search"
    assert browser.post(search, json={}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert browser.post(search, json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post(search, json={}, headers={"Origin": "https://evil.example"}).status_code == 403


def test_camunda_7_says_it_in_its_own_words(client: FlaskClient) -> None:
    answer = client.get("/engine-rest/deployment?maxResults=0")
    assert (answer.status_code, answer.mimetype, set(answer.get_json())) == (401, "application/json", {"type", "message", "code"})


def test_the_demo_lets_this_machine_act_as_its_analyst(demo: Callable[..., FlaskClient]) -> None:
    client = demo()
    assert client.get(ME, headers={"Authorization": ""}).get_json()["username"] == "ana"
    refused = [
        {"headers": {"X-Forwarded-For": "10.0.0.9"}},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        {"headers": {"Host": "192.168.1.5"}},
        {"environ_base": {"REMOTE_ADDR": "192.168.1.5"}},
    ]
    for request in refused:
        assert client.get(ME, **request).status_code == 401, request
    assert client.get(ME, headers={"Host": "evil.example"}).status_code == 421
    data = {"resources": []}
    assert client.post("/v2/deployments", data=data, headers={"Origin": "https://evil.example"}).status_code == 403
    assert demo(host="0.0.0.0").get(ME).status_code == 401


def test_without_the_demo_nobody_is_nobody(engine: Engine, client: FlaskClient) -> None:
    assert engine.settings.demo is False
    assert client.get(ME).status_code == 401
