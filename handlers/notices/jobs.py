"""What diagrams call on notices: tell people."""

from __future__ import annotations

from engine.errors import Invalid, NotFound
from engine.jobs import HandlerRegistry, JobContext
from handlers.cases import service as cases
from handlers.catalogue.service import NoticeTemplate, catalogue
from handlers.directory import service as directory
from handlers.notices import service as notices
from handlers.projects import service as projects

registry = HandlerRegistry()


@registry.handler("notice.send", transactional=True, inputs=("applicant", "caseId", "note"), headers=("event",))
def send(job: JobContext) -> None:
    """发送站内消息：收件人和内容由消息目录按事件决定。

    `note` stands where the body has {note}.
    Header `event`: an event of notices.csv, whose recipients are `applicant`, `unit` (the handlers of the unit concerned) or groups.
    """
    event = job.headers.get("event")
    if not event:
        raise Invalid(reason="任务头缺少 event")
    template = catalogue().notices.get(event)
    if template is None:
        raise NotFound(what="消息模板", key=event)
    case_id = str(job.variables.get("caseId") or "")
    case = cases.get_case(job.session, int(case_id)) if case_id.isdecimal() else None
    project_id = case.project_id if case else int(job.business_id) if job.business_id and job.business_id.isdecimal() else None
    names = projects.project_names(job.session, {project_id}) if project_id is not None else {}
    words = {
        "project": names.get(project_id or 0, ""),
        "item": case.item_name if case else "",
        "status": case.status_name if case else "",
        "case": case.number if case else "",
        "note": str(job.variables.get("note") or ""),
    }
    unit = job.variables.get("unit") if isinstance(job.variables.get("unit"), str) else case.unit if case else ""
    notices.send(
        job.session,
        _recipients(job, template, str(unit or "")),
        event,
        template.title,
        template.body.format_map(words),
        project_id=project_id,
        case_id=case.id if case else None,
    )


def _recipients(job: JobContext, template: NoticeTemplate, unit: str) -> set[str]:
    found: set[str] = set()
    for word in template.recipients:
        if word == "applicant":
            applicant = job.variables.get("applicant") or job.owner
            found |= {str(applicant)} if applicant else set()
        else:
            group = f"{unit}.handler" if word == "unit" else word
            found |= {user.username for user in directory.users_in_group(job.session, group)}
    return found
