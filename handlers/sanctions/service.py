"""False or hidden facts in an application (行政许可法 78): found by the case's body, a written warning, no grant any more, and for matters
of safety or health a year without a new application for the item. The only import allowed from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from engine import clock
from engine.errors import Conflict, Forbidden, Invalid, Refused
from engine.policy import Actor
from engine.store import audit
from handlers.cases import service as cases
from handlers.cases.service import Case
from handlers.documents import service as documents
from handlers.documents.facts import case_facts
from handlers.licences.service import FilingBar, LicenceRefused, record_false_material, safety_items
from handlers.projects import service as projects
from handlers.sanctions.models import FalseMaterialRow

WARNING = "W35"
ARTICLE = "行政许可法第七十八条"
REMEDY = "如不服本决定，可以自收到之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
FINDERS = ("handler", "verifier", "signer")
LEAST, MOST = 5, 1000


class FalseMaterialFound(Refused):
    """申请人在本办件中提供虚假材料，不得准予：{reason}（{article}）

    The applicant gave false material in this case, it cannot be granted: {reason} ({article})
    """

    code = "false_material_found"


@dataclass(frozen=True, slots=True)
class FalseMaterial:
    """What was found in a case; `barred_until` None: a warning alone."""

    case_id: int
    reason: str
    article: str
    document_id: int
    document_title: str
    document_number: str
    barred_until: date | None
    recorded_by: str
    recorded_at: datetime


def may_report_false(actor: Actor, case: Case) -> bool:
    """Whether the actor examines the case for its body; never who applied."""
    return not case.ended and any(f"{case.unit}.{role}" in actor.groups for role in FINDERS) and case.applicant not in actor.owns


def false_effect(item_code: str) -> str:
    """Why the item bars new applications for a year; "" for a warning alone."""
    return safety_items().get(item_code, "")


def report_false_material(session: Session, actor: Actor, case_id: int, reason: str) -> FalseMaterial:
    """Find false material in a running case: issue the warning, bar where the law says so; the case cannot be granted any more.

    Raises NotFound without access, Forbidden for others than the case's body, Invalid without a reason, LicenceRefused when the case has
    ended (what was granted is revoked instead, 69 and 79), Conflict when it was found before.
    """
    case = cases.get_case(session, case_id)
    projects.lock_project(session, case.project_id)
    projects.get_project(session, actor, case.project_id)
    if case.ended:
        raise LicenceRefused(reason="办件已经办结；已经准予的，请办理撤销", article="行政许可法第六十九、七十九条")
    if not may_report_false(actor, case):
        raise Forbidden(reason="提供虚假材料由该办件的审批部门认定")
    reason = reason.strip()
    if not LEAST <= len(reason) <= MOST:
        raise Invalid(reason=f"请写明哪份材料虚假、如何查明（{LEAST} 到 {MOST} 字）")
    if session.get(FalseMaterialRow, case.id) is not None:
        raise Conflict(reason="本办件已经认定提供虚假材料")
    now = clock.now()
    barred = record_false_material(session, case.id, reason, person=actor.username, now=now)
    number = _warn(session, actor, case, reason, barred, now)
    data = {"case": case.id, "reason": reason, "document": number, "until": barred.until.isoformat() if barred else None}
    audit.record(session, actor, "case.false_material", business_id=str(case.project_id), root_key=case.root_key, data=data)
    session.info["changed"].add(str(case.project_id))
    found = false_material_of(session, case.id)
    assert found is not None
    return found


def _warn(session: Session, actor: Actor, case: Case, reason: str, barred: FilingBar | None, now: datetime) -> str:
    """The written warning, and the row that stops a grant -> its number."""
    effect = "给予警告，本次申请不予许可" + (f"；{barred.until.isoformat()} 以前不得再次申请该事项" if barred else "")
    document = documents.issue(
        session,
        WARNING,
        project_id=case.project_id,
        case_id=case.id,
        item_code=case.item_code,
        unit=case.unit,
        facts=case_facts(case) | {"违法事实": reason, "处理": effect, "依据": barred.article if barred else ARTICLE, "救济途径": REMEDY},
        root_key=case.root_key,
        person=actor.username,
        now=now,
    )
    session.add(
        FalseMaterialRow(
            case_id=case.id,
            reason=reason,
            article=barred.article if barred else ARTICLE,
            document_id=document.id,
            barred_until=barred.until if barred else None,
            recorded_by=actor.username,
            recorded_at=now,
        )
    )
    session.flush()
    return document.number or document.title


def false_material_of(session: Session, case_id: int) -> FalseMaterial | None:
    """What was found in a case; None. For callers that have checked access."""
    row = session.get(FalseMaterialRow, case_id)
    if row is None:
        return None
    paper = documents.stored_document(session, row.document_id)
    return FalseMaterial(
        row.case_id,
        row.reason,
        row.article,
        row.document_id,
        paper.title,
        paper.number or "",
        row.barred_until,
        row.recorded_by,
        row.recorded_at,
    )


def check_not_false(session: Session, case_id: int) -> None:
    """FalseMaterialFound when the case cannot be granted."""
    row = session.get(FalseMaterialRow, case_id)
    if row is not None:
        raise FalseMaterialFound(reason=row.reason, article=row.article)
