"""Setting up Camunda Modeler: the five steps name this server, the download holds what the Modeler reads; analysts only."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine
from handlers.directory import service as directory
from tests.webapp.conftest import log_in


@pytest.fixture
def analyst(app: Flask, people: Engine) -> FlaskClient:
    with people.unit_of_work() as session:
        directory.create_demo_user(session, "fenxi", "周分析", "analyst", [])
    return log_in(app, "fenxi")


def test_five_steps_with_this_servers_address(analyst: FlaskClient) -> None:
    page = analyst.get("/modeler", base_url="http://localhost:9123").get_data(as_text=True)
    assert page.count("<li><b>") == 5
    assert "http://localhost:9123/v2" in page


def test_the_definitions_page_leads_there(analyst: FlaskClient) -> None:
    assert 'href="/modeler"' in analyst.get("/definitions").get_data(as_text=True)


def test_the_download_holds_plugin_flags_and_a_connection_to_this_server(analyst: FlaskClient) -> None:
    answer = analyst.get("/modeler/lianban-modeler.zip", base_url="http://localhost:9123")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        plugin = {"plugins/lianban/index.js", "plugins/lianban/client.js"}
        assert set(archive.namelist()) == {"README.md", "flags.json", "settings.json", *plugin}
        assert '"legal-basis"' in archive.read("plugins/lianban/client.js").decode()
        (connection,) = json.loads(archive.read("settings.json"))["connectionManagerPlugin.c8connections"]
        assert connection["contactPoint"] == "http://localhost:9123/v2"
        assert json.loads(archive.read("flags.json"))["c8-engine-version"] == "8.9.0"


@pytest.mark.parametrize("username", ["li", "muge"])
@pytest.mark.parametrize("address", ["/modeler", "/modeler/lianban-modeler.zip"])
def test_analysts_only(app: Flask, people: Engine, username: str, address: str) -> None:
    assert log_in(app, username).get(address).status_code == 403
