"""为什么是这些单位: the decisions behind a project's flow, explained alike on its page and on its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import render_template

from engine import Engine
from handlers.directory import service as directory
from tests.e2e.city import found_city_in_review, open_tasks
from tests.snapshots import Snapshots
from tests.webapp.conftest import log_in
from webapp import create_app
from webapp.composition import open_lianban
from webapp.decision_screen import explain, in_words


@pytest.fixture
def city(request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[tuple[Engine, str]]:
    """The city and its project in joint review."""
    with snapshots.opened("sqlite", request, tmp_path, found_city_in_review, open_lianban) as opened:
        yield opened


def test_the_task_and_the_project_page_say_why_these_units(city: tuple[Engine, str]) -> None:
    engine, project = city
    task = next(task for task in open_tasks(engine, project) if "ZJJ.handler" in task.candidate_groups)
    app = create_app(engine)
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "muge", "牧歌", "investor", organisation="天山牧歌乳业有限公司")
    clerk, applicant, stranger = log_in(app, "zjj"), log_in(app, "school"), log_in(app, "muge")
    for page in (
        clerk.get(f"/tasks/{task.key}?tab=decisions"),
        clerk.get(f"/projects/{project}?tab=decisions"),
        applicant.get(f"/projects/{project}?tab=decisions"),
    ):
        html = unescape(page.get_data(as_text=True))
        assert page.status_code == 200
        assert "联合审查单位" in html and "自然资源局、住建局、" in html, "the decision and its result"
        assert "<dt>工程分类</dt><dd>房屋建筑</dd>" in html, "what it was decided on"
        assert "第 1 行" in html and "城乡规划法第四十条" in html, "the rule that matched and its law"
    assert "为什么是这些单位" in clerk.get(f"/tasks/{task.key}").get_data(as_text=True)
    board = clerk.get(f"/projects/{project}").get_data(as_text=True)
    assert f"/projects/{project}?tab=decisions" in board and "为什么是这些单位" in board
    assert stranger.get(f"/projects/{project}?tab=decisions").status_code in {403, 404}


def test_a_project_without_decisions_says_what_will_appear(city: tuple[Engine, str]) -> None:
    with create_app(city[0]).test_request_context():
        assert "还没有决策记录" in render_template("_project_decisions.html", decisions=[])


TRACE = [
    {"decisionId": "low", "decisionName": "限值", "type": "LITERAL_EXPRESSION", "inputs": [], "matchedRules": [], "output": 24},
    {
        "decisionId": "top",
        "decisionName": "核对",
        "type": "DECISION_TABLE",
        "inputs": [{"id": "i1", "name": "高度", "value": 25.5}, {"id": "i2", "name": "", "value": None}],
        "matchedRules": [{"ruleId": "r", "ruleIndex": 3, "outputs": [{"name": "ok", "value": False}, {"name": "unit", "value": "ZJJ"}]}],
        "output": {"ok": False, "unit": "ZJJ"},
    },
]


def test_the_decision_itself_comes_first_then_what_it_required(city: tuple[Engine, str]) -> None:
    with create_app(city[0]).test_request_context():
        shown = explain(TRACE, TRACE[-1]["output"])
        assert shown["name"] == "核对"
        assert [part["name"] for part in shown["parts"]] == ["核对", "限值"]
        assert shown["parts"][0]["inputs"] == [("高度", "25.5")]
        assert shown["parts"][0]["blank"] == ["i2"]
        assert shown["parts"][0]["rules"] == [{"index": 3, "output": "ok 否，unit 住建局", "note": ""}]
        assert shown["output"] == "ok 否，unit 住建局"
        assert explain([], None)["parts"] == []
        assert in_words([]) == "无" and in_words("") == "—" and in_words(18600) == "18,600"
