"""The task page over a real joint review: seeing, claiming, drafts, submitting, files. Each test takes a department of its own."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine
from engine.store import reads
from handlers.directory import service as directory
from handlers.materials import service as materials
from tests.e2e.city import APPLICANT, example, found_city_in_review, open_tasks
from tests.pdf import pdf
from tests.snapshots import Snapshots
from tests.webapp.conftest import log_in
from webapp import create_app
from webapp.composition import open_lianban

PDF = pdf()
UPLOAD_MB = 3


@dataclass
class City:
    engine: Engine
    app: Flask
    project: str

    def key(self, unit: str) -> int:
        """The joint-review task of a department."""
        with self.engine.reading() as session:
            tasks = reads.tasks_of_business(session, self.project)
        return next(task.key for task in tasks if f"{unit.upper()}.handler" in task.candidate_groups and task.element_id == "mi_review")

    def task(self, unit: str) -> Any:
        with self.engine.reading() as session:
            return reads.get_task(session, self.key(unit))

    def visit(self, username: str) -> FlaskClient:
        return log_in(self.app, username)


def found_city_with_stranger(engine: Engine) -> str:
    """A filling: the city, a project in joint review, and somebody else's company."""
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "stranger", "别家企业", "investor", organisation="别家企业有限公司")
    return found_city_in_review(engine)


@pytest.fixture(scope="module")
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, snapshots: Snapshots) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    with snapshots.opened("sqlite", request, folder, found_city_with_stranger, open_lianban, max_upload_mb=UPLOAD_MB) as (engine, project):
        yield City(engine, create_app(engine), project)


def _embedded(page: str, name: str) -> Any:
    """The JSON block of the page that form-js is mounted with."""
    found = re.search(rf'<script type="application/json" class="{name}">(.*?)</script>', page, re.S)
    assert found, f"no {name} in the page"
    return json.loads(found.group(1))


def _answer(**changes: Any) -> dict[str, Any]:
    return {"data": {"review": example("joint_review_opinion")["review"] | changes}}


