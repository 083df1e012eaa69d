"""The life of a case by the diagrams item_intake, item_decision and special_procedure (domain §2.5, §2.7): one scenario an outcome."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.clock import CHINA
from engine.policy import SYSTEM
from handlers.calendar import service as calendars
from handlers.documents import service as documents
from handlers.driving.service import Stuck
from handlers.notices.models import NoticeRow
from handlers.special import service as special
from tests.handlers.conftest import Office
from tests.handlers.item_flow import Item, at

pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True, scope="module")


def notices(office: Office, item: Item, event: str) -> set[str]:
    """Who was told of an event of the item's case."""
    with office.engine.reading() as session:
        rows = session.scalars(select(NoticeRow).where(NoticeRow.event == event, NoticeRow.case_id == item.case().id))
        return {row.recipient for row in rows}


def test_an_ordinary_grant_from_receipt_to_service(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim().review().decide()
    item.on("2022-05-17T11:00").do("t_deliver")
    assert item.statuses() == [1, 3, 8, 11] and item.state() == "COMPLETED"
    assert item.documents() == ["W01", "W03", "W19", "W21", "W24"]
    reading = item.clock().reading
    assert (reading.state, reading.elapsed, reading.light) == ("served", 0, "green")
    assert not item.incidents()


@pytest.mark.parametrize(
    ("result", "document", "statuses"),
    [("不予受理", "W05", [1, 5]), ("不需许可", "W06", [1, 4]), ("一次告知补正", "W04", [1, 6])],
)
def test_each_other_intake_outcome_has_its_document_and_status_law_32(
    office: Office, result: str, document: str, statuses: list[int]
) -> None:
    item = Item(office)
    item.accept(accept_result=result, reason="申请事项依法不属于本机关职权范围，请向有权机关申请。", deadline="2022-06-10")
    assert (item.documents(), item.statuses()) == (["W01", document], statuses)
    assert item.clock().reading.due is None


def test_correction_on_the_spot_returns_to_the_window(office: Office) -> None:
    item = Item(office).accept(accept_result="当场更正", reason="联系电话填写有误，可以当场更正。")
    item.do("t_fix")
    assert item.accept().statuses() == [1, 3]


def test_corrections_in_time_are_accepted_from_the_day_they_were_in(office: Office) -> None:
    item = Item(office).accept(accept_result="一次告知补正", reason="总平面图缺少电子签章。", deadline="2022-06-10")
    item.on("2022-05-18T16:00").do("t_correct")
    item.on("2022-05-20T11:00").accept()
    assert item.clock().reading.accepted == at("2022-05-18T00:00").date()
    assert item.statuses() == [1, 6, 7, 3]


def test_corrections_that_never_come_end_the_case(office: Office) -> None:
    item = Item(office).accept(accept_result="一次告知补正", reason="总平面图缺少电子签章。", deadline="2022-06-10")
    item.on("2022-06-11T10:00")
    assert (item.statuses(), item.state(), item.clock().reading.state) == ([1, 6, 2], "COMPLETED", "ended")


def test_a_second_correction_needs_approval_or_is_dropped(office: Office) -> None:
    """行政许可法 32, 72(四): told once and completely."""
    again = {"accept_result": "一次告知补正", "reason": "还缺少日照分析报告。", "deadline": "2022-06-20"}
    item = Item(office).accept(**again)
    item.on("2022-05-18T16:00").do("t_correct")
    item.accept(**again)
    item.do("t_second", {"secondNotice": {"result": "不同意"}})
    assert item.open() == {"t_check"} and item.statuses() == [1, 6, 7]
    item.accept(**again)
    item.do("t_second")
    assert item.open() == {"t_correct"} and item.documents().count("W04") == 2


def test_five_silent_days_accept_the_case_from_its_receipt(office: Office) -> None:
    """行政许可法 32(四), R202."""
    item = Item(office, received="2022-04-29T11:00").on("2022-05-11T19:59")
    assert item.statuses() == [1]
    item.on("2022-05-11T20:00")
    case = item.case()
    assert case.accepted_at is not None
    assert item.statuses() == [1, 3] and case.deemed_accepted
    assert item.clock().reading.accepted == at("2022-04-29T00:00").date() and case.accepted_at < at("2022-04-29T11:01")
    assert item.documents() == ["W01", "W03"] and item.open() == {"t_claim"}
    assert {"zhouming", item.project.applicant} <= notices(office, item, "deemed_accepted")


def test_the_second_officer_is_somebody_else(office: Office) -> None:
    item = Item(office)
    with pytest.raises(Stuck, match="核验人2不能与核验人1"):
        item.accept(officer2="古丽·阿不都")
    assert item.accept(officer2="王建军").statuses() == [1, 3]


def test_site_checks_need_two_different_officers_law_34(office: Office) -> None:
    item = Item(office).accept().claim()
    with pytest.raises(Stuck, match="两名以上不同"):
        item.review(site_check=True, checkers=[{"name": "李建国"}, {"name": "李建国"}])


def test_yellow_reminds_and_overdue_is_registered_explained_and_told(office: Office) -> None:
    """Domain §2.10 and 优化营商环境条例 36; ZR06 is promised in seven working days: 12 May to 23 May."""
    item = Item(office).on("2022-05-12T11:00").accept().claim()
    assert item.next_due() == at("2022-05-19T10:00")
    item.on("2022-05-19T10:00")
    assert "lijianguo" in notices(office, item, "clock_yellow")
    item.on("2022-05-23T20:00")
    assert item.clock().is_late and "W25" in item.documents() and item.open() == {"t_review", "t_explain"}
    item.do("t_explain")
    assert item.project.applicant in notices(office, item, "clock_overdue")
    item.on("2022-05-25T11:00").review().decide().do("t_deliver")
    assert item.state() == "COMPLETED" and item.clock().is_late


def test_a_special_procedure_stops_the_clock_and_its_timers_law_45(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim().on("2022-05-16T11:00").review("需特别程序", special_kind="检测")
    item.do("t_request", {"special": {"limit": 9}})
    item.do("t_approve")
    clock = item.clock()
    assert (clock.reading.state, clock.reading.due, clock.reading.projected_due) == ("paused", None, at("2022-06-06T00:00").date())
    assert item.next_due() == at("2022-05-27T20:00"), "only the special procedure's own time runs"
    assert item.documents()[-1] == "W11" and item.project.applicant in notices(office, item, "special_started")
    item.on("2022-05-25T11:00").do("t_result")
    clock = item.clock()
    assert (clock.reading.state, clock.reading.elapsed, clock.reading.due) == ("running", 2, at("2022-06-01T00:00").date())
    assert item.next_due() == at("2022-05-30T10:00") and item.statuses() == [1, 3, 8, 9, 10]
    assert clock.reading.times.special == 7 and item.open() == {"t_review"}


def test_a_special_procedure_has_a_light_of_its_own(office: Office) -> None:
    item = Item(office).accept().claim().review("需特别程序", special_kind="鉴定")
    item.do("t_request", {"special": {"limit": 3}})
    item.do("t_approve")
    item.on("2022-05-17T10:00")
    assert "lijianguo" in notices(office, item, "special_overdue") and item.open() == {"t_result"}


def test_the_head_may_refuse_a_special_procedure(office: Office) -> None:
    item = Item(office).accept().claim().review("需特别程序", special_kind="检测")
    item.do("t_request")
    item.do("t_approve", {"specialApproval": {"result": "不同意", "comment": "没有必要检测。"}})
    assert item.open() == {"t_review"} and item.statuses() == [1, 3, 8] and item.clock().reading.state == "running"


def hearing(office: Office) -> Item:
    item = Item(office).accept().claim().on("2022-05-13T11:00").review("需特别程序", special_kind="听证")
    item.do("t_request", {"special": {"limit": 20}})
    item.do("t_approve")
    return item


def test_nobody_asks_for_a_hearing_within_five_days_law_47(office: Office) -> None:
    item = hearing(office)
    assert "W13" in item.documents() and {"hearing_requested"} <= {row.message_name for row in item.awaited()}
    item.on("2022-05-20T20:00")
    assert item.open() == {"t_review"} and item.statuses()[-1] == 10 and not item.incidents()


def test_a_hearing_is_announced_seven_days_before_within_twenty_days_and_not_held_by_the_examiner(office: Office) -> None:
    """行政许可法 47, 48."""
    item = hearing(office)
    item.on("2022-05-17T11:00").report("hearing_requested")
    for fields, words in (
        ({"date": "2022-05-23"}, "举行七日前应当通知"),
        ({"date": "2022-06-16"}, "二十个工作日内举行"),
        ({"date": "2022-06-10", "host": "李建国"}, "不得主持听证"),
    ):
        with pytest.raises(Stuck, match=words):
            item.do("t_arrange", {"hearing": {"host": "韩丽娜", **fields}})
    item.do("t_arrange", {"hearing": {"date": "2022-06-10", "host": "韩丽娜"}})
    assert item.do("t_hold") == "hanlina"
    assert [kind for kind in item.documents() if kind in {"W13", "W14", "W15"}] == ["W13", "W14", "W15"]
    assert item.open() == {"t_review"}


def test_experts_are_drawn_by_chance_without_a_conflict_and_only_they_give_opinions(office: Office) -> None:
    party = "昌吉方圆建筑设计有限公司"
    item = Item(office, jsdw=party).accept().claim().review("需特别程序", special_kind="专家评审")
    item.do("t_request", {"special": {"expert_count": 5, "expert_field": "规划建筑"}})
    item.do("t_approve")
    with office.engine.reading() as session:
        (drawn,) = special.draws_of(session, item.case().id)
    names = {expert.name for expert in drawn.experts}
    assert len(names) == 5 and "赵建民" in drawn.excluded and "赵建民" not in names
    stranger: dict[str, Any] = {
        "expertReview": {"opinions": [{"name": name, "opinion": "通过"} for name in ("赵建民", *sorted(names)[:2])]}
    }
    with pytest.raises(Stuck, match="意见人应为抽取的专家"):
        item.do("t_expert", stranger)
    item.do("t_expert")
    assert item.open() == {"t_review"} and item.statuses()[-1] == 10


def test_objections_to_a_publication_are_dealt_with(office: Office) -> None:
    item = Item(office).accept().claim().review("需特别程序", special_kind="公示")
    item.do("t_request")
    item.do("t_approve")
    item.do("t_publicity", {"publicity": {"objection": True, "objections": [{"name": "住户代表", "content": "担心影响日照。"}]}})
    assert item.open() == {"t_objection"}
    item.do("t_objection")
    assert item.open() == {"t_review"} and item.statuses()[-1] == 10


def test_an_extension_is_asked_by_the_office_approved_by_its_head_and_told_law_42(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim()
    assert item.report("extension_requested") == "lijianguo"
    assert item.do("t_extend_approve") == "ayinuer"
    assert item.clock().reading.due == at("2022-06-07T00:00").date() and "W12" in item.documents()
    with office.engine.reading() as session:
        notice = next(each for each in documents.documents_of(session, item.project.id) if each.kind == "W12")
    assert (notice.facts["新届满日"], notice.facts["延长"], notice.facts["批准人"]) == ("2022-06-07", "10个工作日", "阿依努尔")
    assert item.next_due() == at("2022-05-31T10:00"), "the timers moved with the clock"
    item.report("extension_requested")
    item.do("t_extend_approve")
    assert item.documents().count("W12") == 1 and "lijianguo" in notices(office, item, "extension_refused")
    assert not item.incidents() and item.open() == {"t_review"}


def test_an_extension_after_expiry_or_beyond_the_law_is_refused_with_its_article(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim()
    item.report("extension_requested", {"extensionRequest": {"days": 11}})
    item.do("t_extend_approve")
    item.on("2022-05-24T11:00").report("extension_requested")
    item.do("t_extend_approve")
    with office.engine.reading() as session:
        rows = session.scalars(select(NoticeRow).where(NoticeRow.event == "extension_refused", NoticeRow.case_id == item.case().id))
        bodies = [row.body for row in rows if row.recipient == "lijianguo"]
    assert "只能延长 1 到 10 个工作日（行政许可法第四十二条第一款）" in bodies[0]
    assert "期限已经届满，不能再延期（行政许可法第四十二条第一款）" in bodies[1]
    assert "W12" not in item.documents()


def test_a_withdrawal_before_the_decision_ends_the_case_and_after_it_there_is_none(office: Office) -> None:
    item = Item(office).accept().claim()
    item.report("withdrawal_requested")
    item.do("t_withdraw_confirm")
    assert item.statuses() == [1, 3, 8, 16, 14] and item.state() == "COMPLETED"
    later = Item(office).accept().claim().review().decide()
    assert not later.awaited()


def test_a_refusal_states_reasons_and_remedies_law_38(office: Office) -> None:
    item = Item(office).accept().claim().review("拟不予")
    item.do("t_verify")
    with pytest.raises(Stuck, match="不予理由"):
        item.do("t_sign", {"decision": {"decision": "不予", "deny_reason": ""}})
    item.do("t_sign", {"decision": {"decision": "不予", "deny_reason": "申请内容与批准的详细规划不符，不符合法定条件，不予许可。"}})
    assert item.statuses()[-1] == 13 and item.documents()[-1] == "W20"


def test_service_is_due_ten_working_days_after_the_decision_law_44(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim().review().decide()
    due = item.task("t_deliver").due_date
    assert due is not None and due.astimezone(CHINA) == at("2022-05-26T20:00")
    item.on("2022-05-26T20:00")
    assert {"zhouming"} <= notices(office, item, "service_overdue") and item.open() == {"t_deliver"}
    item.do("t_deliver")
    assert item.state() == "COMPLETED" and item.clock().reading.state == "served"


def test_an_imported_notice_moves_stored_clocks_and_waiting_timers(office: Office) -> None:
    """Domain §3.4: every open clock is recomputed."""
    item = Item(office).on("2022-05-12T11:00").accept().claim()
    days = "2022-05-05,off,肉孜节\n2022-05-16,off,试验\n2022-05-17,off,试验"
    with office.engine.unit_of_work() as session:
        notice = calendars.apply_notice(session, SYSTEM, days, 2022, "更正通知")
    office.engine.sweep()
    assert item.clock().reading.due == at("2022-05-25T00:00").date() and item.next_due() == at("2022-05-23T10:00")
    with office.engine.unit_of_work() as session:
        calendars.undo_notice(session, SYSTEM, notice.id)
    office.engine.sweep()
    assert item.next_due() == at("2022-05-19T10:00")
