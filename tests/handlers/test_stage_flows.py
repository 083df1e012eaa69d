"""Every outcome of the stages' flows P10 to P50 on the real diagrams: status, documents and clock (domain §2.5, §2.7-2.10, §3.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import commands
from engine.policy import SYSTEM
from handlers.clock import service as clocks
from handlers.documents import service as documents
from handlers.driving.driver import Stuck
from handlers.promises import service as promises
from tests.handlers.conftest import Office
from tests.handlers.item_flow import at
from tests.handlers.stage_flow import FLOWS, Flow, StageItem
from tests.handlers.test_item_flow import notices
from tests.handlers.test_promises import row

pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True, scope="module")
every_flow = pytest.mark.parametrize("flow", FLOWS.values(), ids=list(FLOWS))
LICENCES = {"land_preapproval", "planning_permit", "construction_permit"}
"""Flows that end with an administrative licence; the others approve or confirm."""


def accepted(office: Office, flow: Flow) -> StageItem:
    item = StageItem(office, flow)
    item.accept()
    return item


def tolerated(office: Office, flow: Flow) -> StageItem:
    item = StageItem(office, flow).on("2022-05-12T11:00")
    intake = {"reason": "待出具，符合容缺受理条件。", "tolerance_deadline": "2022-05-13", "materials": [row(flow.missing, "容缺")]}
    item.do("t_check", {"intake": {"accept_result": "容缺受理", **intake}})
    item.do("t_promise")
    assert isinstance(item, StageItem)
    return item


@every_flow
def test_a_grant_is_decided_documented_and_served(office: Office, flow: Flow) -> None:
    item = accepted(office, flow).reviewed().sign()
    assert item.incidents() == []
    assert item.statuses()[-1] == 11 and item.clock().reading.state == "decided"
    assert ("W19" in item.documents(), item.documents()[-1]) == (flow.process in LICENCES, "W21")
    assert item.task("t_deliver").due_date == at("2022-05-25T20:00"), "ten working days after the decision"
    item.do("t_deliver")
    assert item.documents()[-1] == "W24" and item.clock().reading.state == "served"


@every_flow
def test_a_refusal_has_its_reason_and_is_served_too(office: Office, flow: Flow) -> None:
    item = accepted(office, flow).reviewed().sign("不予")
    assert item.statuses()[-1] == 13 and item.documents()[-1] == "W20"
    item.do("t_deliver")
    assert item.documents()[-1] == "W24" and item.clock().reading.state == "served"


@every_flow
def test_a_withdrawal_ends_the_review(office: Office, flow: Flow) -> None:
    item = accepted(office, flow)
    item.report("withdrawal_requested")
    item.do("t_withdraw_confirm")
    assert item.statuses()[-2:] == [16, 14] and item.documents()[-1] == "W22"
    assert item.clock().reading.state == "ended" and item.state() == "COMPLETED"


@every_flow
def test_a_gap_is_made_up_before_the_permit(office: Office, flow: Flow) -> None:
    item = tolerated(office, flow)
    assert "W07" in item.documents() and "t_make_up" in item.open()
    item.reviewed().sign()
    assert item.statuses()[-1] in (8, 10) and item.open() == {"t_make_up"}, "nothing is issued before everything is handed in"
    item.do("t_make_up")
    item.do("t_confirm")
    assert item.statuses()[-1] == 12 and item.documents()[-1] == "W21"


@every_flow
def test_a_gap_that_is_not_made_up_in_time_ends_the_case_with_a_credit_record(office: Office, flow: Flow) -> None:
    item = tolerated(office, flow).on("2022-05-16T11:00")
    assert "t_overdue" in item.open()
    item.do("t_overdue")
    assert item.statuses()[-1] == 14 and item.documents()[-1] == "W22" and item.clock().reading.state == "ended"
    assert item.state() == "COMPLETED"
    with office.engine.reading() as session:
        assert [p.state for p in promises.promises_of(session, item.case().id)] == ["broken"]
    with office.engine.unit_of_work() as session:
        (record,) = [r for r in promises.credit_records(session, item.project.organisation_code) if r.repaired_at is None]
        promises.repair(session, SYSTEM, record.id)


@every_flow
def test_an_extension_moves_the_clock_and_both_lights_law_42(office: Office, flow: Flow) -> None:
    item = accepted(office, flow)
    yellow, due = item.clock().reading.yellow, item.clock().reading.due
    assert yellow is not None and due is not None
    item.on(f"{yellow.isoformat()}T11:00")
    item.report("extension_requested", {"extensionRequest": {"days": 10}})
    joint = flow.process in ("planning_permit", "completion_acceptance")
    approver = item.do("t_extend_approve")
    assert (approver == "yusufu") is joint, "unified handling is extended by the head of the government (行政许可法 42(2))"
    later = item.clock().reading
    assert later.due is not None and later.due > due and item.documents()[-1] == "W12"
    variable = clocks.variable(item.clock())
    assert variable["yellow_again"] == variable["yellow"] and item.next_due() is not None
    item.on(f"{later.due.isoformat()}T20:30")
    assert item.clock().is_late and "t_explain" in item.open() and item.documents()[-1] == "W25"


# ---------------------------------------------------------------------- special procedures
def pauses(item: StageItem) -> list[tuple[str, bool]]:
    """The clock's pauses: procedure, and whether the law itself leaves it out (行政许可法 45)."""
    return [(event.procedure, event.legal) for event in item.clock().events if isinstance(event, clocks.Paused)]


