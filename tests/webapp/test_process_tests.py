"""Process tests in the browser: the shipped scenarios run by a button, a file of one's own by upload; a wrong file is refused in place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, commands, open_engine
from engine.policy import SYSTEM
from handlers.directory import service as directory
from tests.snapshots import Snapshots
from tests.webapp.conftest import add_people, log_in
from webapp.cli.content import files_of

ADDRESS = "/definitions/processes/land_use_permit/tests"


def deploy_content(engine: Engine) -> None:
    """A filling: the usual people, an analyst, and everything that is shipped."""
    add_people(engine)
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "fenxi", "周分析", "analyst", [])
        commands.deploy(session, SYSTEM, files_of(()), name="lianban")


@pytest.fixture
def people(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    with snapshots.opened(database_kind, request, tmp_path, deploy_content, open_engine) as (engine, _nothing):
        yield engine


@pytest.fixture
def analyst(app: Flask) -> FlaskClient:
    return log_in(app, "fenxi")


def upload(client: FlaskClient, content: bytes) -> tuple[int, str]:
    answer = client.post(ADDRESS, data={"file": (io.BytesIO(content), "own.scenarios.json")}, content_type="multipart/form-data")
    return answer.status_code, answer.get_data(as_text=True)


def test_the_button_runs_the_shipped_scenarios(analyst: FlaskClient) -> None:
    assert "land_use_permit.scenarios.json" in analyst.get(ADDRESS).get_data(as_text=True)
    page = analyst.post(ADDRESS).get_data(as_text=True)
    assert "6 个情形全部相符" in page
    assert "路径覆盖 100.0%" in page
    assert "ca_permit" in page


def test_an_own_file_and_what_it_missed(analyst: FlaskClient) -> None:
    own = '{"process": "land_use_permit", "scenarios": [{"name": "自有", "given": {"variables": {"project": {"tdhqfs": "出让"}}}}]}'
    status, page = upload(analyst, own.encode())
    assert status == 200
    assert "1 个情形不符" in page
    assert "流程状态是 ACTIVE" in page
    assert "没有走到" in page


@pytest.mark.parametrize(
    ("content", "told"), [(b"{", "测试文件有误"), (b'{"process": "other", "scenarios": [{"name": "a"}]}', "是流程 other 的")]
)
def test_a_wrong_file_is_refused_in_place(analyst: FlaskClient, content: bytes, told: str) -> None:
    status, page = upload(analyst, content)
    assert (status, told in page) == (422, True)


def test_a_version_or_process_that_is_not_there(analyst: FlaskClient) -> None:
    assert analyst.get(ADDRESS + "?version=99").status_code == 404
    assert analyst.get("/definitions/processes/nowhere/tests").status_code == 404


def test_a_process_without_scenarios_asks_for_a_file(analyst: FlaskClient) -> None:
    address = "/definitions/processes/project_lifecycle/tests"
    if "lifecycle.scenarios.json" not in analyst.get(address).get_data(as_text=True):
        assert analyst.post(address).status_code == 422


@pytest.mark.parametrize("username", ["li", "muge"])
def test_analysts_only(app: Flask, people: Engine, username: str) -> None:
    assert log_in(app, username).get(ADDRESS).status_code == 403
    assert log_in(app, username).post(ADDRESS).status_code == 403
