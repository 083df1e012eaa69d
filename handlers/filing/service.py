"""An investor (or the window for them) applies for one item of 并行推进: 环评, 水保, 能评 ... The only import allowed from outside.

The items of the main line are applied for in the flows of their stages; those of S5 run beside it, each as `item_handling` of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.commands import start_instance
from engine.errors import Conflict, Forbidden
from engine.policy import Actor
from engine.store import reads
from handlers.cases import service as cases
from handlers.catalogue.service import Item, catalogue
from handlers.licences import service as licences
from handlers.preconditions import service as preconditions
from handlers.projects import service as projects

PARALLEL = "S5"
FLOW = "item_handling"
UNITS_WITHOUT_OFFICE = frozenset({"GSGS", "GDGS", "RQGS", "RLGS", "TXGS"})
"""Utilities: their connections (报装) are a flow of their own, not an approval."""
SELF_APPLIED = frozenset({"ZR04", "ZR09"})
"""Applied for by another body: 农用地转用 by the government, 首次登记 after the acceptance at the registry."""


class FilingRefused(Conflict):
    """不能申报“{item}”：{reason}

    "{item}" cannot be applied for: {reason}
    """

    code = "filing_refused"


def offered(session: Session, actor: Actor, project_id: int | str) -> list[Item]:
    """The items that this person may apply for now; none for whoever may not, or when the project has ended. NotFound without access."""
    project = projects.get_project(session, actor, project_id)
    if project.state != "active" or not _may_file(session, actor, project):
        return []
    running = {case.item_code for case in cases.cases_of(session, project.id) if not case.ended}
    granted = licences.held_items(session, project.id).keys()
    spared = licences.area_results(project.data, clock.now().astimezone(CHINA).date())
    return [item for item in catalogue().items.values() if _parallel(item) and item.code not in running | granted | spared.keys()]


def file_item(session: Session, actor: Actor, project_id: int | str, item_code: str, application: Mapping[str, Any] | None = None) -> int:
    """Apply for an item -> the key of its flow. Forbidden, FilingRefused when it is no parallel item, under way or granted already,
    PreconditionMissing and FilingBarred with the article."""
    projects.lock_project(session, project_id)
    project = projects.get_project(session, actor, project_id)
    item = catalogue().item(item_code)
    if not _may_file(session, actor, project):
        raise Forbidden(reason="只有项目单位和综合窗口可以申报事项")
    if item not in offered(session, actor, project.id):
        reason = (
            "这个事项在主线阶段内申报" if not _parallel(item) else "已经申报或已经办结" if project.state == "active" else "项目已经结束"
        )
        raise FilingRefused(item=item.name, reason=reason)
    today = clock.now().astimezone(CHINA).date()
    licences.check_bar(session, project.organisation_code, item.code, item.name, today)
    preconditions.require(session, project.id, item.code, "file", {"application": dict(application or {})})
    running = (row for row in reads.instances_of_business(session, str(project.id)) if row.process_id == FLOW and row.state == "ACTIVE")
    if any(reads.variables(session, row.key).get("itemCode") == item.code for row in running):
        raise FilingRefused(item=item.name, reason="已经申报")
    variables = {
        "itemCode": item.code,
        "unit": item.unit,
        "projectId": str(project.id),
        "project": project.data,
        "applicant": project.applicant,
        "application": dict(application or {}),
    }
    return start_instance(session, actor, FLOW, variables, business_id=str(project.id), owner=project.applicant)


def _parallel(item: Item) -> bool:
    return item.stage == PARALLEL and item.unit not in UNITS_WITHOUT_OFFICE and item.code not in SELF_APPLIED


def _may_file(session: Session, actor: Actor, project: projects.Project) -> bool:
    return projects.is_own(session, actor, str(project.id)) or actor.can("represent_owner")
