"""Comparing versions: which two, and who may."""

from __future__ import annotations

import pytest
from flask import Flask

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.settings import ROOT
from tests.webapp.conftest import log_in

DIAGRAM = (ROOT / "tests" / "lint" / "diagrams" / "first-two-boxes.bpmn").read_bytes()
ADDRESS = "/definitions/processes/first_steps/compare"


@pytest.fixture
def three_versions(people: Engine) -> Engine:
    """Three versions of a small diagram; the files of a whole deployment are other tests' matter."""
    with people.unit_of_work() as session:
        for name in ("一", "二", "三"):
            commands.deploy(session, SYSTEM, [("first.bpmn", DIAGRAM.replace("第一步".encode(), name.encode()))])
    return people


def test_the_newest_and_the_one_before_unless_asked_otherwise(app: Flask, three_versions: Engine) -> None:
    clerk = log_in(app, "li")
    newest = clerk.get(ADDRESS).get_data(as_text=True)
    assert newest.index("<h2>v2</h2>") < newest.index("<h2>v3</h2>")
    asked = clerk.get(ADDRESS + "?old=1&new=3").get_data(as_text=True)
    assert asked.index("<h2>v1</h2>") < asked.index("<h2>v3</h2>")
    assert 'href="/definitions/processes/first_steps/compare?new=3"' in clerk.get("/definitions/processes/first_steps").text


@pytest.mark.parametrize("query", ["?old=9", "?new=9", "?old=0&new=1"])
def test_a_version_that_is_not_there(app: Flask, three_versions: Engine, query: str) -> None:
    assert log_in(app, "li").get(ADDRESS + query).status_code == 404


def test_applicants_see_no_definitions(app: Flask, three_versions: Engine) -> None:
    assert log_in(app, "muge").get(ADDRESS).status_code == 403
    assert log_in(app, "li").get("/definitions/processes/nowhere/compare").status_code == 404
