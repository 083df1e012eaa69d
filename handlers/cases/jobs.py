"""What diagrams call on cases: open, move through the status dictionary, extend, decide, serve. Each gives the case's clock back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.commands import reschedule
from engine.errors import Invalid
from engine.jobs import BpmnError, HandlerRegistry, JobContext
from engine.policy import SYSTEM
from handlers.cases import service as cases
from handlers.cases.refusals import CaseRefused
from handlers.catalogue.service import catalogue
from handlers.clock import service as clocks
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.documents.facts import case_facts, decision_facts
from handlers.licences import service as licences
from handlers.lights import calendar_of
from handlers.materials import service as materials
from handlers.preconditions import service as preconditions
from handlers.projects import service as projects
from handlers.promises import service as promises
from handlers.sanctions import service as sanctions
from handlers.visits import service as visits

registry = HandlerRegistry()

PREVIOUS = "previous"
CORRECTION_NOTICE, SPECIAL_NOTICE, EXTENSION_NOTICE = "W04", "W11", "W12"
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
    outputs=(
        "caseId",
        "caseNo",
        "queryCode",
        "materials",
        "clock",
        "tolerableMaterials",
        "committableMaterials",
        "toleranceLatest",
        "creditBarred",
    ),
)
def open_case(job: JobContext) -> dict[str, Any]:
    """接件登记：建立办件，产生办件编号、查询码和应交材料清单，出具收件凭证，状态 1 已接件。

    Returns `materials`: the rows of the intake form, as the catalogue demands them of this application; and what decides on 容缺受理:
    `tolerableMaterials`, `committableMaterials` (names; none for an applicant with an unrepaired record: `creditBarred`), `toleranceLatest`
    (the last day that may be promised).
    """
    _check_filing(job)
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
    wanted = materials.intake_rows(job.session, case.project_id, case.item_code, job.variables)
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
    visits.saw(job.session, case.id, "file", person=job.actor, now=job.now)
    clock = clocks.variable(clocks.clock_of(job.session, case.id, job.now))
    opened = {"caseId": str(case.id), "caseNo": case.number, "queryCode": case.query_code, "materials": wanted, "clock": clock}
    return opened | _tolerance(job, case)


def _check_filing(job: JobContext) -> None:
    """Filing is refused while a precondition is missing (PreconditionMissing) or the applicant is barred (行政许可法 78)."""
    item, project_id = catalogue().item(_text(job, "itemCode")), int(_text(job, "projectId"))
    project = projects.find_project(job.session, str(project_id))
    if project is not None:
        today = job.now.astimezone(CHINA).date()
        licences.check_bar(job.session, project.organisation_code, item.code, item.name, today)
    preconditions.require(job.session, project_id, item.code, "file", job.variables)


def _tolerance(job: JobContext, case: cases.Case) -> dict[str, Any]:
    """What the intake form needs to know of 容缺受理 (domain §2.9)."""
    project = projects.find_project(job.session, str(case.project_id))
    today = job.now.astimezone(CHINA).date()
    barred = project is not None and promises.is_barred(job.session, project.organisation_code)
    return {
        "tolerableMaterials": [] if barred else promises.tolerable_materials(case.item_code),
        "committableMaterials": [] if barred else promises.committable_materials(case.item_code),
        "toleranceLatest": promises.latest_deadline(case.item_code, calendar_of(job.session), today).isoformat(),
        "creditBarred": barred,
    }


@registry.handler(
    "case.set_status",
    transactional=True,
    inputs=("caseId", "acceptTime", "deemedAccepted", "intake", "special"),
    headers=("status", "procedure"),
    outputs=("clock",),
)
def set_status(job: JobContext) -> dict[str, Any]:
    """变更办理状态：状态字典 1 至 16，只允许字典中的后继状态；办件时钟随之变化。

    Header `status`: the code, or `previous` to go on as before a withdrawal that was refused. For 3 受理: `acceptTime` may be
    the day of receipt (`deemedAccepted`: 视为受理); `intake.accept_result` tells a 容缺受理. For 6 补正: `intake.deadline`. For 9 特别程序:
    header `procedure` or `special.kind` names it, `special.limit` with `special.limit_unit` (工作日, 自然日) is the time told to the
    applicant; the notice W11 that was issued last goes with it. Returns the case's `clock`.
    """
    status = job.headers.get("status", "")
    case_id = int(_text(job, "caseId"))
    if status == PREVIOUS:
        cases.resume(job.session, case_id, person=job.actor, unit=_unit_of(job), element_id=job.element_id, now=job.now)
        return provide_clock(job.session, case_id, job.now)
    if not status.isdecimal():
        raise Invalid(reason="任务头 status 应为状态字典的代码或 previous")
    deemed = job.variables.get("deemedAccepted")
    cases.set_status(
        job.session,
        case_id,
        int(status),
        person=job.actor,
        unit=_unit_of(job),
        element_id=job.element_id,
        now=job.now,
        accepted_at=_instant(job.variables.get("acceptTime")),
        deemed=deemed if isinstance(deemed, bool) else None,
        pausing=_pausing(job, int(status), case_id),
    )
    if int(status) == cases.CORRECTED:
        visits.saw(job.session, case_id, "correct", person=job.actor, now=job.now)
    intake = job.variables.get("intake")
    tolerated = isinstance(intake, dict) and intake.get("accept_result") == "容缺受理" and deemed is not True
    if int(status) == cases.ACCEPTED and tolerated:
        cases.mark_tolerance(job.session, case_id)
    return provide_clock(job.session, case_id, job.now)


def provide_clock(session: Session, case_id: int, now: datetime) -> dict[str, Any]:
    """The variable `clock` for a handler's outputs; the other running instances of the case get it before the command ends."""
    clock = clocks.clock_of(session, case_id, now)
    values = {"clock": clocks.variable(clock)}
    reschedule(session, SYSTEM, clock.root_key, values, where={"caseId": str(case_id)})
    return values


