"""The facts that documents are printed from: Chinese labels to text, so that a template needs no code for a new form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from engine.workcalendar import WorkCalendar
from handlers.cases.service import Case
from handlers.catalogue.service import catalogue
from handlers.documents.subject import instant, unit_name

REMEDY = "如不服本决定，可以自收到之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
"""行政复议法 第二十条, 行政诉讼法 第四十六条."""
SUBMITTED, PROMISED = "已提交", frozenset({"承诺", "容缺"})
"""The words of the intake form (F00) for a material that was handed in, and for one that will be."""


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


FORM_FACTS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "W07": {"intake": {"tolerance_deadline": "补齐期限"}, "promiseRecord": {"deadline": "补齐期限"}},
    "W11": {"special": {"kind": "特别程序种类", "reason": "启动理由", "organisation": "承办机构"}},
    "W13": {"special": {"reason": "听证事由"}},
    "W14": {"hearing": {"place": "听证地点", "host": "听证主持人"}},
    "W15": {
        "hearing": {"place": "听证地点", "host": "听证主持人"},
        "hearingRequest": {"name": "听证申请人"},
        "hearingRecord": {"record": "审查意见", "conclusion": "其他记录"},
    },
    "W17": {"meeting": {"yt": "议题", "hysj": "会商时间", "jl": "会商结论", "jlnr": "会商意见"}},
    "W18": {"meeting": {"yt": "议题", "hysj": "会议时间", "jlnr": "会议结论"}},
    "W22": {"promiseOverdue": {"reason": "终止理由"}},
    "W23": {"commitmentCheck": {"problems": "理由"}},
}
"""Kind -> variable of a form that its step sees -> field -> the label of documents."""
REVOCATION = {"依据": "《中华人民共和国行政许可法》第六十九条", "处理": "撤销", "救济途径": REMEDY}
HEARING_DAYS = 5
"""Days to ask for a hearing (行政许可法 第四十七条), working days as all limits of this law (第八十二条)."""


def given_facts(kind: str, variables: Mapping[str, Any], calendar: WorkCalendar, today: date) -> dict[str, Any]:
    """What a kind of document takes from the forms that its step sees, and the days that follow from them."""
    found: dict[str, Any] = {}
    for name, labels in FORM_FACTS.get(kind, {}).items():
        values = _form(variables, name)
        found |= {label: values[key] for key, label in labels.items() if values.get(key) not in (None, "", [])}
    more = MORE_FACTS.get(kind)
    return found | more(variables, calendar, today) if more is not None else found


def _form(variables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    values = variables.get(name)
    return values if isinstance(values, dict) else {}


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _special(variables: Mapping[str, Any], calendar: WorkCalendar, today: date) -> dict[str, Any]:
    """How long the special procedure will take and until when (行政许可法 第四十五条: the applicant is told)."""
    special = _form(variables, "special")
    days, unit = special.get("limit"), special.get("limit_unit") or "工作日"
    if not isinstance(days, int) or isinstance(days, bool):
        return {"开始时间": today.isoformat()}
    end = calendar.add_workdays(today, days) if unit == "工作日" else today + timedelta(days=days)
    return {"开始时间": today.isoformat(), "所需时间": f"{days}个{unit}", "预计结束时间": end.isoformat()}


def _hearing_right(_variables: Mapping[str, Any], calendar: WorkCalendar, today: date) -> dict[str, Any]:
    return {"申请截止日": calendar.add_workdays(today, HEARING_DAYS).isoformat()}


def _hearing(variables: Mapping[str, Any], _calendar: WorkCalendar, _today: date) -> dict[str, Any]:
    hearing = _form(variables, "hearing")
    said = [
        f"{row.get('side')} {row.get('name')}：{row.get('opinion') or '—'}"
        for row in _rows(_form(variables, "hearingRecord").get("participants"))
    ]
    time = "T".join(str(hearing[name]) for name in ("date", "time") if hearing.get(name))
    return {label: value for label, value in {"听证时间": time, "陈述申辩": "\n".join(said)}.items() if value}


def _meeting(variables: Mapping[str, Any], _calendar: WorkCalendar, _today: date) -> dict[str, Any]:
    """Participants by name and the tasks of a consultation meeting (F70)."""
    meeting = _form(variables, "meeting")
    units = [unit_name(str(code)) for code in meeting.get("cydw") or []]
    opinions = [
        {
            "单位": unit_name(str(row.get("unit"))),
            "意见": row.get("opinion"),
            "说明": row.get("change") or row.get("clause") or "",
        }
        for row in _rows(variables.get("opinions"))
    ]
    tasks = [
        {"任务": row.get("nr"), "责任单位": unit_name(str(row.get("zrdw"))), "时限": row.get("sx")} for row in _rows(meeting.get("rw"))
    ]
    return {label: value for label, value in {"参加单位": units, "各单位意见": opinions, "任务分解": tasks}.items() if value}


def _missing(variables: Mapping[str, Any], _calendar: WorkCalendar, _today: date) -> dict[str, Any]:
    """What was promised to be handed in later."""
    rows = _rows(_form(variables, "intake").get("materials"))
    names = [row.get("name") for row in rows if row.get("submitted") in PROMISED]
    return {"欠缺材料": names} if names else {}


def _revocation(_variables: Mapping[str, Any], _calendar: WorkCalendar, _today: date) -> dict[str, Any]:
    return dict(REVOCATION)


def _ended(variables: Mapping[str, Any], _calendar: WorkCalendar, _today: date) -> dict[str, Any]:
    """The case ends on the applicant's own wish, unless the step's form says otherwise."""
    reason = _form(variables, "withdrawal").get("reason")
    if "promiseOverdue" in variables or not reason:
        return {}
    return {"终止理由": f"申请人撤回申请（{str(reason).rstrip('。')}）"}


def _overdue(variables: Mapping[str, Any], _calendar: WorkCalendar, today: date) -> dict[str, Any]:
    due = _form(variables, "clock").get("due")
    return {"届满日": due} if due else {"届满日": today.isoformat()}


MORE_FACTS: Mapping[str, Callable[[Mapping[str, Any], WorkCalendar, date], dict[str, Any]]] = {
    "W07": _missing,
    "W11": _special,
    "W13": _hearing_right,
    "W14": _hearing,
    "W15": _hearing,
    "W17": _meeting,
    "W18": _meeting,
    "W22": _ended,
    "W23": _revocation,
    "W25": _overdue,
}


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