def told(item: StageItem) -> list[tuple[object, object]]:
    """Kind and time of the notices of special procedures, oldest first."""
    with item.office.engine.reading() as session:
        found = [each for each in documents.documents_of(session, item.project.id) if each.kind == "W11"]
    return [(each.facts["特别程序种类"], each.facts.get("所需时间")) for each in reversed(found)]


def test_each_special_procedure_of_a_planning_permit_is_told_and_pauses_as_its_own_kind(office: Office) -> None:
    item = accepted(office, FLOWS["planning_permit"]).work("mi_review")
    item.work("t_sum", t_sum={"summary": {"expert_review": True}})
    item.work("t_request", "t_approve", t_request={"special": {"limit": 15}})
    assert item.open() == {"t_expert"} and item.statuses()[-1] == 9
    item.work("t_expert")
    item.work("t_request", "t_approve", t_request={"special": {"kind": "鉴定", "limit": 7}})
    assert pauses(item) == [("专家评审", True), ("公示", False)], "the flow says the kind, not the form"
    assert told(item) == [("专家评审", "15个工作日"), ("公示", "7个工作日")]
    item.work("t_publicity")
    assert item.open() == {"t_permit"} and item.clock().reading.state == "running"


def test_an_objection_that_is_upheld_changes_the_design_and_is_published_again(office: Office) -> None:
    item = accepted(office, FLOWS["planning_permit"]).work("mi_review", "t_sum", "t_request", "t_approve")
    objection = {"publicity": {"objection": True, "objections": [{"name": "住户代表", "content": "担心影响日照。"}]}}
    item.work("t_publicity", t_publicity=objection).work("t_objection", t_objection={"objection": {"result": "采纳并修改方案"}})
    assert item.open() == {"t_redesign"} and item.clock().reading.state == "paused"
    item.work("t_redesign", "t_request", "t_approve", "t_publicity")
    assert [kind for kind, _ in pauses(item)] == ["公示", "技术修改", "公示"] == [kind for kind, _ in told(item)]
    assert item.open() == {"t_permit"}


def test_an_objection_may_lead_to_a_hearing_with_its_own_pause_law_47(office: Office) -> None:
    item = accepted(office, FLOWS["planning_permit"]).work("mi_review", "t_sum", "t_request", "t_approve")
    objection = {"publicity": {"objection": True, "objections": [{"name": "住户代表", "content": "担心影响日照。"}]}}
    hearing = {"objection": {"result": "转听证", "hearing_notice": "2022-05-12"}}
    item.work("t_publicity", t_publicity=objection).work("t_objection", t_objection=hearing)
    assert pauses(item) == [("公示", False), ("听证", True)] and item.documents()[-1] == "W13"
    item.report("hearing_requested")
    item.do("t_arrange")
    assert item.documents()[-1] == "W14"
    item.do("t_hold")
    assert item.documents()[-1] == "W15" and item.open() == {"t_permit"}


def test_superior_approval_and_expert_argument_follow_each_other(office: Office) -> None:
    item = StageItem(office, FLOWS["land_preapproval"], t_apply={"application": {"kxq": True}})
    item.accept()
    item.work("t_plan", "t_farm", "t_use", "mi_consult").work("t_site", t_site={"siteVisit": {"expert_review": True}})
    for closing in ("t_result", "t_expert"):
        item.work("t_request", "t_approve")
        assert item.open() == {closing} and item.clock().reading.state == "paused"
        item.work(closing)
    assert pauses(item) == [("上级审批", False), ("专家评审", True)] and item.open() == {"t_sum"}


