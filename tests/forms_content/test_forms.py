"""Every form: there, well-formed, with a valid example, and its domain rules hold on the server (domain specification §2.5, appendix B)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from engine.errors import FormInvalid
from engine.forms import lint_form
from tests.forms_content.content import DEMO_DATE, FORMS, changed, example, schema, submit

RESULTS = {
    "project_registration": "project", "intake_check": "intake", "correction_submission": "correction", "case_claim": "claim",
    "review_opinion": "opinion", "consultation_opinion": "consult", "special_procedure": "special", "verification": "verification",
    "decision_sign": "decision", "delivery": "delivery", "refile_choice": "refile", "project_proposal": "application",
    "feasibility_application": "application", "feasibility_review": "review", "verification_application": "application",
    "four_point_review": "review", "filing_information": "project", "land_preapproval_application": "application",
    "site_visit": "siteVisit", "review_summary": "summary", "land_use_application": "application",
    "planning_application": "application", "joint_review_opinion": "review", "joint_review_summary": "summary",
    "consultation_meeting": "meeting", "publicity": "publicity", "objection_handling": "objection",
    "preliminary_design_application": "application", "planning_review": "review", "construction_application": "application",
    "drawing_review": "drawing", "fire_design_review": "fireReview", "civil_defence_review": "civilDefence",
    "wage_commitment": "wage", "construction_review": "review", "stop_record": "stopRecord", "start_extension": "extension",
    "acceptance_application": "application", "acceptance_guidance": "guidance", "site_schedule": "schedule",
    "acceptance_opinion": "acceptance", "acceptance_summary": "summary", "rectification_notice": "rectification",
    "acceptance_filing": "application", "land_contract": "landContract", "land_allocation": "landAllocation",
    "construction_contract": "contract", "start_report": "startReport", "rectification_report": "rectificationReport",
    "withdrawal": "withdrawal", "start_extension_request": "extensionRequest", "stop_report": "stopReport",
    "withdrawal_confirmation": "withdrawalConfirmation", "works_resumption": "resumption", "permit_recheck": "recheck",
}  # fmt: skip
ALL = sorted(path.stem for path in FORMS.glob("*.form"))


def components(parent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for component in parent.get("components", []):
        yield component
        yield from components(component)


def test_every_user_task_of_the_flows_has_its_form() -> None:
    assert set(RESULTS) <= set(ALL)
    assert {path.stem for path in (FORMS / "examples").glob("*.json")} == set(ALL)


@pytest.mark.parametrize("form", ALL)
def test_schema_is_plain_form_js_without_findings(form: str) -> None:
    found = schema(form)
    assert (found["id"], found["schemaVersion"], found["executionPlatformVersion"]) == (form, 19, "8.9.0")
    assert lint_form(found, f"{form}.form") == []
    ids = [component["id"] for component in components(found)]
    assert len(ids) == len(set(ids))
    assert set(found) <= {"type", "id", "schemaVersion", "executionPlatform", "executionPlatformVersion", "exporter", "components"}


@pytest.mark.parametrize("form", ALL)
def test_result_is_one_variable(form: str) -> None:
    groups = [component for component in schema(form)["components"] if component["type"] != "text" and component["type"] != "table"]
    assert [group["path"] for group in groups] == [RESULTS.get(form, groups[0]["path"])]
    assert list(submit(form, example(form))) == [groups[0]["path"]]


@pytest.mark.parametrize("form", ALL)
def test_example_is_stored_as_it_is(form: str) -> None:
    assert submit(form, example(form)) == example(form)


@pytest.mark.parametrize("form", ALL)
def test_example_holds_on_another_day_when_its_dates_move_along(form: str) -> None:
    days = 1461

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: moved(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        if isinstance(value, str) and len(value) >= 10 and value[4:5] == "-" and value[:10].replace("-", "").isdigit():
            return (date.fromisoformat(value[:10]) + timedelta(days=days)).isoformat() + value[10:]
        return value

    submit(form, moved(example(form)), day=(date.fromisoformat(DEMO_DATE) + timedelta(days=days)).isoformat())


@pytest.mark.parametrize("form", ALL)
def test_an_empty_submission_names_every_required_field_in_chinese(form: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        submit(form, {})
    messages = [message for found in caught.value.errors.values() for message in found]
    assert messages and all("“" in message and any("一" <= letter <= "鿿" for letter in message) for message in messages)


@pytest.mark.parametrize("form", ALL)
def test_choices_offer_the_chinese_labels_as_values(form: str) -> None:
    coded = {"gbhy", "consult_units", "cydw", "zrdw"}  # lists of codes: GB/T 4754 industries and units
    for component in components(schema(form)):
        if "values" in component and component["key"] not in coded:
            assert all(option["label"] == option["value"] for option in component["values"])


RULES: list[tuple[str, dict[str, Any], str]] = [
    ("project_registration", {"project.xmmc": "学校"}, "project.xmmc"),
    ("project_registration", {"project.xmdm": "2204-652301-04-01-123456"}, "project.xmdm"),
    ("project_registration", {"project.jsdwdm": "91110000600037341M"}, "project.jsdwdm"),
    ("project_registration", {"project.frzjh": "652301199003071232"}, "project.frzjh"),
    ("project_registration", {"project.lxrsjh": "12345678901"}, "project.lxrsjh"),
    ("project_registration", {"project.zjly.0.je": 6200}, "project.ztze"),
    ("project_registration", {"project.zbj": 2519}, "project.zbj"),
    ("project_registration", {"project.zjly": []}, "project.zjly"),
    ("project_registration", {"project.jsddxzqh": "652302"}, "project.jsddxzqh"),
    ("project_registration", {"project.xmjwdzb": "87.70,44.01"}, "project.xmjwdzb"),
    ("project_registration", {"project.jsgmjnr": "建一所小学"}, "project.jsgmjnr"),
    ("project_registration", {"project.sfxxgc": True}, "project.cd"),
    ("project_registration", {"project.nkgsj": "2022-07-31"}, "project.nkgsj"),
    ("project_registration", {"project.njcsj": "2022-09-20"}, "project.njcsj"),
    ("project_registration", {"project.sfsm": True}, "project.sfsm"),
    ("project_registration", {"project.lxlx": "备案"}, "project.lxlx_ly"),
    ("project_registration", {"project.gbhy": "9999"}, "project.gbhy"),
    ("filing_information", {"project.hyzcsm": False}, "project.hyzcsm"),
    ("intake_check", {"intake.materials.0.submitted": "容缺"}, "intake.materials"),
    ("intake_check", {"intake.accept_result": "不予受理"}, "intake.reason"),
    ("intake_check", {"intake.accept_result": "一次告知补正", "intake.reason": "缺图纸", "intake.deadline": DEMO_DATE}, "intake.deadline"),
    ("intake_check", {"intake.accept_result": "容缺受理", "intake.materials.0.submitted": "未提交"}, "intake.materials"),
    ("case_claim", {"claim.accept": "退回窗口"}, "claim.reason"),
    ("review_opinion", {"opinion.basis": "符合规定"}, "opinion.basis"),
    ("review_opinion", {"opinion.checkers": [{"name": "李建国"}]}, "opinion.checkers"),
    ("review_opinion", {"opinion.opinion": "需征求意见"}, "opinion.consult_units"),
    ("consultation_opinion", {"consult.opinion": "不同意"}, "consult.clause"),
    ("consultation_opinion", {"consult.opinion": "有条件同意"}, "consult.change"),
    ("verification", {"verification.result": "退回经办", "verification.comment": ""}, "verification.comment"),
    ("decision_sign", {"decision.decision": "不予", "decision.deny_reason": "不符合规划条件"}, "decision.deny_reason"),
    ("decision_sign", {"decision.valid_to": "2022-07-31"}, "decision.valid_to"),
    ("decision_sign", {"decision.signature": False}, "decision.signature"),
    ("delivery", {"delivery.method": "邮寄送达"}, "delivery.tracking_no"),
    ("delivery", {"delivery.delivered_at": "2022-08-02"}, "delivery.delivered_at"),
    ("feasibility_review", {"review.zj": "未落实"}, "review.opinion"),
    ("four_point_review", {"review.zyly": "不符合"}, "review.opinion"),
    ("land_preapproval_application", {"application.ydzmj": 3.3002}, "application.ydzmj"),
    ("land_preapproval_application", {"application.gd": 0.6}, "application.gd"),
    ("land_preapproval_application", {"application.yjjbnt": 0.1}, "application.yjjbnt"),
    ("land_preapproval_application", {"application.xzly": "只有一个方案"}, "application.xzly"),
    ("site_visit", {"siteVisit.officers.1.name": "李建国"}, "siteVisit.officers"),
    ("planning_application", {"application.zjzmj": 24000}, "application.zjzmj"),
    ("planning_application", {"application.dscs": 5.5}, "application.dscs"),
    ("planning_application", {"application.fazt": None}, "application.fazt"),
    ("joint_review_opinion", {"review.opinion": "不同意"}, "review.clause"),
    ("joint_review_opinion", {"review.opinion": "有条件同意"}, "review.change"),
    ("joint_review_opinion", {"review.officers": []}, "review.officers"),
    ("joint_review_summary", {"summary.conclusion": "修改"}, "summary.changes"),
    ("consultation_meeting", {"meeting.cydw": ["ZRZYJ"]}, "meeting.cydw"),
    ("consultation_meeting", {"meeting.rw.0.sx": "2022-07-31"}, "meeting.rw"),
    ("publicity", {"publicity.end_date": "2022-08-07"}, "publicity.end_date"),
    ("publicity", {"publicity.objection": True}, "publicity.objections"),
    ("planning_review", {"review.land_ok": False}, "review.opinion"),
    ("construction_application", {"application.htgq": 650}, "application.htgq"),
    ("construction_application", {"application.jgrq": "2022-09-20"}, "application.jgrq"),
    ("construction_application", {"application.parties.4.lx": "施工"}, "application.parties"),
    ("construction_application", {"application.parties.3.lx": "监理"}, "application.parties"),
    ("construction_application", {"application.parties.3.uscc": "91652301MA7DX1039A"}, "application.parties.3.uscc"),
    ("civil_defence_review", {"civilDefence.sj": 1000}, "civilDefence.sj"),
    ("drawing_review", {"drawing.result": "修改"}, "drawing.problems"),
    ("start_extension_request", {"extensionRequest.months": 4}, "extensionRequest.months"),
    ("start_extension", {"extension.months": 4}, "extension.months"),
    ("start_report", {"startReport.hp": False}, "startReport.jn"),
    ("acceptance_application", {"application.xkzh": "65230120220729010"}, "application.xkzh"),
    ("acceptance_application", {"application.members": ["消防验收"]}, "application.members"),
    ("acceptance_application", {"application.wfjl.sgdw": "不合格"}, "application.wfjl.jldw"),
    ("acceptance_application", {"application.jgrq": "2022-08-02"}, "application.jgrq"),
    ("acceptance_opinion", {"acceptance.officers": [{"name": "王海燕"}]}, "acceptance.officers"),
    ("acceptance_opinion", {"acceptance.result": "整改后合格"}, "acceptance.problems"),
    ("acceptance_filing", {"application.zbs": False}, "application.zbs"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "changes", "field"), RULES, ids=[f"{form}-{field}-{n}" for n, (form, _, field) in enumerate(RULES)])
def test_rule_refuses(form: str, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        submit(form, changed(example(form), changes))
    assert field in caught.value.errors


def test_a_project_of_major_social_impact_cannot_skip_evaluation() -> None:
    """政府投资条例第十一条；domain specification A.1, tests."""
    with pytest.raises(FormInvalid) as caught:
        submit("feasibility_review", example("feasibility_review"), {"application": {"shyx": True}})
    assert list(caught.value.errors) == ["review.evaluation"]
    submit("feasibility_review", changed(example("feasibility_review"), {"review.evaluation": True}), {"application": {"shyx": True}})


def test_acceptance_cannot_pass_while_a_member_has_not() -> None:
    """城乡规划法第四十五条：规划核实不合格，不得通过."""
    opinions = [{"unit": "ZRZYJ", "item": "ZR07", "result": "整改后合格"}, {"unit": "ZJJ", "item": "ZJ04", "result": "合格"}]
    with pytest.raises(FormInvalid) as caught:
        submit("acceptance_summary", example("acceptance_summary"), {"opinions": opinions})
    assert list(caught.value.errors) == ["summary.conclusion"]
    opinions[0]["result"] = "合格"
    submit("acceptance_summary", example("acceptance_summary"), {"opinions": opinions})


def test_the_reviewing_unit_is_never_taken_from_the_browser() -> None:
    stored = submit("joint_review_opinion", changed(example("joint_review_opinion"), {"review.unit": "ZJJ"}), {"unit": "RFB"})
    assert stored["review"]["unit"] == "RFB"


def test_receipt_time_is_never_taken_from_the_browser() -> None:
    stored = submit("intake_check", changed(example("intake_check"), {"intake.receipt_time": "2022-07-01T10:00:00+08:00"}))
    assert stored["intake"]["receipt_time"] == "2022-08-01T10:30:00+08:00"


def test_codes_are_accepted_with_their_check_digits() -> None:
    """Vectors of domain specification §4.1-4.3."""
    for path, values in {
        "project.jsdwdm": ["91110000600037341L", "914403001922038216", "91330100799655058B"],
        "project.xmdm": ["2509-320193-89-01-544060", "2603-141124-89-05-346948", "2204-652301-04-01-123455"],
        "project.frzjh": ["11010519491231002X", "440524188001010014", "65230119851115002X"],
    }.items():
        for value in values:
            submit("project_registration", changed(example("project_registration"), {path: value}))


@pytest.mark.parametrize(
    ("item", "days", "unit", "field"),
    [
        ("FG05", 30, "工作日", None),
        ("FG05", 31, "工作日", "special.limit"),
        ("FG05", 30, "自然日", "special.limit"),
        ("ZR06", 10, "工作日", "special.kind"),
    ],
)
def test_only_an_approval_is_evaluated_by_commission_in_at_most_thirty_days(item: str, days: int, unit: str, field: str | None) -> None:
    """核准备案条例 10 (R216)."""
    given = {"special": example("special_request")["special"] | {"kind": "委托评估", "limit": days, "limit_unit": unit}}
    if field is None:
        submit("special_request", given, {"itemCode": item})
        return
    with pytest.raises(FormInvalid) as refused:
        submit("special_request", given, {"itemCode": item})
    assert list(refused.value.errors) == [field] and "条例第十条" in str(refused.value.errors)


@pytest.mark.parametrize(
    ("stopped_days_ago", "record", "field"),
    [
        (20, {"within_month": True}, None),
        (60, {"within_month": True}, "stopRecord.within_month"),
        (60, {"within_month": False}, None),
        (366, {"within_month": False}, "stopRecord.result"),
        (366, {"within_month": False, "recheck_date": DEMO_DATE}, None),
    ],
)
def test_a_stop_is_reported_within_a_month_and_a_year_later_the_permit_is_verified(
    stopped_days_ago: int, record: dict[str, Any], field: str | None
) -> None:
    """建筑法 10 (R217)."""
    stopped = {"stopReport": {"stop_date": (date.fromisoformat(DEMO_DATE) - timedelta(days=stopped_days_ago)).isoformat()}}
    given = {"stopRecord": example("stop_record")["stopRecord"] | record}
    if field is None:
        submit("stop_record", given, stopped)
        return
    with pytest.raises(FormInvalid) as refused:
        submit("stop_record", given, stopped)
    assert list(refused.value.errors) == [field] and "建筑法第十条" in str(refused.value.errors)
