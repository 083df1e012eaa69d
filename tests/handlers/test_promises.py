"""容缺受理 and 告知承诺 by the diagrams tolerance_acceptance and commitment_check (domain §2.9, R029, R030)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine.errors import Conflict, Forbidden, NotFound
from engine.policy import SYSTEM
from handlers.driving.service import Stuck
from handlers.notices.models import NoticeRow
from handlers.promises import service as promises
from handlers.promises.service import PromiseRefused
from tests.handlers.conftest import START, Office
from tests.handlers.item_flow import Item, at

pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True, scope="module")

MISSING = "日照分析报告"


def row(name: str, submitted: str) -> dict[str, object]:
    return {
        "name": name,
        "form": "电子",
        "copies": 1,
        "required": True,
        "submitted": submitted,
        "source": "上传",
        "result": "合格",
        "problem": "",
    }


def tolerant(office: Office, deadline: str = "2022-05-20", name: str = MISSING, **fields: object) -> Item:
    """ZR06, received on 11 May, accepted with a gap on 12 May if the window's answer is allowed."""
    item = Item(office, **fields).on("2022-05-12T11:00")
    intake = {"reason": "日照分析报告待出具，符合容缺受理条件。", "tolerance_deadline": deadline, "materials": [row(name, "容缺")]}
    item.do("t_check", {"intake": {"accept_result": "容缺受理", **intake}})
    return item


def test_a_tolerant_acceptance_is_promised_noticed_and_made_up_before_the_permit(office: Office) -> None:
    item = tolerant(office)
    assert item.open() == {"t_promise"}
    item.do("t_promise")
    assert item.documents() == ["W01", "W08", "W07"] and item.case().tolerance
    assert item.open() == {"t_claim", "t_make_up"}
    item.claim().review().decide()
    assert item.statuses() == [1, 3, 8], "no permit before everything is handed in"
    item.do("t_make_up")
    item.do("t_confirm", {"makeUp": {"result": "未补齐", "comment": "缺少签章页。"}})
    assert item.open() == {"t_make_up"}
    item.do("t_make_up")
    item.do("t_confirm")
    assert item.statuses()[-1] == 12 and item.documents()[-1] == "W21"
    with office.engine.reading() as session:
        assert [p.state for p in promises.promises_of(session, item.case().id)] == ["kept"]


def test_who_does_not_promise_goes_back_to_the_window(office: Office) -> None:
    item = tolerant(office)
    item.do("t_promise", {"promise": {"result": "不承诺"}})
    assert item.open() == {"t_check"} and item.statuses() == [1]


def test_declarations_only_where_the_catalogue_allows_them(office: Office) -> None:
    item = Item(office, "ZJ03", "ZJJ").on("2022-05-12T11:00")
    with pytest.raises(Stuck, match="不可承诺的材料"):
        item.accept(materials=[row("施工图设计文件审查合格书", "承诺")])


@pytest.mark.parametrize(
    ("deadline", "name", "words"),
    [("2022-05-24", MISSING, "不得超过该事项的承诺时限"), ("2022-05-20", "建设工程设计方案", "主件和不可容缺")],
)
def test_only_tolerable_materials_and_no_longer_than_the_promised_limit(office: Office, deadline: str, name: str, words: str) -> None:
    with pytest.raises(Stuck, match=words):
        tolerant(office, deadline, name)


def test_a_denial_does_not_wait_for_missing_materials(office: Office) -> None:
    item = tolerant(office)
    item.do("t_promise")
    item.claim().review("拟不予").do("t_verify")
    item.do("t_sign", {"decision": {"decision": "不予", "deny_reason": "申请内容与批准的详细规划不符，不符合法定条件，不予许可。"}})
    assert item.statuses()[-1] == 13 and item.open() == {"t_deliver"}