def test_a_rectification_of_the_acceptance_is_told_with_its_time(office: Office) -> None:
    item = accepted(office, FLOWS["completion_acceptance"]).work("t_schedule")
    problem = {"problem": "疏散指示标志缺失", "basis": "建筑防火通用规范", "requirement": "补装并调试"}
    first, *_ = [task for task in item.tasks() if task.element_id == "mi_accept"]
    answer = {"acceptance": {"result": "整改后合格", "deadline": "2022-05-20", "problems": [problem]}}
    office.driver.complete(first, answer, item.project)
    item.work("mi_accept").work("t_sum", t_sum={"summary": {"conclusion": "整改", "comment": "需整改后复验。"}})
    item.work("t_notice", t_notice={"rectification": {"deadline": "2022-05-21"}})
    assert pauses(item) == [("踏勘整改", False)] and told(item) == [("踏勘整改", "10个自然日")]
    item.report("rectification_done")
    assert len(item.tasks()) == 1 and item.clock().reading.state == "running", "only who found it looks again"


def test_without_the_planning_check_no_opinion_of_acceptance_is_signed_planning_law_45(office: Office) -> None:
    """城乡规划法 45 (R220): whoever sums up cannot pass over it, and what is denied gets no permit and no filing."""
    item = accepted(office, FLOWS["completion_acceptance"]).work("t_schedule")
    for task in [task for task in item.tasks() if task.element_id == "mi_accept"]:
        problem = {"problem": "建筑高度超出许可", "basis": "城乡规划法第四十五条", "requirement": "恢复至许可高度"}
        failed = {"acceptance": {"result": "不合格", "deadline": "2022-05-20", "problems": [problem]}}
        office.driver.complete(task, failed if "ZRZYJ.handler" in task.candidate_groups else {}, item.project)
    with pytest.raises(Stuck, match="未经规划核实合格不得通过"):
        item.do("t_sum", {"summary": {"conclusion": "通过"}})
    assert item.open() == {"t_sum"}
    item.do("t_sum", {"summary": {"conclusion": "不通过", "comment": "规划核实不合格，不予通过。"}})
    assert item.statuses()[-1] == 13 and item.documents()[-1] == "W20" and item.open() == {"t_deliver"}


@pytest.mark.parametrize(
    ("signed", "served", "due"),
    [
        ("2022-05-13T11:00", "2022-05-20T11:00", "2022-05-30T20:00"),  # the 28th is a Saturday
        ("2022-05-16T11:00", "2022-05-20T11:00", "2022-05-31T20:00"),
        ("2022-05-16T11:00", "2022-05-30T11:00", "2022-05-31T20:00"),  # served late: not a day more
    ],
)
def test_the_filing_is_due_fifteen_days_after_the_day_of_acceptance_regulation_49(
    office: Office, signed: str, served: str, due: str
) -> None:
    """建设工程质量管理条例 49 (R221): calendar days from the acceptance, not from its delivery; 民法典 203 for a last day off."""
    item = accepted(office, FLOWS["completion_acceptance"]).reviewed().on(signed)
    assert isinstance(item, StageItem)
    item.sign().on(served).do("t_deliver")
    assert item.task("t_filing").due_date == at(due)


# ---------------------------------------------------------------------- what follows
def test_a_declaration_in_a_stage_is_checked_after_the_permit(office: Office) -> None:
    flow = FLOWS["construction_permit"]
    item = StageItem(office, flow)
    item.do("t_check", {"intake": {"accept_result": "受理", "materials": [row("资金落实承诺书", "承诺")]}})
    item.do("t_promise")
    assert "W09" in item.documents()
    item.reviewed().sign().do("t_deliver")
    checks = [task for task in office.driver.open_tasks(item.project.id) if task.process_id == "commitment_check"]
    assert [task.element_id for task in checks] == ["t_check"]
    with office.engine.reading() as session:
        assert [(p.kind, p.state) for p in promises.promises_of(session, item.case().id)] == [("commitment", "open")]