class TestSeeing:
    def test_the_page_has_form_project_others_history_and_diagram(self, city: City) -> None:
        page = city.visit("zrzyj").get(f"/tasks/{city.key('zrzyj')}").get_data(as_text=True)
        assert _embedded(page, "form-schema")["id"] == "joint_review_opinion"
        assert _embedded(page, "form-data")["project"]["xmmc"] == "昌吉市第十二小学新建工程"
        for words in ("昌吉市教育局", "其他单位意见", "住建局 未签收", "收件核验", "12 个单位并行", "汇总联审意见", "为什么是这些单位"):
            assert words in page
        assert "mi_review" in _embedded(page, "diagram-state")["active"]
        assert _embedded(page, "diagram-state")["tokens"] == {"mi_review": len(_open(city))}

    def test_the_decision_explains_itself_with_unit_names(self, city: City) -> None:
        page = city.visit("zrzyj").get(f"/tasks/{city.key('zrzyj')}?tab=decisions").get_data(as_text=True)
        assert 'id="tab-decisions" data-tab="decisions" aria-controls="panel-decisions" aria-selected="true"' in page
        assert "第 1 行" in page and "自然资源局、住建局" in page

    def test_the_pane_is_a_fragment_of_the_same(self, city: City) -> None:
        answer = city.visit("zrzyj").get(f"/tasks/{city.key('zrzyj')}/pane", headers={"HX-Request": "true"})
        page = answer.get_data(as_text=True)
        assert "<html" not in page and "data-form" in page

    @pytest.mark.parametrize("part", ["others", "opinions", "steps"])
    def test_live_parts_come_alone(self, city: City, part: str) -> None:
        answer = city.visit("zrzyj").get(f"/tasks/{city.key('zrzyj')}/{part}", headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert "<html" not in answer.get_data(as_text=True)

    def test_an_unknown_task_is_404(self, city: City) -> None:
        answer = city.visit("zrzyj").get("/tasks/999999999")
        assert (answer.status_code, "没有找到任务" in answer.get_data(as_text=True)) == (404, True)

    def test_a_number_beyond_the_database_is_404(self, city: City) -> None:
        assert city.visit("zrzyj").get(f"/tasks/{10**30}").status_code == 404

    def test_another_departments_task_is_403(self, city: City) -> None:
        answer = city.visit("zjj").get(f"/tasks/{city.key('zrzyj')}")
        assert (answer.status_code, "其他部门" in answer.get_data(as_text=True)) == (403, True)

    def test_a_strange_investor_sees_nothing(self, city: City) -> None:
        assert city.visit("stranger").get(f"/tasks/{city.key('zrzyj')}").status_code == 404

    def test_the_applicant_follows_it_without_the_departments_form(self, city: City) -> None:
        answer = city.visit(APPLICANT).get(f"/tasks/{city.key('zrzyj')}")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "form-schema" not in page and "data-submit-form" not in page
        assert "收件核验" in page

    def test_the_diagram_is_served_and_kept(self, city: City) -> None:
        client = city.visit("zrzyj")
        page = client.get(f"/tasks/{city.key('zrzyj')}").get_data(as_text=True)
        address = re.search(r'data-diagram="([^"]+)"', page)
        assert address
        answer = client.get(address.group(1))
        assert answer.mimetype == "application/xml"
        assert b'id="mi_review"' in answer.data


def _open(city: City) -> list[Any]:
    return [task for task in open_tasks(city.engine, city.project) if task.element_id == "mi_review"]


class TestClaiming:
    def test_claim_and_release(self, city: City) -> None:
        client, key = city.visit("jyj"), city.key("jyj")
        assert "data-submit-form" not in client.get(f"/tasks/{key}").get_data(as_text=True)
        assert client.post(f"/tasks/{key}/claim").location == f"/tasks/{key}"
        assert city.task("jyj").assignee == "jyj"
        assert "data-submit-form" in client.get(f"/tasks/{key}").get_data(as_text=True)
        client.post(f"/tasks/{key}/release")
        assert city.task("jyj").assignee is None

    def test_it_goes_back_to_the_list_it_was_pressed_in(self, city: City) -> None:
        client, key = city.visit("jyj"), city.key("jyj")
        came_from = f"http://localhost/tasks?box=unit&q=小学&task={key}"
        assert client.post(f"/tasks/{key}/claim", headers={"Referer": came_from}).location.startswith("/tasks?box=unit&q=")
        elsewhere = client.post(f"/tasks/{key}/release", headers={"Referer": "http://evil.example/x"})
        assert elsewhere.location == f"/tasks/{key}"

    def test_a_colleagues_task_cannot_be_claimed(self, city: City) -> None:
        key = city.key("zrzyj")
        city.visit("zrzyj").post(f"/tasks/{key}/claim")
        answer = city.visit("zrzyj2").post(f"/tasks/{key}/claim")
        assert (answer.status_code, city.task("zrzyj").assignee) == (403, "zrzyj")
        city.visit("zrzyj").post(f"/tasks/{key}/release")

    def test_nobody_claims_for_another_department(self, city: City) -> None:
        assert city.visit("zjj").post(f"/tasks/{city.key('slj')}/claim").status_code == 403
        assert city.task("slj").assignee is None


class TestDrafts:
    def test_a_draft_is_kept_and_shown_again(self, city: City) -> None:
        client, key = city.visit("gsgs"), city.key("gsgs")
        client.post(f"/tasks/{key}/claim")
        answer = client.post(f"/tasks/{key}/draft", json={"data": {"review": {"comment": "写到一半"}}})
        assert re.fullmatch(r"\d\d:\d\d", answer.get_json()["saved_at"])
        page = client.get(f"/tasks/{key}").get_data(as_text=True)
        assert _embedded(page, "form-data")["review"]["comment"] == "写到一半"
        assert "草稿" in page

    @pytest.mark.parametrize("body", [{"data": "text"}, {"other": {}}, []])
    def test_what_is_no_form_data_is_422(self, city: City, body: Any) -> None:
        answer = city.visit("gsgs").post(f"/tasks/{city.key('gsgs')}/draft", json=body)
        assert (answer.status_code, answer.content_type) == (422, "application/problem+json")

    def test_nobody_writes_a_draft_for_another_department(self, city: City) -> None:
        assert city.visit("zjj").post(f"/tasks/{city.key('gsgs')}/draft", json={"data": {}}).status_code == 403

    def test_a_huge_draft_is_413(self, city: City) -> None:
        body = {"data": {"review": {"comment": "x" * 2_200_000}}}
        assert city.visit("gsgs").post(f"/tasks/{city.key('gsgs')}/draft", json=body).status_code == 413


class TestSubmitting:
    def test_wrong_values_name_the_field_and_change_nothing(self, city: City) -> None:
        client, key = city.visit("rqgs"), city.key("rqgs")
        client.post(f"/tasks/{key}/claim")
        answer = client.post(f"/tasks/{key}/complete", json=_answer(opinion="不知道", officers=[]))
        assert answer.status_code == 422
        assert any(path.startswith("review.opinion") for path in answer.get_json()["errors"])
        assert city.task("rqgs").state == "CREATED"

    def test_a_missing_value_is_named_in_chinese(self, city: City) -> None:
        answer = city.visit("rqgs").post(f"/tasks/{city.key('rqgs')}/complete", json={"data": {"review": {}}})
        texts = [text for texts in answer.get_json()["errors"].values() for text in texts]
        assert answer.status_code == 422
        assert any("审查意见" in text for text in texts), texts

    def test_submitting_completes_and_goes_on(self, city: City) -> None:
        client, key = city.visit("rlgs"), city.key("rlgs")
        client.post(f"/tasks/{key}/claim")
        answer = client.post(f"/tasks/{key}/complete", json=_answer())
        assert (answer.status_code, answer.get_json()) == (200, {"next": "/tasks?box=mine"})
        assert city.task("rlgs").completed_by == "rlgs"
        page = client.get(f"/tasks/{key}").get_data(as_text=True)
        assert "已提交。" in page and "提交。" in page and "data-submit-form" not in page

    def test_a_second_submit_is_409_and_changes_nothing(self, city: City) -> None:
        client, key = city.visit("txgs"), city.key("txgs")
        client.post(f"/tasks/{key}/claim")
        assert client.post(f"/tasks/{key}/complete", json=_answer()).status_code == 200
        again = client.post(f"/tasks/{key}/complete", json=_answer(opinion="不同意"))
        assert (again.status_code, again.get_json()["code"]) == (409, "conflict")
        assert city.task("txgs").submission["review"]["opinion"] == "同意"

    def test_another_department_is_403_and_changes_nothing(self, city: City) -> None:
        assert city.visit("zjj").post(f"/tasks/{city.key('slj')}/complete", json=_answer()).status_code == 403
        assert city.task("slj").state == "CREATED"

    def test_another_site_cannot_submit(self, city: City) -> None:
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert city.visit("slj").post(f"/tasks/{city.key('slj')}/complete", json=_answer(), headers=headers).status_code == 403


class TestFiles:
    @pytest.fixture
    def send(self, city: City) -> Callable[..., Any]:
        client, key = city.visit("jtysj"), city.key("jtysj")
        client.post(f"/tasks/{key}/claim")

        def post(content: bytes, name: str, item: str = "附件") -> Any:
            data = {"item": item, "file": (io.BytesIO(content), name)}
            return client.post(f"/tasks/{key}/materials", data=data, headers={"Accept": "application/json"})

        return post

    def test_a_file_is_stored_listed_and_downloaded_as_an_attachment(self, city: City, send: Callable[..., Any]) -> None:
        stored = send(PDF, "退让示意图.pdf").get_json()
        assert (stored["name"], stored["size"]) == ("退让示意图.pdf", len(PDF))
        page = city.visit("jtysj").get(f"/tasks/{city.key('jtysj')}?tab=materials").get_data(as_text=True)
        assert "退让示意图.pdf" in page
        answer = city.visit("zrzyj").get(stored["url"])
        assert answer.data == PDF
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")

    def test_without_script_the_page_comes_back(self, city: City) -> None:
        client, key = city.visit("jtysj"), city.key("jtysj")
        client.post(f"/tasks/{key}/claim")
        data = {"item": "附件", "file": (io.BytesIO(PDF), "说明.pdf")}
        assert client.post(f"/tasks/{key}/materials", data=data).location == f"/tasks/{key}?tab=materials"

    @pytest.mark.parametrize(
        ("content", "name"),
        [(b"MZ\x90\x00" + b"\x00" * 200, "图纸.pdf"), (PDF, "图纸.exe"), (b"<html><script>1</script>", "图纸.pdf"), (b"", "空.pdf")],
        ids=["program as pdf", "exe", "html as pdf", "empty"],
    )
    def test_disguised_and_unaccepted_files_are_refused(self, city: City, send: Callable[..., Any], content: bytes, name: str) -> None:
        before = _materials(city)
        answer = send(content, name)
        assert answer.status_code in {415, 422}
        assert answer.get_json()["detail"]
        assert _materials(city) == before

    def test_a_file_that_is_too_large_is_refused(self, city: City, send: Callable[..., Any]) -> None:
        before = _materials(city)
        assert send(PDF + b"\n" * (UPLOAD_MB + 2) * 1024 * 1024, "大.pdf").status_code == 413
        assert _materials(city) == before

    def test_no_file_and_no_name_are_refused(self, city: City, send: Callable[..., Any]) -> None:
        assert send(b"", "").status_code == 422
        assert send(PDF, "a.pdf", item=" ").status_code == 422

    def test_a_stranger_cannot_download(self, city: City, send: Callable[..., Any]) -> None:
        stored = send(PDF, "保密.pdf").get_json()
        assert city.visit("stranger").get(stored["url"]).status_code == 404
        assert city.visit("stranger").get("/materials/99999").status_code == 404

    def test_another_department_cannot_add_files_to_a_task(self, city: City) -> None:
        data = {"item": "附件", "file": (io.BytesIO(PDF), "x.pdf")}
        assert city.visit("zjj").post(f"/tasks/{city.key('jtysj')}/materials", data=data).status_code == 403


def _materials(city: City) -> list[str]:
    with city.engine.reading() as session:
        return [material.filename for material in materials.materials_of(session, city.project)]
