"""Projects: who sees which, what the page says of stages, lanes and objections, outside events, joint-review boards."""

from __future__ import annotations

import io
import json
import re

import pytest
from flask.testing import FlaskClient

from handlers.directory import service as directory
from tests.e2e import city
from tests.pdf import pdf
from tests.webapp.conftest import Town


@pytest.fixture
def stranger(town: Town) -> FlaskClient:
    """An investor of another company."""
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "stranger") is None:
            directory.create_demo_user(session, "stranger", "他人", "investor", organisation="别的公司")
    return town.visit("stranger")


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL))


def test_staff_find_a_project_by_name_code_company_and_stage(town: Town) -> None:
    clerk = town.visit("zrzyj")
    for query in ("q=第十二小学", "q=教育局", "stage=S2", "state=active"):
        assert f"/projects/{town.project}" in clerk.get(f"/projects?{query}").text, query
    for query in ("q=没有这样的项目", "state=completed"):
        page = clerk.get(f"/projects?{query}").text
        assert f"/projects/{town.project}" not in page
        assert "没有符合条件的项目" in page


def test_an_unknown_page_number_shows_the_last_page(town: Town) -> None:
    assert town.visit("zrzyj").get("/projects?page=999").status_code == 200
    assert town.visit("zrzyj").get("/projects?page=x").status_code == 200


def test_investors_see_their_own_projects_only(town: Town, stranger: FlaskClient) -> None:
    assert f"/projects/{town.project}" in town.visit(city.APPLICANT).get("/projects").text
    assert "还没有项目" in stranger.get("/projects").text
    for address in ("", "?tab=history", "/rail", "/lanes", "/side", "/reviews"):
        assert stranger.get(f"/projects/{town.project}{address}").status_code == 404, address


@pytest.mark.parametrize("number", ["999999", "0", "99999999999999999999"])
def test_an_unknown_project_is_a_clear_404(town: Town, number: str) -> None:
    answer = town.visit("zrzyj").get(f"/projects/{number}")
    assert answer.status_code == 404
    assert "没有找到" in answer.text


def test_the_rail_tells_stages_and_the_lanes_who_has_it(town: Town) -> None:
    page = text_of(town.visit("zrzyj").get(f"/projects/{town.project}").text)
    for words in ("立项用地规划许可", "工程建设许可", "限 25 工作日", "/ 100 工作日", "联合审查", "住建局", "不同意", "未签收"):
        assert words in page, words


def test_an_objection_stands_first_among_what_blocks(town: Town) -> None:
    side = text_of(town.visit("zrzyj").get(f"/projects/{town.project}/side").text)
    assert side.index("住建局 不同意") < side.index("未签收")
    assert re.search(r"另有 \d+ 个单位未提交", side)


def test_applicants_see_who_has_it_but_not_what_offices_said(town: Town) -> None:
    page = text_of(town.visit(city.APPLICANT).get(f"/projects/{town.project}").text)
    assert "现在由谁办理" in page
    assert "有问题找谁" in page
    assert "不同意" not in page
    assert "现在卡在哪里" not in page
    assert town.visit(city.APPLICANT).get(f"/projects/{town.project}/reviews").status_code == 403


def test_applicants_are_told_what_is_needed_from_them(town: Town) -> None:
    project = town.register()
    page = town.visit(city.APPLICANT).get(f"/projects/{project}").text
    assert "需要您做的" in page
    assert re.search(r'href="/tasks/\d+"', page)


@pytest.mark.parametrize("tab", ["board", "cases", "history", "materials", "diagram", "nonsense"])
def test_every_tab_can_be_linked(town: Town, tab: str) -> None:
    assert town.visit("zrzyj").get(f"/projects/{town.project}?tab={tab}").status_code == 200


def test_the_history_names_person_unit_step_and_result(town: Town) -> None:
    page = text_of(town.visit("zrzyj").get(f"/projects/{town.project}?tab=history").text)
    assert "住建局 ZJJ 经办 联合审查 工程规划许可 不同意" in page
    assert "收件核验" in page
    assert "办件状态：已受理" in page