def _pausing(job: JobContext, status: int, case_id: int) -> cases.Pausing:
    """What is known of a pause from the forms and documents around it."""
    if status == cases.CORRECTION:
        intake = job.variables.get("intake")
        deadline = intake.get("deadline") if isinstance(intake, dict) else None
        planned = date.fromisoformat(deadline[:10]) if isinstance(deadline, str) and deadline else None
        return cases.Pausing("", planned, _last_number(job, case_id, CORRECTION_NOTICE))
    if status != cases.SPECIAL:
        return cases.NO_PAUSE
    given = job.variables.get("special")
    special = given if isinstance(given, dict) else {}
    name = job.headers.get("procedure") or str(special.get("kind") or "")
    days = special.get("limit")
    if not isinstance(days, int) or isinstance(days, bool):
        days = clocks.procedure(name).days if name else None
    return cases.Pausing(name, _planned_end(job, days, special.get("limit_unit")), _last_number(job, case_id, SPECIAL_NOTICE))


def _planned_end(job: JobContext, days: int | None, unit: Any) -> date | None:
    """The last day of the time told to the applicant, counted from today."""
    if days is None:
        return None
    today = job.now.astimezone(CHINA).date()
    return today + timedelta(days=days) if unit == "自然日" else calendar_of(job.session).add_workdays(today, days)


def _last_number(job: JobContext, case_id: int, kind: str) -> str:
    """The number of the case's latest document of a kind; "" without one."""
    project_id = cases.get_case(job.session, case_id).project_id
    found = (d.number or d.title for d in documents.documents_of(job.session, project_id) if d.case_id == case_id and d.kind == kind)
    return next(found, "")


@registry.handler("case.extension_rule", transactional=True, inputs=("caseId", "handling"), outputs=("extensionRule",))
def extension_rule(job: JobContext) -> dict[str, Any]:
    """核对延期条件：能延长多少天，由谁批准（extensions.csv）。

    Optional input `handling`: `joint` for 联合办理. Returns `extensionRule`: days, group (of the approvers), article. Throws the BPMN error
    `extension_refused` when the limit of the case cannot be extended.
    """
    case = cases.get_case(job.session, int(_text(job, "caseId")))
    try:
        rule = cases.extension_rule(job.session, case.id, str(job.variables.get("handling") or ""))
    except CaseRefused as error:
        raise BpmnError("extension_refused", error.message(), {"extensionRefusal": error.message()}) from error
    return {"extensionRule": {"days": rule.days, "group": _approvers(rule.approver, case.unit), "article": rule.article}}


def _approvers(approver: str, unit: str) -> str:
    """The group of an approver of extensions.csv: a role in the case's unit, or a whole group such as ZFB.head."""
    return approver if "." in approver else f"{unit}.{approver}"


