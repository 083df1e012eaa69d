"""What diagrams call on documents: issue one."""

from __future__ import annotations

from typing import Any

from engine.errors import Invalid
from engine.jobs import HandlerRegistry, JobContext
from handlers.cases import service as cases
from handlers.documents import service as documents
from handlers.documents.facts import case_facts, decision_facts, intake_facts

registry = HandlerRegistry()


@registry.handler(
    "document.issue",
    transactional=True,
    inputs=("caseId", "itemCode", "documentTitle"),
    headers=("document",),
    outputs=("documentNo", "documentId"),
)
def issue(job: JobContext) -> dict[str, Any]:
    """出具文书：按文书目录取号并记录内容。

    Header `document`: W01-W26. Optional input `documentTitle` replaces the kind's title. The number comes from the catalogue's pattern,
    per body and year, without gaps.
    """
    kind = job.headers.get("document")
    case_id = str(job.variables.get("caseId") or "")
    if not kind or not case_id.isdecimal():
        raise Invalid(reason="出具文书需要任务头 document 和输入 caseId")
    case = cases.get_case(job.session, int(case_id))
    title = job.variables.get("documentTitle")
    document = documents.issue(
        job.session,
        kind,
        project_id=case.project_id,
        case_id=case.id,
        item_code=case.item_code,
        unit=case.unit,
        facts=case_facts(case) | intake_facts(job.variables) | decision_facts(job.variables),
        root_key=job.root_key,
        person=job.actor,
        now=job.now,
        title=title if isinstance(title, str) else "",
    )
    return {"documentNo": document.number, "documentId": str(document.id)}
