"""The work list over a real joint review: boxes, filters, the third pane, and what lists say when they are empty."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from engine import Engine, commands
from tests.e2e.city import APPLICANT, actor, complete, found_city_in_review, open_tasks
from tests.snapshots import Snapshots
from tests.webapp.conftest import log_in
from webapp import create_app
from webapp.composition import open_lianban


@pytest.fixture(scope="module")
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, snapshots: Snapshots) -> Iterator[Engine]:
    """zrzyj has claimed the review, zjj has answered it, everybody else is asked."""
    with snapshots.opened("sqlite", request, tmp_path_factory.mktemp("worklist"), found_city_in_review, open_lianban) as (engine, project):
        tasks = {task.candidate_groups[0]: task for task in open_tasks(engine, project) if task.element_id == "mi_review"}
        complete(engine, tasks["ZJJ.handler"])
        with engine.unit_of_work() as session:
            commands.claim_task(session, actor(session, "zrzyj"), tasks["ZRZYJ.handler"].key)
        yield engine


@pytest.fixture
def app_client(city: Engine) -> Iterator[dict[str, FlaskClient]]:
    app = create_app(city)
    yield {name: log_in(app, name) for name in ("zrzyj", "zrzyj2", "zjj", "slj", APPLICANT)}


def _rows(client: FlaskClient, **query: str | int) -> list[str]:
    """Titles of the listed tasks."""
    page = client.get("/tasks", query_string=query).get_data(as_text=True)
    return re.findall(r'<span class="t">(.*?)</span>', page)


def _count(client: FlaskClient, label: str, **query: str) -> int:
    page = client.get("/tasks", query_string=query).get_data(as_text=True)
    found = re.search(rf'>{label}<span class="n[^"]*">(\d+)</span>', page)
    assert found, label
    return int(found.group(1))


def test_boxes_hold_what_belongs_in_them(app_client: dict[str, FlaskClient]) -> None:
    assert _rows(app_client["zrzyj"], box="mine") == ["联合审查"]
    assert _rows(app_client["zrzyj"], box="unit") == []
    assert _rows(app_client["slj"], box="mine") == []
    assert _rows(app_client["slj"], box="unit") == ["联合审查"]
    assert _rows(app_client["zjj"], box="done") == ["联合审查"]
    assert "联合审查" in _rows(app_client[APPLICANT], box="started")


def test_counts_are_those_of_the_boxes(app_client: dict[str, FlaskClient]) -> None:
    for box, label in (("mine", "我的待办"), ("unit", "部门待办"), ("done", "已办")):
        for name in ("zrzyj", "slj", "zjj"):
            assert _count(app_client[name], label) == len(_rows(app_client[name], box=box)), (name, label)


def test_what_a_colleague_claimed_is_gone_from_the_departments_box(app_client: dict[str, FlaskClient]) -> None:
    assert _rows(app_client["zrzyj2"], box="unit") == []


@pytest.mark.parametrize("q", ["第十二小学", "教育局", "联合", "652301"])
def test_search_finds_by_project_company_task_and_code(app_client: dict[str, FlaskClient], q: str) -> None:
    assert _rows(app_client["slj"], box="unit", q=q) == ["联合审查"]


@pytest.mark.parametrize("q", ["没有这样的项目", "%", "_", "'; drop table project --"])
def test_search_takes_signs_literally_and_says_when_nothing_matches(app_client: dict[str, FlaskClient], q: str) -> None:
    page = app_client["slj"].get("/tasks", query_string={"box": "unit", "q": q}).get_data(as_text=True)
    assert "没有符合条件的任务" in page


def test_filters_by_stage_and_unit(app_client: dict[str, FlaskClient]) -> None:
    assert _rows(app_client["slj"], box="unit", stage="S2") == ["联合审查"]
    assert _rows(app_client["slj"], box="unit", stage="S4") == []
    assert _rows(app_client["slj"], box="unit", unit="SLJ") == ["联合审查"]
    assert _rows(app_client["slj"], box="unit", unit="ZJJ") == []


def test_nonsense_in_the_address_is_ignored(app_client: dict[str, FlaskClient]) -> None:
    query = {"box": "no", "due": "x", "sort": "drop", "page": "-3", "task": "abc"}
    assert _rows(app_client["zrzyj"], **query) == ["联合审查"]
    assert app_client["zrzyj"].get(f"/tasks?task={10**30}&page={10**30}").status_code == 200


def test_an_empty_box_says_what_would_be_in_it(app_client: dict[str, FlaskClient]) -> None:
    page = app_client["slj"].get("/tasks").get_data(as_text=True)
    assert "没有待办" in page and "先到“部门待办”" in page


def test_the_chosen_task_stands_beside_the_list(app_client: dict[str, FlaskClient]) -> None:
    client = app_client["zrzyj"]
    key = re.search(r'data-task="(\d+)"', client.get("/tasks").get_data(as_text=True))
    assert key
    page = client.get(f"/tasks?task={key.group(1)}").get_data(as_text=True)
    assert "data-form" in page and 'aria-current="true"' in page and "has-task" in page


def test_a_task_that_may_not_be_seen_leaves_the_list_and_tells_why(app_client: dict[str, FlaskClient]) -> None:
    key = re.search(r'data-task="(\d+)"', app_client["zrzyj"].get("/tasks").get_data(as_text=True))
    assert key
    answer = app_client["slj"].get(f"/tasks?box=unit&task={key.group(1)}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "打不开这项任务" in page and "其他部门" in page and "联合审查" in page
    assert app_client["slj"].get("/tasks?task=424242").status_code == 404


def test_the_list_alone_for_live_pages(app_client: dict[str, FlaskClient]) -> None:
    answer = app_client["slj"].get("/tasks?box=unit", headers={"X-Fragment": "list"})
    page = answer.get_data(as_text=True)
    assert "<html" not in page and "data-rows" in page and "data-counts" in page


def test_investors_start_at_their_projects_and_staff_at_their_work(app_client: dict[str, FlaskClient]) -> None:
    assert app_client[APPLICANT].get("/").location == "/projects"
    assert app_client["slj"].get("/").location == "/tasks"
