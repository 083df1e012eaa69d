"""Alt+K: what is found by a few words, and only what the visitor may see."""

from __future__ import annotations

from flask.testing import FlaskClient

from handlers.directory import service as directory
from tests.webapp.conftest import Town


def find(client: FlaskClient, words: str) -> str:
    answer = client.get("/go", query_string={"q": words})
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "<html" not in text
    return text


def test_without_words_the_places_and_ones_own_tasks(town: Town) -> None:
    found = find(town.visit("zrzyj"), "")
    assert 'data-href="/projects"' in found
    assert "任务" in find(town.visit("rfb"), "")


def test_words_find_tasks_projects_and_processes(town: Town) -> None:
    clerk = town.visit("zrzyj")
    assert f'data-href="/projects/{town.project}"' in find(clerk, "第十二小学")
    assert 'data-href="/definitions/processes/planning_permit"' in find(clerk, "工程规划")
    assert "没有找到“&lt;b&gt;”" in find(clerk, "<b>")


def test_applicants_find_no_processes_and_no_others_projects(town: Town) -> None:
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "stranger") is None:
            directory.create_demo_user(session, "stranger", "他人", "investor", organisation="别的公司")
    stranger = town.visit("stranger")
    assert "/definitions" not in find(stranger, "工程规划")
    assert f'data-href="/projects/{town.project}"' not in find(stranger, "第十二小学")


def test_nobody_finds_anything_without_logging_in(town: Town) -> None:
    assert town.app.test_client().get("/go").status_code in (302, 401)
