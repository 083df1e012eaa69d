"""What documents take from the forms their step sees: from the example submissions of the real forms to the printed page."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from engine.workcalendar import WorkCalendar
from handlers.documents import samples, templates
from handlers.documents.facts import FORM_FACTS, decision_facts, given_facts, intake_facts
from handlers.documents.printer import printer

FORMS = Path(__file__).resolve().parents[2] / "forms"
TODAY = date(2022, 8, 1)


def example(name: str) -> dict[str, Any]:
    """The variables that a submission of the form leaves behind."""
    found: dict[str, Any] = json.loads((FORMS / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def fields(name: str) -> set[str]:
    """Every field path of a form as variable.field."""
    found: set[str] = set()

    def walk(component: dict[str, Any], path: str) -> None:
        here = ".".join(part for part in (path, component.get("path") or "") if part)
        if component.get("key"):
            found.add(".".join(part for part in (here, component["key"]) if part))
        if component.get("type") != "dynamiclist":
            for inner in component.get("components", []):
                walk(inner, here)
        elif component.get("path"):
            found.add(here)

    walk(json.loads((FORMS / f"{name}.form").read_text(encoding="utf-8")), "")
    return found


def test_every_fact_comes_from_a_field_that_exists() -> None:
    """`promiseRecord` is what the tolerance flow keeps of the promise; everything else is a form's own variable."""
    every = set().union(*(fields(path.stem) for path in FORMS.glob("*.form")))
    named = {f"{variable}.{key}" for kinds in FORM_FACTS.values() for variable, labels in kinds.items() for key in labels}
    assert {name for name in named if not name.startswith("promiseRecord.")} <= every


def given(kind: str, *forms: str, **more: Any) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for name in forms:
        variables |= example(name)
    return given_facts(kind, variables | more, WorkCalendar(), TODAY)


def test_a_special_procedure_tells_kind_and_expected_time() -> None:
    """行政许可法 第四十五条: the time it takes is told to the applicant in writing."""
    facts = given("W11", "special_request")
    assert (facts["特别程序种类"], facts["所需时间"], facts["预计结束时间"]) == ("检测", "10个工作日", "2022-08-15")
    assert given("W11", special={"kind": "公示", "limit": 7, "limit_unit": "自然日"})["预计结束时间"] == "2022-08-08"
    assert "所需时间" not in given("W11", special={"kind": "公示"})


def test_a_hearing_is_announced_and_recorded() -> None:
    """行政许可法 第四十七、四十八条."""
    assert given("W13", "special_request")["申请截止日"] == "2022-08-08"
    assert given("W14", "hearing_arrangement")["听证时间"] == "2022-08-15T10:30"
    record = given("W15", "hearing_arrangement", "hearing_request", "hearing_record")
    assert record["听证申请人"] == "马福海" and "利害关系人 马福海：要求保证冬至日满窗日照。" in record["陈述申辩"]


def test_a_tolerance_names_what_is_missing_and_until_when() -> None:
    rows = [{"name": "日照分析", "submitted": "容缺"}, {"name": "总平面图", "submitted": "已提交"}, {"name": "保函", "submitted": "承诺"}]
    intake = {"tolerance_deadline": "2022-08-10", "materials": rows}
    facts = given("W07", "tolerance_promise", intake=intake)
    assert facts["欠缺材料"] == ["日照分析", "保函"] and facts["补齐期限"] == "2022-08-10"
    assert intake_facts({"intake": intake})["材料清单"] == ["总平面图"]


def test_a_meeting_lists_opinions_units_and_tasks() -> None:
    opinions = [{"unit": "ZJJ", "opinion": "有条件同意", "change": "东移 40 米"}]
    facts = given("W17", "consultation_meeting", opinions=opinions)
    assert facts["各单位意见"] == [{"单位": "昌吉市住房和城乡建设局", "意见": "有条件同意", "说明": "东移 40 米"}]
    assert facts["任务分解"][0]["责任单位"] == "昌吉市交通运输局" and facts["会商结论"] == "一致"


def test_an_ended_case_says_why() -> None:
    assert given("W22", "withdrawal")["终止理由"] == "申请人撤回申请（建设内容调整，需重新申报）"
    assert given("W22", "withdrawal", "promise_overdue")["终止理由"].startswith("两次提醒后仍未补齐")
    revoked = given("W23", commitmentCheck={"result": "不相符", "problems": "未设工资专户"})
    assert (revoked["理由"], revoked["处理"]) == ("未设工资专户", "撤销") and "六十九条" in revoked["依据"]


def test_a_refusal_finds_its_reason_in_decision_check_or_summary() -> None:
    """行政许可法 第三十八条第二款: never without reasons and remedies."""
    for variables in ({"decision": {"deny_reason": "甲"}}, {"indicatorCheck": {"reason": "甲"}}, {"summary": {"comment": "甲"}}):
        facts = decision_facts({"result": "denied"} | variables)
        assert facts["不予理由"] == "甲" and "六个月" in facts["救济途径"]


PRINTED = {
    "W07": ("tolerance_promise",),
    "W11": ("special_request",),
    "W14": ("hearing_arrangement",),
    "W15": ("hearing_arrangement", "hearing_request", "hearing_record"),
    "W17": ("consultation_meeting",),
    "W18": ("consultation_meeting",),
    "W22": ("withdrawal",),
    "W23": (),
    "W25": (),
}


@pytest.mark.parametrize("kind", PRINTED)
def test_the_forms_fill_the_wording(kind: str) -> None:
    """Printed from the forms alone, nothing that the text needs is blank."""
    more = {"intake": {"tolerance_deadline": "2022-08-10", "materials": [{"name": "日照分析", "submitted": "容缺"}]}}
    context = samples.sample_context(kind) | {"facts": samples.COMMON | given(kind, *PRINTED[kind], **more)}
    pdf = printer.print(templates.sources(templates.Template(kind, "", 0, templates.shipped()[kind])), context).pdf
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    assert "＿＿" not in text
