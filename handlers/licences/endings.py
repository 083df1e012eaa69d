"""How licences end before their time: revocation (行政许可法 69), cancellation (70), and who may not apply for a while (78, 79)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import NotFound, Refused
from handlers.cases import service as cases
from handlers.licences.models import FilingBarRow
from handlers.licences.rules import Ending, add_months, endings, safety_items
from handlers.licences.view import Licence, LicenceRefused, add_event, licence_of, locked
from handlers.projects import service as projects

REVOKED = 15
BAR_MONTHS = 12
"""行政许可法 78: one year."""


class FilingBarred(Refused):
    """申请人在 {until} 以前不能再次申请“{item}”：{reason}（{article}）

    The applicant may not apply for {item} again until {until}: {reason} ({article})
    """

    code = "filing_barred"


@dataclass(frozen=True, slots=True)
class FilingBar:
    """A bar on applications; `until` is its last day."""

    item_code: str
    until: date
    reason: str
    article: str


def end_of(code: str, kind: str) -> Ending:
    """A ground of that kind (revoke, cancel); NotFound when the law has no such ground."""
    found = endings().get(code)
    if found is None or found.kind != kind:
        raise NotFound(what="撤销或注销的情形", key=code)
    return found


def revoke(session: Session, licence_id: int, ground: str, *, reason: str, person: str, document: str = "", now: datetime) -> Licence:
    """Revoke (撤销): the case goes to status 15; obtained by deception, the applicant is barred for three years (行政许可法 69, 79)."""
    row, ending = locked(session, licence_id), end_of(ground, "revoke")
    if row.state != "valid":
        raise LicenceRefused(reason=f"许可{licence_of(session, licence_id).state_name}", article=ending.article)
    row.state = "revoked"
    add_event(session, row, "revoked", person, now, reason=reason or ending.reason, article=ending.article, document=document)
    if row.case_id is not None:
        cases.set_status(session, row.case_id, REVOKED, person=person, unit=row.unit, now=now, note=document)
    if ending.bar_months:
        until = add_months(now.astimezone(CHINA).date(), ending.bar_months)
        bar(session, row.project_id, row.item_code, until, ending.reason, ending.article, row.case_id, person=person, now=now)
    return licence_of(session, licence_id)


def cancel(session: Session, licence_id: int, ground: str, *, reason: str, person: str, document: str = "", now: datetime) -> Licence:
    """Cancel (注销) a licence that has ended or is given up (行政许可法 70). LicenceRefused: the ground does not fit."""
    row, ending, found = locked(session, licence_id), end_of(ground, "cancel"), licence_of(session, licence_id)
    if found.state == "cancelled":
        raise LicenceRefused(reason="许可已经注销", article=ending.article)
    if (ground == "expired") != (found.state == "expired") or (ground == "taken_back") != (found.state == "revoked"):
        raise LicenceRefused(reason=f"许可{found.state_name}，与“{ending.reason}”不符", article=ending.article)
    row.state = "cancelled"
    add_event(session, row, "cancelled", person, now, reason=reason or ending.reason, article=ending.article, document=document)
    return licence_of(session, licence_id)


def record_false_material(session: Session, case_id: int, reason: str, *, person: str, now: datetime) -> FilingBar | None:
    """False or hidden facts in an application (行政许可法 78): a warning; for matters of safety a year without a new application."""
    case = cases.get_case(session, case_id)
    if case.item_code not in safety_items():
        return None
    until = add_months(now.astimezone(CHINA).date(), BAR_MONTHS)
    article = f"行政许可法第七十八条；{safety_items()[case.item_code]}"
    return bar(session, case.project_id, case.item_code, until, reason, article, case.id, person=person, now=now)


def bar(
    session: Session,
    project_id: int,
    item_code: str,
    until: date,
    reason: str,
    article: str,
    case_id: int | None,
    *,
    person: str,
    now: datetime,
) -> FilingBar:
    """Bar the project's organisation from applying for an item."""
    project = projects.find_project(session, str(project_id))
    if project is None:
        raise NotFound(what="项目", key=project_id)
    row = FilingBarRow(
        organisation_code=project.organisation_code,
        item_code=item_code,
        until=until,
        reason=reason,
        article=article,
        case_id=case_id,
        recorded_by=person,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return FilingBar(item_code, until, reason, article)


def bars_of(session: Session, organisation_code: str, today: date) -> list[FilingBar]:
    """The bars on an organisation that hold on a day."""
    statement = select(FilingBarRow).where(FilingBarRow.organisation_code == organisation_code, FilingBarRow.until >= today)
    return [FilingBar(r.item_code, r.until, r.reason, r.article) for r in session.scalars(statement.order_by(FilingBarRow.id))]


def check_bar(session: Session, organisation_code: str, item_code: str, item_name: str, today: date) -> None:
    """FilingBarred when the organisation may not apply for the item today."""
    for found in bars_of(session, organisation_code, today):
        if found.item_code == item_code:
            raise FilingBarred(until=found.until, item=item_name, reason=found.reason, article=found.article)
