"""What was granted and how long it holds: looked up, entered, renewed, changed, revoked, cancelled. The only import allowed from outside.

Sources: 行政许可法 40 (publication), 49 (change), 50 (renewal; silence is a renewal), 69 (revocation), 70 (cancellation), 78 and 79 (bars).
requests.py: who may ask for what, and the flow for it; endings.py: revocation, cancellation, bars; publication.py: what the public sees,
and the reminders; rules.py: the rules as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Forbidden, Invalid
from engine.policy import Actor
from engine.store import audit
from handlers.cases import service as cases
from handlers.catalogue.service import catalogue
from handlers.licences.endings import FilingBar, bar, bars_of, cancel, check_bar, end_of, record_false_material, revoke
from handlers.licences.models import LicenceRow
from handlers.licences.publication import any_to_remind, expiring, published, remind_all
from handlers.licences.requests import GIVEN_UP, close_service, kinds_for, request
from handlers.licences.rules import add_months, areas, endings, intermediary_services, safety_items, terms
from handlers.licences.terms import latest_application, renewal_refusal
from handlers.licences.view import (
    Licence,
    LicenceEvent,
    LicenceRefused,
    add_event,
    area_results,
    held_items,
    history,
    licence_of,
    licences_of,
    locked,
    seen_licence,
)
from handlers.projects import service as projects

__all__ = [
    "GIVEN_UP",
    "FilingBar",
    "Licence",
    "LicenceEvent",
    "LicenceRefused",
    "add_months",
    "any_to_remind",
    "area_results",
    "areas",
    "bar",
    "bars_of",
    "cancel",
    "change",
    "check_bar",
    "close_service",
    "end_of",
    "endings",
    "enter_existing",
    "expiring",
    "grant",
    "held_items",
    "history",
    "intermediary_services",
    "kinds_for",
    "latest_application",
    "licence_of",
    "licences_of",
    "published",
    "record_false_material",
    "remind_all",
    "renew",
    "request",
    "revoke",
    "safety_items",
    "seen_licence",
    "terms",
]

EXISTING = "existing"
CHANGEABLE = 20
"""So many fields a licence may show as changed."""


def grant(session: Session, case_id: int, number: str, facts: Mapping[str, Any], *, person: str, now: datetime) -> Licence:
    """A case was decided for the applicant: its result holds from today, for the term of the decision or of the law."""
    case = cases.get_case(session, case_id)
    item, today = catalogue().item(case.item_code), now.astimezone(CHINA).date()
    term = terms().get(item.code)
    given = facts.get("有效期止")
    until = date.fromisoformat(given[:10]) if isinstance(given, str) and given else add_months(today, term.months) if term else None
    row = LicenceRow(
        project_id=case.project_id,
        case_id=case.id,
        item_code=item.code,
        title=item.result_title or item.name,
        number=number,
        unit=case.unit,
        origin="case",
        granted_on=today,
        valid_until=until,
        used_by=term.used_by if term else "",
        renewals=0,
        state="valid",
        content={},
        reminded=False,
    )
    session.add(row)
    session.flush()
    add_event(session, row, "granted", person, now, document=number)
    return licence_of(session, row.id)


def enter_existing(
    session: Session, actor: Actor, project_id: int | str, item_code: str, number: str, granted_on: date, valid_until: date | None = None
) -> Licence:
    """Enter a result that was issued before this system or elsewhere (已有批文登记), so that nobody asks for it again.

    Forbidden unless the window or the item's own body enters it; Invalid without a number, for a day to come or a term that ends before it
    began; LicenceRefused when the project holds the item already.
    """
    projects.lock_project(session, project_id)
    project, item, now = projects.get_project(session, actor, project_id), catalogue().item(item_code), clock.now()
    today = now.astimezone(CHINA).date()
    if not (actor.can("represent_owner") or f"{item.unit}.handler" in actor.groups):
        raise Forbidden(reason="已有批文由综合窗口或者该事项的审批部门核对原件后登记")
    if not number.strip() or len(number) > 100:
        raise Invalid(reason="请填写批文编号（不超过 100 字）")
    if granted_on > today or (valid_until is not None and valid_until < granted_on):
        raise Invalid(reason="批准日期不能在今天以后，有效期不能早于批准日期")
    if item.code in held_items(session, project.id, today):
        raise LicenceRefused(reason=f"项目已有有效的“{item.name}”结果", article="行政许可法第三十一条")
    term = terms().get(item.code)
    row = LicenceRow(
        project_id=project.id,
        case_id=None,
        item_code=item.code,
        title=item.result_title or item.name,
        number=number.strip(),
        unit=item.unit,
        origin=EXISTING,
        granted_on=granted_on,
        valid_until=valid_until or (add_months(granted_on, term.months) if term else None),
        used_by=term.used_by if term else "",
        renewals=0,
        state="valid",
        content={},
        reminded=False,
    )
    session.add(row)
    session.flush()
    add_event(session, row, "entered", actor.username, now, document=row.number)
    audit.record(session, actor, "licence.entered", business_id=str(project.id), data={"item": item.code, "number": row.number})
    session.info["changed"].add(str(project.id))
    return licence_of(session, row.id)


def renew(
    session: Session,
    licence_id: int,
    months: int,
    *,
    applied_on: date,
    person: str,
    document: str = "",
    deemed: bool = False,
    now: datetime,
) -> Licence:
    """Renew (延续) by `months` from the day on which the term would have ended; `deemed`: nobody decided in time (50).

    Raises LicenceRefused with the article when the law does not allow it; a silence renews only what the law lets it renew.
    """
    row = locked(session, licence_id)
    refusal = renewal_refusal(session, row, months, applied_on)
    term = terms().get(row.item_code)
    if refusal is None and deemed and term is not None and not term.silence:
        refusal = LicenceRefused(reason="这个事项逾期未作决定不视为准予延续", article=term.article)
    if refusal is not None:
        raise refusal
    assert row.valid_until is not None  # a licence without a term is refused
    row.valid_until, row.renewals, row.reminded = add_months(row.valid_until, months), row.renewals + 1, False
    article = "行政许可法第五十条第二款" if deemed else term.article if term else "行政许可法第五十条"
    kind = "deemed_renewed" if deemed else "renewed"
    add_event(session, row, kind, person, now, article=article, document=document, data={"until": row.valid_until.isoformat()})
    return licence_of(session, row.id)


def change(
    session: Session, licence_id: int, fields: Mapping[str, str], *, reason: str, person: str, document: str = "", now: datetime
) -> Licence:
    """Change (变更) what a licence says (行政许可法 49); number and term stay. LicenceRefused: it holds no more."""
    row = locked(session, licence_id)
    if not licence_of(session, licence_id).effective:
        raise LicenceRefused(reason="许可已经失效，不能变更", article="行政许可法第四十九条")
    cleaned = {str(key)[:40]: str(value)[:500] for key, value in fields.items() if str(key).strip() and str(value).strip()}
    if not cleaned or len(cleaned) > CHANGEABLE:
        raise Invalid(reason=f"请写明变更的内容（1 到 {CHANGEABLE} 项）")
    before = {key: row.content.get(key) for key in cleaned}
    row.content = row.content | cleaned
    data = {"before": before, "after": cleaned}
    add_event(session, row, "changed", person, now, reason=reason, article="行政许可法第四十九条", document=document, data=data)
    return licence_of(session, row.id)