def test_an_overdue_case_is_ordered_orange_then_red_and_closed_by_the_supervisor(office: Office) -> None:
    item = accepted(office, FLOWS["land_preapproval"])
    due = item.clock().reading.due
    assert due is not None
    calendar = item.clock().calendar
    orange = calendar.add_workdays(due, 2)
    item.on(f"{due.isoformat()}T20:30")
    assert item.documents()[-1] == "W25" and "t_reply" not in item.open()
    item.on(f"{orange.isoformat()}T20:30")
    assert item.documents()[-1] == "W26" and "t_reply" in item.open()
    item.on(f"{calendar.add_workdays(orange, 2).isoformat()}T20:30")
    with office.engine.reading() as session:
        orders = [each.facts for each in documents.documents_of(session, item.project.id) if each.kind == "W26"]
    assert [facts["等级"] for facts in reversed(orders)] == ["橙色督办", "红色督办"]
    assert {"zhouming", "lilixin"} <= notices(office, item, "supervision_escalated")
    assert item.do("t_reply") == "ayinuer"
    assert item.do("t_audit", {"supervisionAudit": {"result": "退回", "comment": "措施不具体。"}}) == "zhouming"
    item.do("t_reply")
    item.do("t_audit")
    assert "t_audit" not in item.open() and "t_reply" not in item.open() and "t_explain" in item.open()


def test_a_consultation_leaves_its_opinion_and_its_minutes(office: Office) -> None:
    item = accepted(office, FLOWS["planning_permit"]).work("mi_review")
    item.work("t_sum", t_sum={"summary": {"conclusion": "会商", "topic": "主出入口位置", "comment": "有单位不同意，需会商。"}})
    item.do("t_meeting")
    assert item.documents()[-2:] == ["W17", "W18"]


def test_a_reviewer_returns_their_own_branch_and_the_lead_recalls_all(office: Office) -> None:
    """退回: `branch` leaves the others' opinions alone, `all` calls the parallel steps back (domain §5 O5)."""
    item = accepted(office, FLOWS["land_preapproval"]).work("t_plan", "t_farm", "t_use", "mi_consult", "t_site")
    (summing,) = item.tasks()
    lead = office.actor(office.driver.claim(summing))
    with office.engine.reading() as session:
        targets = {target.element_id: target.modes for target in commands.return_targets(session, lead, summing.key)}
    assert set(targets) >= {"t_site", "t_plan", "t_farm", "t_use"} and "branch" in targets["t_site"]
    assert not {"ca_intake", "t_apply"} & set(targets), "an accepted case is not returned to before its acceptance"
    with office.engine.unit_of_work() as session:
        commands.return_task(session, lead, summing.key, "t_site", reason="踏勘记录缺少照片。", mode="branch")
    assert item.open() == {"t_site"}


# ---------------------------------------------------------------------- outcomes of one flow only
def test_a_filing_is_complete_at_once(office: Office) -> None:
    """备案: all information received is the filing (核准备案条例 13)."""
    flow = replace(FLOWS["project_initiation"], item="FG06", before=())
    item = StageItem(office, flow, fields={"tzly": "企业投资", "lxlx": "备案", "gbhy": "1441", "gnyt": "工业厂房", "tdhqfs": "出让"})
    assert item.statuses() == [1, 3, 8, 11] and item.documents() == ["W01", "W21"] and item.state() == "COMPLETED"


def test_a_design_beyond_the_planning_conditions_is_refused_without_a_signature(office: Office) -> None:
    flow = replace(FLOWS["planning_permit"], before=())
    item = StageItem(office, flow)
    item.work("t_apply", t_apply={"application": {"rjl": 0.9}}).accept()
    item.reviewed()
    assert item.statuses()[-1] == 13 and item.documents()[-1] == "W20" and item.open() == {"t_deliver"}


def test_a_rectification_that_is_not_done_in_time_ends_the_acceptance(office: Office) -> None:
    item = accepted(office, FLOWS["completion_acceptance"]).work("t_schedule")
    problem = {"problem": "疏散指示标志缺失", "basis": "建筑防火通用规范", "requirement": "补装并调试"}
    item.work("mi_accept", mi_accept={"acceptance": {"result": "整改后合格", "deadline": "2022-05-20", "problems": [problem]}})
    item.work("t_sum", t_sum={"summary": {"conclusion": "整改", "comment": "需整改后复验。"}})
    item.work("t_notice", t_notice={"rectification": {"deadline": "2022-05-16"}})
    item.on("2022-05-16T20:30")
    assert item.statuses()[-2:] == [10, 13] and item.documents()[-1] == "W20" and item.clock().reading.state == "decided"


def test_a_permit_that_is_not_used_within_three_months_is_void_building_law_9(office: Office) -> None:
    item = accepted(office, FLOWS["construction_permit"]).reviewed().sign()
    item.do("t_deliver")
    item.on("2022-08-12T11:00")
    assert item.documents()[-1] == "W23" and item.state() == "COMPLETED" and item.statuses()[-1] == 11
