"""What diagrams call on cases: open, move through the status dictionary, decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from handlers.cases import service as cases
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.documents.facts import case_facts, decision_facts
from handlers.materials import service as materials

registry = HandlerRegistry()

PREVIOUS = "previous"
RECEIPT, LICENCE_DECISION, DENIAL, PERMIT = "W01", "W19", "W20", "W21"
LICENCE = "XK"
"""Kind 行政许可 of items.csv; approvals, filings and confirmations are no licences (行政许可法 第三条) and get no 许可决定书."""
OTHER_DENIAL = "不予批准通知书"
WINDOW_UNIT = "XZSPJ"
"""Receipts are the centre's (综合窗口), whatever office the case goes to."""


@registry.handler(
    "case.open",
    transactional=True,
    inputs=("itemCode", "projectId", "unit", "applicant"),
    outputs=("caseId", "caseNo", "queryCode", "materials"),
)
def open_case(job: JobContext) -> dict[str, Any]:
    """接件登记：建立办件，产生办件编号、查询码和应交材料清单，出具收件凭证，状态 1 已接件。

    Returns `materials`: the rows of the intake form, as the catalogue demands them of this application.
    """
    case = cases.open_case(
        job.session,
        project_id=int(_text(job, "projectId")),
        item_code=_text(job, "itemCode"),
        unit=_text(job, "unit"),
        applicant=_text(job, "applicant"),
        root_key=job.root_key,
        person=job.actor,
        element_id=job.element_id,
        now=job.now,
    )
    wanted = materials.checklist(case.item_code, job.variables)
    documents.issue(
        job.session,
        RECEIPT,
        project_id=case.project_id,
        case_id=case.id,
        item_code=case.item_code,
        unit=WINDOW_UNIT,
        facts=case_facts(case) | {"材料清单": [row["name"] for row in wanted if row["required"]]},
        root_key=job.root_key,
        person=job.actor,
        now=job.now,
    )
    return {"caseId": str(case.id), "caseNo": case.number, "queryCode": case.query_code, "materials": wanted}


@registry.handler("case.set_status", transactional=True, inputs=("caseId", "acceptTime", "intake"), headers=("status",))
def set_status(job: JobContext) -> None:
    """变更办理状态：状态字典 1 至 16，只允许字典中的后继状态。

    Header `status`: the code, or `previous` to go on as before a withdrawal that was refused. For 3 受理: `acceptTime` may be
    the day of receipt (视为受理); `intake.accept_result` tells a 容缺受理.
    """
    status = job.headers.get("status", "")
    case_id = int(_text(job, "caseId"))
    if status == PREVIOUS:
        cases.resume(job.session, case_id, person=job.actor, unit=_unit_of(job), element_id=job.element_id, now=job.now)
        return
    if not status.isdecimal():
        raise Invalid(reason="任务头 status 应为状态字典的代码或 previous")
    cases.set_status(
        job.session,
        case_id,
        int(status),
        person=job.actor,
        unit=_unit_of(job),
        element_id=job.element_id,
        now=job.now,
        accepted_at=_instant(job.variables.get("acceptTime")),
    )
    intake = job.variables.get("intake")
    if int(status) == cases.ACCEPTED and isinstance(intake, dict) and intake.get("accept_result") == "容缺受理":
        cases.mark_tolerance(job.session, case_id)


@registry.handler("case.decide", transactional=True, inputs=("caseId", "itemCode", "result"), outputs=("documentNo",))
def decide(job: JobContext) -> dict[str, Any]:
    """作出决定：准予出具证件（许可事项另出决定书），不予出具不予决定书，状态 11、12 或 13。

    `result`: granted or denied. Returns the number of the permit (granted) or of the written refusal.
    """
    result = job.variables.get("result")
    if result not in ("granted", "denied"):
        raise Invalid(reason="result 应为 granted 或 denied")
    case = cases.get_case(job.session, int(_text(job, "caseId")))
    facts = case_facts(case) | decision_facts(job.variables)
    number = ""
    is_licence = catalogue().item(case.item_code).kind == LICENCE
    grants = (LICENCE_DECISION, PERMIT) if is_licence else (PERMIT,)
    for kind in grants if result == "granted" else (DENIAL,):
        document = documents.issue(
            job.session,
            kind,
            project_id=case.project_id,
            case_id=case.id,
            item_code=case.item_code,
            unit=case.unit,
            facts=facts,
            root_key=job.root_key,
            person=job.actor,
            now=job.now,
            title=OTHER_DENIAL if kind == DENIAL and not is_licence else "",
            category=documents.category_of(job.variables.get("project")),
        )
        number = document.number or number
    cases.decide(
        job.session, case.id, result == "granted", number, person=job.actor, unit=_unit_of(job), element_id=job.element_id, now=job.now
    )
    return {"documentNo": number}


def _text(job: JobContext, name: str) -> str:
    value = job.variables.get(name)
    if value is None or value == "" or isinstance(value, (dict, list)):
        raise Invalid(reason=f"缺少输入 {name}")
    return str(value)


def _unit_of(job: JobContext) -> str:
    """The unit of whoever acted; "" for the system and applicants: then the case's own unit is recorded."""
    user = directory.get_user(job.session, job.actor)
    return user.unit if user is not None else ""


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value.split("[")[0])
    return moment if moment.tzinfo is not None else None
