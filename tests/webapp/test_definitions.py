"""Definitions: what is deployed, its versions and use; for staff only."""

from __future__ import annotations

import json
import re

import pytest

from engine import commands
from engine.policy import SYSTEM
from tests.e2e import city
from tests.webapp.conftest import Town


def test_everything_deployed_is_listed_with_its_use(town: Town) -> None:
    page = town.visit("zrzyj").get("/definitions").text
    for kind, name in (("processes", "planning_permit"), ("decisions", "review_units"), ("forms", "joint_review_opinion")):
        assert f'href="/definitions/{kind}/{name}"' in page


def test_the_list_can_be_searched(town: Town) -> None:
    page = town.visit("zrzyj").get("/definitions?q=planning_permit").text
    assert "/definitions/processes/planning_permit" in page
    assert "/definitions/processes/item_intake" not in page
    assert "没有匹配的定义" in page


def test_a_process_shows_its_diagram_with_open_tasks_and_its_steps(town: Town) -> None:
    page = town.visit("zrzyj").get("/definitions/processes/planning_permit").text
    state = json.loads(re.findall(r'class="diagram-state">(.*?)</script>', page)[0])
    assert state["tokens"]["mi_review"] >= 8
    assert "/definitions/forms/joint_review_opinion" in page
    assert "3 工作日" in page
    diagram = re.findall(r'data-diagram="([^"]+)"', page)[0]
    assert b"planning_permit" in town.visit("zrzyj").get(diagram).data


def test_a_decision_shows_its_rules_and_what_it_requires(town: Town) -> None:
    page = town.visit("zrzyj").get("/definitions/decisions/project_variant").text
    assert "命中策略" in page
    assert "政府投资" in page
    assert page.count("<tr>") >= 6


def test_a_form_is_shown_but_cannot_be_filled(town: Town) -> None:
    page = town.visit("zrzyj").get("/definitions/forms/joint_review_opinion").text
    assert "data-readonly" in page
    assert "data-submit-url" not in page


@pytest.mark.parametrize(
    "address", ["processes/none", "decisions/none", "forms/none", "processes/planning_permit?version=99", "nonsense/planning_permit"]
)
def test_what_is_not_deployed_is_not_found(town: Town, address: str) -> None:
    assert town.visit("zrzyj").get(f"/definitions/{address}").status_code == 404


def test_applicants_are_refused(town: Town) -> None:
    for address in ("", "/processes/planning_permit", "/forms/withdrawal"):
        assert town.visit(city.APPLICANT).get(f"/definitions{address}").status_code == 403


def test_a_new_version_is_listed_beside_the_old_one_that_still_runs(town: Town) -> None:
    name, content = next((n, c) for n, c in city.own_files() if n == "item_handling.bpmn")
    with town.engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(name, content.replace("事项办理".encode(), "事项办理（二）".encode()))])
    page = town.visit("zrzyj").get("/definitions/processes/item_handling").text
    assert "事项办理（二）" in page
    assert "version=1" in page
    assert "事项办理（二）" not in town.visit("zrzyj").get("/definitions/processes/item_handling?version=1").text
