"""The facts that documents are printed from: Chinese labels to text, so that a template needs no code for a new form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.cases.service import Case
from handlers.catalogue.service import catalogue

REMEDY = "如不服本决定，可以自收到之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
"""行政复议法 第二十条, 行政诉讼法 第四十六条."""


def case_facts(case: Case) -> dict[str, Any]:
    """What every document of a case names."""
    item = catalogue().items.get(case.item_code)
    return {
        "办件编号": case.number,
        "查询码": case.query_code,
        "事项": case.item_name,
        "办理依据": item.legal_basis if item else "",
        "收件时间": case.received_at.isoformat(),
    }


def decision_facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a decision states, from the decision form (F02) and the reason of a refusal with its remedies (行政许可法 第三十八条)."""
    decision = variables.get("decision")
    values: Mapping[str, Any] = decision if isinstance(decision, dict) else {}
    facts = {"有效期起": values.get("valid_from"), "有效期止": values.get("valid_to"), "不予理由": values.get("deny_reason")}
    if variables.get("result") == "denied":
        check = variables.get("indicatorCheck")
        facts["不予理由"] = facts["不予理由"] or (check.get("reason") if isinstance(check, dict) else None)
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
    return {label: value for label, value in (facts | {"材料问题": missing, "材料清单": [r.get("name") for r in listed]}).items() if value}