def test_the_diagram_tab_shows_where_the_life_cycle_stands(town: Town) -> None:
    page = town.visit("zrzyj").get(f"/projects/{town.project}?tab=diagram").text
    states = [json.loads(block) for block in re.findall(r'class="diagram-state">(.*?)</script>', page)]
    assert any("mi_review" in state["active"] for state in states)


def test_the_review_board_puts_opinions_side_by_side(town: Town) -> None:
    page = text_of(town.visit("fgw").get(f"/projects/{town.project}/reviews").text)
    assert "1 已提交，1 有异议" in page
    assert "民用建筑设计统一标准 4.2.4" in page
    assert "住建局 提出不同意见" in page
    assert page.index("依据条款") < page.index("结论")


def test_a_live_part_is_a_fragment(town: Town) -> None:
    part = town.visit("zrzyj").get(f"/projects/{town.project}/lanes", headers={"X-Fragment": "1"}).text
    assert "<html" not in part
    assert "联合审查" in part


def event_key(page: str, name: str) -> int:
    found = re.search(r'id="event-(\d+)"[^>]*>\s*<summary><span[^>]*>' + name, page)
    assert found, f"no button {name}"
    return int(found.group(1))


def test_an_outside_event_is_a_button_only_while_it_is_awaited_and_only_for_those_who_may(town: Town) -> None:
    address = f"/projects/{town.project}"
    key = event_key(town.visit(city.APPLICANT).get(address).text, "申请撤回")
    assert "申请撤回" not in text_of(town.visit("zjj").get(address).text)
    refused = town.visit("zjj").post(f"{address}/events/{key}", json={"data": {}})
    assert refused.status_code == 403


def test_a_wrong_event_form_names_its_fields_and_changes_nothing(town: Town) -> None:
    address = f"/projects/{town.project}"
    applicant = town.visit(city.APPLICANT)
    key = event_key(applicant.get(address).text, "申请撤回")
    answer = applicant.post(f"{address}/events/{key}", json={"data": {}})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"]
    assert event_key(applicant.get(address).text, "申请撤回") == key


def test_an_event_of_another_project_is_not_found_here(town: Town) -> None:
    applicant = town.visit(city.APPLICANT)
    key = event_key(applicant.get(f"/projects/{town.project}").text, "申请撤回")
    other = town.register()
    assert applicant.post(f"/projects/{other}/events/{key}", json={"data": {}}).status_code == 404
    assert applicant.post(f"/projects/{other}/events/1", json={"data": {}}).status_code == 404
    assert applicant.post(f"/projects/{other}/events/1", data="{", content_type="application/json").status_code in {400, 422}


def test_an_event_is_reported_once(town: Town) -> None:
    project = int(city.bring_to_joint_review(town.engine))
    applicant, address = town.visit(city.APPLICANT), f"/projects/{project}"
    key = event_key(applicant.get(address).text, "申请撤回")
    done = applicant.post(f"{address}/events/{key}", json={"data": city.example("withdrawal")})
    assert done.status_code == 200, done.text
    assert done.json == {"next": address}
    assert "确认撤回" in text_of(applicant.get(address).text)
    assert "申请撤回 外部事件" in text_of(applicant.get(f"{address}?tab=history").text)


PDF = pdf()


def upload(client: FlaskClient, project: int, name: str, content: bytes, item: str = "土地出让合同") -> int:
    data = {"file": (io.BytesIO(content), name), "item": item}
    return client.post(f"/projects/{project}/materials", data=data, headers={"Accept": "application/json"}).status_code


def test_a_file_is_added_to_the_project_and_can_be_downloaded(town: Town) -> None:
    applicant = town.visit(city.APPLICANT)
    assert upload(applicant, town.project, "合同.pdf", PDF) == 200
    page = applicant.get(f"/projects/{town.project}?tab=materials").text
    [address] = re.findall(r'href="(/materials/\d+)" download', page)
    assert applicant.get(address).data == PDF
    assert f'href="{address}/preview"' in page


def test_disguised_missing_and_foreign_files_are_refused(town: Town, stranger: FlaskClient) -> None:
    applicant = town.visit(city.APPLICANT)
    assert upload(applicant, town.project, "合同.pdf", b"MZ\x90\x00 a program") in {415, 422}
    assert upload(applicant, town.project, "", b"") == 422
    assert upload(stranger, town.project, "合同.pdf", PDF) == 404
