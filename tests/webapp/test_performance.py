"""The pages of measures, milestones, visits, false material and policy documents (R001, R003, R005, R006, R211)."""

from __future__ import annotations

import csv
import io

import pytest
from flask.testing import FlaskClient

from handlers.cases import service as cases
from handlers.directory import service as directory
from handlers.policies import service as policies
from tests.e2e import city
from tests.webapp.conftest import Town
from tests.webapp.test_case_clock_page import text_of

pytestmark = pytest.mark.parametrize("town", ["sqlite"], indirect=True, scope="module")
WHY = "提交的检测报告编号不存在，经出具单位书面确认系伪造"


def case_of(town: Town) -> int:
    with town.engine.reading() as session:
        return cases.cases_of(session, town.project)[-1].id


def person(town: Town, name: str, kind: directory.Kind, *memberships: tuple[str, str]) -> FlaskClient:
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, name) is None:
            directory.create_demo_user(session, name, name, kind, list(memberships))
    return town.visit(name)


def test_the_measures_are_shown_printed_and_exported(town: Town) -> None:
    clerk = town.visit("zrzyj")
    page = clerk.get("/performance")
    assert "落地用时" in page.text and f"/projects/{town.project}" in page.text and "data-print" in page.text
    table = clerk.get("/performance/measures.csv")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert table.mimetype == "text/csv" and rows[0][4] == "审批用时（工作日）" and rows[-1][0] == "平均（期内办结的）" and len(rows) > 2
    for tab in ("visits", "reports"):
        assert clerk.get(f"/performance?tab={tab}").status_code == 200 and clerk.get(f"/performance/{tab}.csv").status_code == 200


@pytest.mark.parametrize("address", ["/performance", "/performance/measures.csv", "/policies"])
def test_applicants_do_not_see_the_numbers_of_others(town: Town, address: str) -> None:
    assert town.visit(city.APPLICANT).get(address).status_code == 403


@pytest.mark.parametrize("query", ["first=2022-13-01", "first=2022-08-01&last=2022-07-01"])
def test_an_impossible_period_is_told(town: Town, query: str) -> None:
    assert town.visit("zrzyj").get(f"/performance?{query}").status_code == 422


def test_a_milestone_is_registered_corrected_and_its_changes_are_listed(town: Town) -> None:
    window, convener = town.visit("xzspj_window"), person(town, "convener", "staff", ("XZSPJ", "tf_convener"))
    base = f"/projects/{town.project}/milestones"
    assert window.post(f"{base}/signed", data={"day": "2022-03-01", "evidence": "投资协议 1 号"}).status_code == 302
    assert window.post(f"{base}/signed/actual", data={"day": "2022-03-02", "reason": "抄错"}).status_code == 403
    assert convener.post(f"{base}/signed/actual", data={"day": "2022-03-02", "reason": "协议上是三月二日"}).status_code == 302
    page = text_of(town.visit(city.APPLICANT).get(base).text)
    assert "2022-03-02" in page and "投资协议 1 号" in page and "协议上是三月二日" in page and "更正理由" not in page
    assert "四早" in text_of(town.visit("zrzyj").get(f"/projects/{town.project}").text)


def test_a_visit_is_entered_at_the_window_and_shown_on_the_case(town: Town) -> None:
    case_id, window = case_of(town), town.visit("xzspj_window")
    for _ in range(2):
        assert window.post(f"/cases/{case_id}/visits", data={"reason": "consult", "note": "问进度"}).status_code == 302
    page = text_of(town.visit(city.APPLICANT).get(f"/cases/{case_id}/clock").text)
    assert "1 次，目标不超过 1 次" in page and "问进度" in page and "登记到窗口办理" not in page


def test_the_days_are_explained_in_the_way_that_was_chosen(town: Town) -> None:
    case_id, clerk = case_of(town), town.visit("zrzyj")
    told = {"promise": "按承诺时限计", "statutory": "按法定时限计", "reform": "计入全流程百个工作日的日子", "x": "按承诺时限计"}
    for view, words in told.items():
        page = text_of(clerk.get(f"/cases/{case_id}/clock?view={view}").text)
        assert words in page and "没有计入的日子" in page


def test_false_material_is_found_with_reason_and_confirmation_by_the_cases_body(town: Town) -> None:
    case_id, clerk = case_of(town), town.visit("zrzyj")
    address = f"/cases/{case_id}/false-material"
    assert clerk.post(address, data={"reason": WHY}).status_code == 422, "without the confirmation"
    assert town.visit("xzspj_window").post(address, data={"reason": WHY, "confirmed": "1"}).status_code == 403
    assert clerk.post(address, data={"reason": WHY, "confirmed": "1"}).status_code == 302
    page = text_of(clerk.get(f"/cases/{case_id}/clock").text)
    assert WHY in page and "行政警告决定书" in page and "第七十八条" in page


def test_a_policy_document_is_entered_and_a_referenced_one_is_not_deleted(town: Town) -> None:
    analyst = person(town, "drawer", "analyst")
    with town.engine.unit_of_work() as session:
        policies.bring_in(session)
    given = {"title": "昌吉市试行办法", "issuer": "昌吉市人民政府", "issued_on": "2022-03-01", "summary": "<b>x</b>"}
    assert analyst.post("/policies", data=given).status_code == 302
    page = analyst.get("/policies").text
    assert "昌吉市试行办法" in page and "&lt;b&gt;x" in page
    with town.engine.reading() as session:
        law = next(one for one in policies.policies(session) if one.code == "planning_law")
    assert analyst.post(f"/policies/{law.id}/remove").status_code == 409
    assert town.visit("zrzyj").post("/policies", data=given).status_code == 403
    assert "城乡规划法" in analyst.get("/definitions/processes/planning_permit").text