def test_reminders_then_termination_with_a_credit_record_that_bars_the_next_promise(office: Office) -> None:
    code = "91652301MA7DEM016Y"
    item = tolerant(office, jsdwdm=code, jsdwlx="企业")
    item.do("t_promise")
    item.claim().on("2022-05-19T10:00")
    with office.engine.reading() as session:
        reminders = select(NoticeRow).where(NoticeRow.event == "promise_reminder", NoticeRow.case_id == item.case().id)
        assert len(session.scalars(reminders).all()) == 2, "three working days before, and one"
    item.on("2022-05-20T20:00")
    assert item.open() == {"t_overdue", "t_review"}
    item.do("t_overdue")
    assert item.statuses()[-1] == 14 and item.state() == "COMPLETED" and item.documents()[-1] == "W22"
    with office.engine.reading() as session:
        (record,) = promises.credit_records(session, code)
        assert record.case_id == item.case().id and promises.is_barred(session, code)
    with pytest.raises(Stuck, match="未修复的失信记录"):
        tolerant(office, jsdwdm=code, jsdwlx="企业")
    with office.engine.unit_of_work() as session:
        promises.repair(session, SYSTEM, record.id)
    assert tolerant(office, jsdwdm=code, jsdwlx="企业").open() == {"t_promise"}
    with office.engine.unit_of_work() as session, pytest.raises(Conflict):
        promises.repair(session, SYSTEM, record.id)
    with office.engine.unit_of_work() as session, pytest.raises(Forbidden):
        promises.repair(session, office.actor("guli"), record.id)


def test_force_majeure_extends_the_promise_once(office: Office) -> None:
    item = tolerant(office, jsdwdm="91652301MA7DEM024R", jsdwlx="企业")
    item.do("t_promise")
    item.claim().on("2022-05-20T20:00")
    again = {"promiseOverdue": {"result": "因不可抗力延长一次", "deadline": "2022-05-27", "reason": "疫情封控，检测单位停工。"}}
    item.do("t_overdue", again)
    assert item.open() == {"t_make_up", "t_review"}
    item.on("2022-05-27T20:00")
    with pytest.raises(Stuck, match="已经延长过一次"):
        item.do("t_overdue", again)
    item.do("t_overdue")
    assert item.statuses()[-1] == 14


def test_the_service_refuses_what_the_form_would_not_let_through(office: Office) -> None:
    item = Item(office)
    case_id = item.case().id

    def record(names: list[str], deadline: date | None) -> None:
        with office.engine.unit_of_work() as session:
            promises.record(session, case_id, "tolerance", names, deadline, "W08", person="liumin", now=at("2022-05-12T11:00"))

    for names, deadline in (([], date(2022, 5, 16)), (["建设工程设计方案"], date(2022, 5, 16)), ([MISSING], None)):
        with pytest.raises(PromiseRefused, match="第十九条"):
            record(names, deadline)
    for deadline in (date(2022, 5, 12), date(2022, 6, 12)):
        with pytest.raises(PromiseRefused, match="补齐期限应在明天至 2022-05-23 之间"):
            record([MISSING], deadline)
    with office.engine.unit_of_work() as session, pytest.raises(NotFound):
        promises.extend(session, case_id, date(2022, 6, 1), START)


def commitment(office: Office, **fields: object) -> tuple[Item, Item]:
    """ZJ03 with a declaration instead of a proof, granted and served -> (the case, its check afterwards)."""
    item = Item(office, "ZJ03", "ZJJ", **fields).on("2022-05-12T11:00")
    item.accept(materials=[row("资金落实承诺书", "承诺")])
    item.do("t_promise")
    assert not item.incidents()
    assert item.documents() == ["W01", "W09", "W03"]
    item.claim().review().decide().do("t_deliver")
    check = Item.__new__(Item)
    check.office, check.project = office, item.project
    (task,) = [
        task for task in office.driver.open_tasks(item.project.id) if task.element_id == "t_check" and task.process_id == "commitment_check"
    ]
    check.root = task.root_key
    return item, check


def test_a_true_declaration_is_checked_and_filed(office: Office) -> None:
    item, check = commitment(office)
    check.do("t_check")
    assert check.state() == "COMPLETED" and item.statuses()[-1] == 11
    with office.engine.reading() as session:
        assert [p.state for p in promises.promises_of(session, item.case().id)] == ["kept"]


def test_a_false_declaration_is_put_right_or_costs_the_permit_law_69(office: Office) -> None:
    item, check = commitment(office, jsdwdm="91652301MA7DEM032L", jsdwlx="企业")
    check.do("t_check", {"commitmentCheck": {"result": "不相符", "problems": "资金专户余额不足，与承诺不符。", "deadline": "2022-06-01"}})
    assert check.open() == {"t_rectify"}
    check.on("2022-06-01T20:00")
    assert item.statuses()[-1] == 15 and item.documents()[-1] == "W23" and check.state() == "COMPLETED"
    with office.engine.reading() as session:
        assert promises.is_barred(session, item.project.organisation_code)
