"""办事指引, 事项与材料清单 and 证照 as pages: one question at a time, everything at the end, actions for those they are for."""

from __future__ import annotations

import re

import pytest

from handlers.guide import service as guide
from tests.e2e import city
from tests.webapp.conftest import Town

pytestmark = pytest.mark.parametrize("town", ["sqlite"], indirect=True, scope="module")


def finish(town: Town, address: str, username: str) -> tuple[str, str]:
    """Answer every question with its first option -> (the last page, its address)."""
    browser, answers = town.visit(username), ""
    for _ in range(guide.MOST_QUESTIONS + 1):
        page = browser.get(f"{address}?{answers}").text
        button = re.search(r'<button class="btn btn-quiet" name="(\w+)" value="0">', page)
        if button is None:
            return page, answers
        answers += f"&{button[1]}=0"
    raise AssertionError("the guide asks more than twelve questions")


def test_the_guide_asks_and_then_lists_items_and_materials(town: Town) -> None:
    first = town.visit(city.APPLICANT).get("/guide").text
    assert "资金从哪里来" in first and "建设工程规划许可证核发" not in first
    last, answers = finish(town, "/guide", city.APPLICANT)
    assert "建设工程规划许可证核发" in last and "项目建议书" in last and answers.count("=") <= guide.MOST_QUESTIONS


def test_answers_that_do_not_fit_are_ignored(town: Town) -> None:
    browser = town.visit(city.APPLICANT)
    for odd in ("investment=99", "investment=-1", "investment=x", "nothing=1", "mode=0", "investment=²"):
        assert "资金从哪里来" in browser.get(f"/guide?{odd}").text, odd


def test_a_registered_project_prints_its_notice(town: Town) -> None:
    project = town.register()
    _page, answers = finish(town, f"/projects/{project}/guide", city.APPLICANT)
    form = dict(pair.split("=") for pair in answers.split("&") if pair)
    answer = town.visit(city.APPLICANT).post(f"/projects/{project}/guide", data=form)
    assert answer.status_code == 302
    assert "一次性告知书" in town.visit(city.APPLICANT).get(answer.location).text
    assert town.visit("zrzyj").post(f"/projects/{project}/guide", data=form).status_code == 403


def test_the_checklist_shows_states_preconditions_and_sources(town: Town) -> None:
    page = town.visit(city.APPLICANT).get(f"/projects/{town.project}/checklist").text
    for words in ("在办", "未办", "建设工程规划许可证核发", "建筑法第八条第二项", "待提交", "按登记时的清单办理"):
        assert words in page, words


def test_a_result_is_entered_shown_and_asked_to_be_changed(town: Town) -> None:
    project = town.register()
    window = town.visit("xzspj_window")
    page = f"/projects/{project}/licences"
    assert window.post(page, data={"item": "CG01", "number": "昌城管占〔2022〕7号", "granted_on": "bad"}).status_code == 422
    entered = {"item": "CG01", "number": "昌城管占〔2022〕7号", "granted_on": "2022-01-05", "valid_until": "2099-12-31"}
    assert window.post(page, data=entered).status_code == 302
    shown = town.visit(city.APPLICANT).get(page).text
    assert "昌城管占〔2022〕7号" in shown and "提交“变更”" in shown and "提交“撤销”" not in shown
    licence = re.search(r"/licences/(\d+)/requests", shown)
    assert licence is not None
    asked = {"kind": "变更", "field": "占用面积", "value": "100平方米", "reason": "围挡<b>调整"}
    assert town.visit(city.APPLICANT).post(f"/licences/{licence[1]}/requests", data=asked).status_code == 302
    after = town.visit(city.APPLICANT).get(page).text
    assert "正在办理" in after and "围挡&lt;b&gt;调整" in after
    assert town.visit(city.APPLICANT).post(f"/licences/{licence[1]}/requests", data=asked).status_code == 409


def test_the_public_list_and_the_directory_open(town: Town) -> None:
    browser = town.visit(city.APPLICANT)
    assert "行政许可公开" in browser.get("/licences?q=%25&page=99").text
    assert "政府投资条例第九条" in browser.get("/intermediaries").text


def test_the_one_form_of_a_stage_is_shown_and_kept(town: Town) -> None:
    project = town.register()
    address = f"/projects/{project}/application/S1"
    page = town.visit(city.APPLICANT).get(address).text
    assert "每项内容的来源和用处" in page and "来自项目登记" in page and "data-submit-url" in page
    assert "data-submit-url" not in town.visit("zrzyj").get(address).text
    kept = town.visit(city.APPLICANT).post(address, json={"data": {"application": {"jsgq": 18}}})
    assert kept.status_code == 200 and kept.json is not None and kept.json["next"] == address
    assert town.visit(city.APPLICANT).get(f"/projects/{project}/application/S9").status_code == 404
    assert town.visit("zrzyj").post(address, json={"data": {"application": {"jsgq": 18}}}).status_code == 403
