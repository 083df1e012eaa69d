"""The clock of a case on its page, on the project and on the task; the calendar with its import (domain §3.4, R067)."""

from __future__ import annotations

import io
import re

import pytest
from flask.testing import FlaskClient

from handlers.cases import service as cases
from handlers.directory import service as directory
from tests.e2e import city
from tests.webapp.conftest import Town

pytestmark = pytest.mark.parametrize("town", ["sqlite"], indirect=True, scope="module")

NOTICE = "2027-01-01,off,元旦\n2027-02-06,work,春节调休\n2027-03-10,off,肉孜节"


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL))


def case_of(town: Town) -> int:
    with town.engine.reading() as session:
        return cases.cases_of(session, town.project)[-1].id


@pytest.fixture
def admin(town: Town) -> FlaskClient:
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "root") is None:
            directory.create_demo_user(session, "root", "管理员", "admin")
    return town.visit("root")


def test_every_day_of_a_case_is_explained_with_the_limits_and_the_four_times(town: Town) -> None:
    page = text_of(town.visit("zrzyj").get(f"/cases/{case_of(town)}/clock").text)
    for words in ("承诺时限", "法定时限", "跨度用时", "审批用时", "补正用时", "特别程序用时", "每一天怎么算", "收件", "受理", "到期"):
        assert words in page, words
    assert "已接件" in page and "部门开始办理" in page


def test_applicants_see_the_clock_of_their_own_cases_only(town: Town) -> None:
    case_id = case_of(town)
    assert "每一天怎么算" in town.visit(city.APPLICANT).get(f"/cases/{case_id}/clock").text
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "foreign") is None:
            directory.create_demo_user(session, "foreign", "外人", "investor", organisation="外面的公司")
    assert town.visit("foreign").get(f"/cases/{case_id}/clock").status_code == 404
    assert town.visit("zrzyj").get("/cases/999999/clock").status_code == 404


def test_the_project_and_the_task_lead_to_the_clock_with_its_light(town: Town) -> None:
    link = f'href="/cases/{case_of(town)}/clock"'
    clerk = town.visit("zrzyj")
    assert link in clerk.get(f"/projects/{town.project}?tab=cases").text
    task = next(t for t in city.open_tasks(town.engine, str(town.project)) if "ZRZYJ.handler" in t.candidate_groups)
    assert link in clerk.get(f"/tasks/{task.key}").text


def test_the_calendar_shows_xinjiang_s_days_and_what_is_provisional(town: Town) -> None:
    clerk = town.visit("zrzyj")
    page = clerk.get("/calendar?year=2022").text
    assert 'title="古尔邦节"' in page and "245 个工作日" in text_of(page) and "10:00-14:00" in page
    assert "暂定" in text_of(clerk.get("/calendar?year=2027").text)
    assert "导入放假通知" not in page, "administrators only"
    assert town.visit(city.APPLICANT).get("/calendar").status_code == 403


def test_a_notice_is_previewed_applied_and_undone_by_administrators(town: Town, admin: FlaskClient) -> None:
    form = {"year": "2027", "source": "国办发明电〔2026〕9号", "text": NOTICE}
    shown = text_of(admin.post("/calendar/preview", data=form).text)
    assert "2027-03-10" in shown and "2027-02-06" in shown and "预览" in shown
    assert "肉孜节" not in admin.get("/calendar?year=2027").text, "a preview stores nothing"
    applied = admin.post("/calendar/apply", data=form, follow_redirects=True).text
    assert "已导入 2027 年的放假安排" in applied and 'title="肉孜节"' in applied
    found = re.search(r"/calendar/(\d+)/undo", applied)
    assert found is not None
    undone = admin.post(f"/calendar/{found[1]}/undo", data={"year": "2027"}, follow_redirects=True).text
    assert "已撤销" in undone and 'title="肉孜节"' not in undone


def test_a_notice_may_be_a_file_and_a_bad_one_is_refused(town: Town, admin: FlaskClient) -> None:
    upload = {"year": "2027", "source": "通知", "file": (io.BytesIO(("\ufeff" + NOTICE).encode()), "2027.csv")}
    assert "2027-03-10" in admin.post("/calendar/preview", data=upload).text
    refused = admin.post("/calendar/preview", data={"year": "2027", "source": "通知", "text": "2027-02-30,off,元旦"})
    assert refused.status_code == 422 and "第 1 行" in refused.text
    for path in ("preview", "apply", "1/undo"):
        assert town.visit("zrzyj").post(f"/calendar/{path}", data={"year": "2027", "source": "x", "text": NOTICE}).status_code == 403
