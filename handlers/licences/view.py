"""A licence as it stands: whether it holds today and why not, what happened to it; and the results of evaluated areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Conflict, NotFound
from engine.policy import Actor
from handlers.cases.models import CaseRow
from handlers.licences.models import LicenceEventRow, LicenceRow
from handlers.licences.rules import AreaAssessment, areas
from handlers.projects import service as projects
from handlers.projects.service import Project

CONSTRUCTION_PERMIT = "ZJ03"
"""Its own flow extends the time to start, twice, and voids the permit otherwise (建筑法 9): works that have started prove it."""
REVOKED = 15
"""The case status 撤销: whatever revoked the case (a broken 告知承诺, too) revoked its licence."""
STATES = {"valid": "有效", "expired": "有效期届满", "revoked": "已撤销", "cancelled": "已注销"}


class LicenceRefused(Conflict):
    """许可不能这样处理：{reason}（{article}）

    The licence does not allow this: {reason} ({article})
    """

    code = "licence_refused"


@dataclass(frozen=True, slots=True)
class Licence:
    """A granted result. `state`: valid, expired, revoked, cancelled; `used`: what its term waited for has happened, it lapses no more."""

    id: int
    project_id: int
    case_id: int | None
    item_code: str
    title: str
    number: str
    unit: str
    origin: str
    granted_on: date
    valid_until: date | None
    used: bool
    renewals: int
    state: str
    content: Mapping[str, Any]
    service_key: int | None

    @property
    def effective(self) -> bool:
        """Whether others may rely on it today."""
        return self.state == "valid"

    @property
    def state_name(self) -> str:
        """The state in Chinese."""
        return STATES[self.state]


@dataclass(frozen=True, slots=True)
class LicenceEvent:
    """What happened to a licence: kind is granted, entered, changed, renewed, deemed_renewed, revoked, cancelled or reminded."""

    kind: str
    person: str
    at: datetime
    reason: str
    article: str
    document: str
    data: Mapping[str, Any]


def licences_of(session: Session, project_id: int | str) -> list[Licence]:
    """The licences of a project, oldest first. Ask for the project first: access is checked there."""
    rows = session.scalars(select(LicenceRow).where(LicenceRow.project_id == int(project_id)).order_by(LicenceRow.id)).all()
    if not rows:
        return []
    reached = {one.code: one.actual for one in projects.milestones(session, project_id) if one.actual is not None}
    for row in rows:
        reached.setdefault(row.item_code, row.granted_on)
    today = clock.now().astimezone(CHINA).date()
    revoked = select(CaseRow.id).where(CaseRow.id.in_([row.case_id for row in rows if row.case_id]), CaseRow.status == REVOKED)
    gone = set(session.scalars(revoked))
    return [_licence(row, reached, today, revoked=row.case_id in gone) for row in rows]


def licence_of(session: Session, licence_id: int) -> Licence:
    """A licence by its id; NotFound when there is none. For callers that have checked access."""
    row = session.get(LicenceRow, licence_id)
    if row is None:
        raise NotFound(what="许可", key=licence_id)
    return next(one for one in licences_of(session, row.project_id) if one.id == licence_id)


def seen_licence(session: Session, actor: Actor, licence_id: int) -> tuple[Licence, Project]:
    """A licence and its project; NotFound when the actor may not see the project."""
    found = licence_of(session, licence_id)
    return found, projects.get_project(session, actor, found.project_id)


def held_items(session: Session, project_id: int | str, today: date | None = None) -> dict[str, Licence]:
    """The licences that hold now, by item; the newest of each."""
    return {one.item_code: one for one in licences_of(session, project_id) if one.effective}


def history(session: Session, licence_id: int) -> list[LicenceEvent]:
    """What happened to a licence, oldest first."""
    rows = session.scalars(select(LicenceEventRow).where(LicenceEventRow.licence_id == licence_id).order_by(LicenceEventRow.id))
    return [LicenceEvent(r.kind, r.person, r.at, r.reason, r.article, r.document, r.data) for r in rows]


def area_results(project: Mapping[str, Any], today: date) -> dict[str, AreaAssessment]:
    """The items that an evaluated area spares a project (优化营商环境条例 42), by code; its result still holds."""
    address = str(project.get("jsdd") or "")
    if project.get("sfwcqypg") is not True:
        return {}
    found = [area for area in areas() if area.approved_on <= today <= area.valid_until and any(word in address for word in area.words)]
    return {item: area for area in reversed(found) for item in area.items}


def locked(session: Session, licence_id: int) -> LicenceRow:
    """The row of a licence, locked; NotFound when there is none."""
    row = session.scalar(select(LicenceRow).where(LicenceRow.id == licence_id).with_for_update())
    if row is None:
        raise NotFound(what="许可", key=licence_id)
    return row


def add_event(
    session: Session,
    row: LicenceRow,
    kind: str,
    person: str,
    now: datetime,
    *,
    reason: str = "",
    article: str = "",
    document: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write down what happened to a licence."""
    event = LicenceEventRow(
        licence_id=row.id, kind=kind, person=person, at=now, reason=reason, article=article, document=document, data=dict(data or {})
    )
    session.add(event)
    session.flush()


def _licence(row: LicenceRow, reached: Mapping[str, date], today: date, *, revoked: bool) -> Licence:
    used_on = reached.get(row.used_by) if row.used_by else None
    in_time = row.valid_until is None or (used_on is not None and used_on <= row.valid_until)
    used = used_on is not None and (in_time or row.item_code == CONSTRUCTION_PERMIT)
    lapsed = row.valid_until is not None and row.valid_until < today and not used
    state = "revoked" if revoked and row.state == "valid" else row.state
    return Licence(
        row.id,
        row.project_id,
        row.case_id,
        row.item_code,
        row.title,
        row.number,
        row.unit,
        row.origin,
        row.granted_on,
        row.valid_until,
        used,
        row.renewals,
        "expired" if state == "valid" and lapsed else state,
        row.content,
        row.service_key,
    )
