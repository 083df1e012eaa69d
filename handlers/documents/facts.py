"""The facts that documents are printed from: Chinese labels to text, so that a template needs no code for a new form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.cases.service import Case
from handlers.catalogue.service import catalogue
from handlers.documents.subject import instant

REMEDY = "如不服本决定，可以自收到之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
"""行政复议法 第二十条, 行政诉讼法 第四十六条."""
SUBMITTED = "已提交"
"""The word of the intake form (F00) for a material that was handed in."""


def case_facts(case: Case) -> dict[str, Any]:
    """What every document of a case names."""
    item = catalogue().items.get(case.item_code)
    facts = {
        "办件编号": case.number,
        "查询码": case.query_code,
        "事项": case.item_name,
        "办理依据": item.legal_basis if item else "",
        "收件时间": instant(case.received_at),
        "受理时间": instant(case.accepted_at),
        "视为受理": case.deemed_accepted or None,
    }
    return {label: value for label, value in facts.items() if value is not None}


def limit_facts(case: Case, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a notice of acceptance says of the time it will take: limits of the catalogue, the due date of the case's clock."""
    item = catalogue().items.get(case.item_code)
    clock = variables.get("clock")
    due = clock.get("due") if isinstance(clock, dict) else None
    facts = {"法定时限": _limit(item.statutory_limit), "承诺时限": _limit(item.promised_limit)} if item else {}
    return {label: value for label, value in (facts | {"届满日": due}).items() if value}


def _limit(text: str) -> str:
    return f"{text}个工作日" if text.isdecimal() else text


def given_facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the forms seen by the issuing step say: each form's one variable, its fields under the labels that documents use."""
    found: dict[str, Any] = {}
    for name, labels in FORM_FACTS.items():
        values = variables.get(name)
        if isinstance(values, dict):
            found |= {label: values[key] for key, label in labels.items() if values.get(key) not in (None, "", [])}
    special = variables.get("special")
    if isinstance(special, dict) and special.get("limit"):
        found["所需时间"] = f"{special['limit']} 个{special.get('limit_unit') or '工作日'}"
    meeting = variables.get("meeting")
    if isinstance(meeting, dict):
        found |= _meeting_facts(meeting)
    return found


FORM_FACTS: Mapping[str, Mapping[str, str]] = {
    "opinion": {"conditions": "许可条件"},
    "special": {
        "kind": "特别程序种类",
        "reason": "启动理由",
        "start_date": "开始时间",
        "end_date": "预计结束时间",
        "organisation": "承办机构",
    },
    "meeting": {"yt": "议题", "hysj": "会商时间", "jl": "会商结论", "jlnr": "会商意见"},
    "withdrawal": {"reason": "终止理由"},
}
"""Variable of a form -> its field -> the label of documents."""


def _meeting_facts(meeting: Mapping[str, Any]) -> dict[str, Any]:
    """Participants by name and the tasks of a consultation meeting (F70)."""
    names = {code: unit.official_name for code, unit in catalogue().units.items()}
    units = [names.get(code, code) for code in meeting.get("cydw") or []]
    tasks = [
        {"任务": row.get("nr"), "责任单位": names.get(str(row.get("zrdw")), row.get("zrdw")), "时限": row.get("sx")}
        for row in meeting.get("rw") or []
        if isinstance(row, dict)
    ]
    return {label: value for label, value in {"参加单位": units, "任务分解": tasks}.items() if value}


def decision_facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a decision states, from the decision form (F02) and the reason of a refusal with its remedies (行政许可法 第三十八条)."""
    decision = variables.get("decision")
    values: Mapping[str, Any] = decision if isinstance(decision, dict) else {}
    facts = {"有效期起": values.get("valid_from"), "有效期止": values.get("valid_to"), "不予理由": values.get("deny_reason")}
    if variables.get("result") == "denied":
        check = variables.get("indicatorCheck")
        summary = variables.get("summary")
        for other, field in ((check, "reason"), (summary, "comment")):
            facts["不予理由"] = facts["不予理由"] or (other.get(field) if isinstance(other, dict) else None)
        facts["救济途径"] = REMEDY
    return {label: value for label, value in facts.items() if value}


def intake_facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a notice of the window states, from the intake form (F00)."""
    intake = variables.get("intake")
    values: Mapping[str, Any] = intake if isinstance(intake, dict) else {}
    facts = {"核验结果": values.get("accept_result"), "理由及依据": values.get("reason"), "补正期限": values.get("deadline")}
    rows = values.get("materials")
    listed = [r for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
    missing = [f"{r.get('name')}：{r.get('problem')}" for r in listed if r.get("problem")]
    names = [r.get("name") for r in listed if r.get("submitted") == SUBMITTED]
    return {label: value for label, value in (facts | {"材料问题": missing, "材料清单": names}).items() if value}
