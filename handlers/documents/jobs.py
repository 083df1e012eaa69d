"""What diagrams call on documents: issue one, print it, file it."""

from __future__ import annotations

from typing import Any

from engine.clock import CHINA
from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from handlers.cases import service as cases
from handlers.catalogue.service import catalogue
from handlers.documents import issuing, production
from handlers.documents.facts import case_facts, decision_facts, given_facts, intake_facts, limit_facts
from handlers.documents.subject import unit_name
from handlers.lights import calendar_of

registry = HandlerRegistry()

OF_INTAKE, OF_DECISION = frozenset({"W03", "W04", "W05", "W06", "W07"}), frozenset({"W19", "W20", "W21"})
"""Kinds that say what the window found, and kinds that say what was decided."""
ACCEPTANCES = frozenset({"W03", "W07"})
"""Notices of acceptance tell the applicant until when the decision will be taken."""


OPTIONAL = ("documentTitle", "documentFacts", "documentTo")
WITHOUT_HEADER = ("W11", "W16", "W17", "W18", "W22")
"""Kinds that execution listeners issue: a listener has no headers (Camunda 8.9), so the kind is part of its job type."""


@registry.handler(
    "document.issue",
    transactional=True,
    inputs=("caseId", "itemCode", *OPTIONAL),
    headers=("document",),
    outputs=("documentNo", "documentId"),
)
def issue(job: JobContext) -> dict[str, Any]:
    """出具文书：按文书目录取号并记录内容，提交后生成 PDF。

    Header `document`: W01-W26. Optional inputs: `documentTitle` replaces the kind's title, `documentTo` the addressee (a name, or a unit's
    code), `documentFacts` is a context of what the document says, by the Chinese labels that its template uses. The number comes from the
    catalogue's pattern, per body and year, without gaps.
    """
    return _issue(job, job.headers.get("document", ""))


def _issue_by_type(job: JobContext) -> None:
    """出具文书（执行监听器用，文书代码在作业类型里）。"""
    _issue(job, job.type.rpartition(".")[2])


for _kind in WITHOUT_HEADER:
    registry.handler(f"document.issue.{_kind}", transactional=True, inputs=("caseId", *OPTIONAL))(_issue_by_type)


def _issue(job: JobContext, kind: str) -> dict[str, Any]:
    case_id = str(job.variables.get("caseId") or "")
    if not kind or not case_id.isdecimal():
        raise Invalid(reason="出具文书需要任务头 document 和输入 caseId")
    case = cases.get_case(job.session, int(case_id))
    title, to, given = (job.variables.get(name) for name in ("documentTitle", "documentTo", "documentFacts"))
    if given is not None and not isinstance(given, dict):
        raise Invalid(reason="输入 documentFacts 应为上下文（context）")
    facts = case_facts(case)
    if kind in OF_INTAKE:
        facts |= intake_facts(job.variables)
    if kind in OF_DECISION:
        facts |= decision_facts(job.variables)
    facts |= given_facts(kind, job.variables, calendar_of(job.session), job.now.astimezone(CHINA).date())
    if kind in ACCEPTANCES:
        facts |= limit_facts(case, job.variables)
    document = issuing.issue(
        job.session,
        kind,
        project_id=case.project_id,
        case_id=case.id,
        item_code=case.item_code,
        unit=catalogue().document(kind).issuer or case.unit,
        facts=facts | (given or {}),
        root_key=job.root_key,
        person=job.actor,
        now=job.now,
        title=title if isinstance(title, str) else "",
        addressee=unit_name(to) if isinstance(to, str) else None,
    )
    return {"documentNo": document.number, "documentId": str(document.id)}


@registry.handler("document.render", transactional=False, inputs=("documentId",), outputs=("printed",))
def render(job: JobContext) -> dict[str, Any]:
    """生成文书的 PDF。"""
    return {"printed": production.render(job.session, _document_id(job))}


@registry.handler("document.file", transactional=True, inputs=("documentId", "printed"))
def file(job: JobContext) -> None:
    """文书 PDF 入库：只入库一次，此后不变。"""
    printed = job.variables.get("printed")
    if not isinstance(printed, dict):
        raise Invalid(reason="缺少输入 printed")
    production.file(job.session, _document_id(job), printed, job.now)


def _document_id(job: JobContext) -> int:
    value = str(job.variables.get("documentId") or "")
    if not value.isdecimal():
        raise Invalid(reason="缺少输入 documentId")
    return int(value)
