"""Every outcome of the stages' flows P10 to P50 on the real diagrams: status, documents and clock (domain §2.5, §2.7-2.10, §3.1)."""

from __future__ import annotations

import pytest

from engine.policy import SYSTEM
from handlers.clock import service as clocks
from handlers.promises import service as promises
from tests.handlers.conftest import Office
from tests.handlers.item_flow import at
from tests.handlers.stage_flow import FLOWS, Flow, StageItem
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