@registry.handler(
    "case.extend",
    transactional=True,
    inputs=("caseId", "extensionRequest", "extensionApproval", "handling"),
    outputs=("clock", "documentNo"),
)
def extend(job: JobContext) -> dict[str, Any]:
    """延长办理期限：只能一次，期限届满前，由单位负责人（联合办理的为本级政府负责人）批准，出具延期办理告知书。

    `extensionRequest.days` working days and `.reason`; whoever completed the approval is the approver and must be one whom the rule names.
    Throws the BPMN error `extension_refused` with the article as message when the law does not allow it (行政许可法 42).
    """
    case = cases.get_case(job.session, int(_text(job, "caseId")))
    request = job.variables.get("extensionRequest")
    asked: dict[str, Any] = request if isinstance(request, dict) else {}
    days = asked.get("days")
    handling = str(job.variables.get("handling") or "")
    try:
        rule = cases.extension_rule(job.session, case.id, handling)
        group = _approvers(rule.approver, case.unit)
        if job.actor not in {user.username for user in directory.users_in_group(job.session, group)}:
            reason = "延期须由本级人民政府负责人批准" if "." in rule.approver else "延期须由本单位负责人批准"
            raise CaseRefused(number=case.number, reason=reason, article=rule.article)
        with job.session.begin_nested():
            document = documents.issue(
                job.session,
                EXTENSION_NOTICE,
                project_id=case.project_id,
                case_id=case.id,
                item_code=case.item_code,
                unit=case.unit,
                facts=case_facts(case) | _extension_facts(job, case.id, asked.get("reason"), days),
                root_key=job.root_key,
                person=job.actor,
                now=job.now,
            )
            number = document.number or document.title
            whole = days if isinstance(days, int) else 0
            approval = {"approved_by": job.actor, "document": number, "handling": handling}
            cases.extend(job.session, case.id, whole, person=job.actor, now=job.now, **approval)
    except (CaseRefused, clocks.ClockRefused) as error:
        raise BpmnError("extension_refused", error.message(), {"extensionRefusal": error.message()}) from error
    return provide_clock(job.session, case.id, job.now) | {"documentNo": number}


def _extension_facts(job: JobContext, case_id: int, reason: Any, days: Any) -> dict[str, Any]:
    """What the notice of an extension says: why, by whom approved, how long, and the new due date (行政许可法 第四十二条)."""
    facts = {"延期理由": reason, "延长": f"{days}个工作日", "批准人": directory.display_names(job.session, [job.actor]).get(job.actor)}
    due = clocks.clock_of(job.session, case_id, job.now).reading.due
    if due is not None and isinstance(days, int) and days > 0:
        facts["新届满日"] = calendar_of(job.session).add_workdays(due, days).isoformat()
    return {label: value for label, value in facts.items() if value}


@registry.handler("case.mark_overdue", transactional=True, inputs=("caseId",), outputs=("clock",))
def mark_overdue(job: JobContext) -> dict[str, Any]:
    """超期登记：办理期限届满未决定，登记超期，亮红灯，须向申请人说明理由（优化营商环境条例第三十六条）。"""
    case_id = int(_text(job, "caseId"))
    clocks.mark_overdue(job.session, case_id, job.now)
    return provide_clock(job.session, case_id, job.now)


@registry.handler("case.serve", transactional=True, inputs=("caseId", "delivery"), outputs=("clock",))
def serve(job: JobContext) -> dict[str, Any]:
    """登记送达，出具送达回证：决定作出之日起十个工作日内送达（行政许可法第四十四条）。

    `delivery`: the delivery form (出件送达) with method, day and who signed.
    """
    case_id = int(_text(job, "caseId"))
    cases.serve(job.session, case_id, person=job.actor, now=job.now)
    given = job.variables.get("delivery")
    delivery = given if isinstance(given, dict) else {}
    documents.receipts.serve_case(job.session, case_id, delivery, person=job.actor, root_key=job.root_key, now=job.now)
    visits.saw(job.session, case_id, "collect", person=job.actor, now=job.now, method=str(delivery.get("method")))
    return provide_clock(job.session, case_id, job.now)


@registry.handler("case.decide", transactional=True, inputs=("caseId", "itemCode", "result"), outputs=("documentNo", "clock"))
def decide(job: JobContext) -> dict[str, Any]:
    """作出决定：准予出具证件（许可事项另出决定书），不予出具不予决定书，状态 11、12 或 13。

    `result`: granted or denied. Returns the number of the permit (granted) or of the written refusal.
    """
    result = job.variables.get("result")
    if result not in ("granted", "denied"):
        raise Invalid(reason="result 应为 granted 或 denied")
    case = cases.get_case(job.session, int(_text(job, "caseId")))
    if result == "granted":
        preconditions.require(job.session, case.project_id, case.item_code, "decide", job.variables, case.id)
        sanctions.check_not_false(job.session, case.id)
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
    if result == "granted":
        licences.grant(job.session, case.id, number, facts, person=job.actor, now=job.now)
        today = projects.local_day(job.now)
        projects.reach_by_item(job.session, case.project_id, case.item_code, today, evidence=number, person=job.actor)
    return {"documentNo": number} | provide_clock(job.session, case.id, job.now)


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
