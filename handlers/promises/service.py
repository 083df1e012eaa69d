"""Promises of a case and the credit of whoever made them. The only import allowed from outside.

容缺受理: only materials that the catalogue marks as tolerable, for no longer than the item's promised limit, never for an applicant with an
unrepaired record (domain §2.9). 告知承诺: a declaration instead of a proof, checked after the decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Conflict, NotFound
from engine.policy import Actor, require
from engine.store import audit
from engine.workcalendar import WorkCalendar
from handlers.cases import service as cases
from handlers.catalogue.service import catalogue
from handlers.clock import service as clocks
from handlers.lights import calendar_of
from handlers.projects import service as projects
from handlers.promises.models import CreditRecordRow, PromiseRow

Kind = Literal["tolerance", "commitment"]
LAW = "优化营商环境条例第十九条；本市容缺受理规定"
DEFAULT_DAYS = 5
"""For an item without a promised limit [P]."""
REMINDERS = (3, 1)


class PromiseRefused(Conflict):
    """容缺或承诺不成立：{reason}（{article}）

    The promise cannot be taken: {reason} ({article})
    """

    code = "promise_refused"


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise as it stands."""

    id: int
    case_id: int
    kind: str
    materials: tuple[str, ...]
    deadline: date | None
    state: str
    extended: bool
    document: str
    signed_by: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class CreditRecord:
    """A broken promise; `repaired_at` is None while it bars the organisation from new promises."""

    id: int
    organisation_code: str
    organisation: str
    case_id: int
    reason: str
    recorded_at: datetime
    repaired_at: datetime | None


def tolerable_materials(item_code: str) -> list[str]:
    """The names of an item's materials that may be handed in later."""
    return [m.name for m in catalogue().materials if m.item == item_code and m.tolerable]


def committable_materials(item_code: str) -> list[str]:
    """The names of an item's materials that a declaration may replace."""
    return [m.name for m in catalogue().materials if m.item == item_code and m.commitment]


def latest_deadline(item_code: str, calendar: WorkCalendar, today: date) -> date:
    """The last day that may be promised: the item's promised limit from today on."""
    limit = clocks.limits_of(item_code).promised
    return calendar.add_workdays(today, limit.days if limit is not None and limit.days else DEFAULT_DAYS)


def is_barred(session: Session, organisation_code: str) -> bool:
    """Whether the organisation has an unrepaired record."""
    statement = select(CreditRecordRow.id).where(
        CreditRecordRow.organisation_code == organisation_code, CreditRecordRow.repaired_at.is_(None)
    )
    return bool(organisation_code) and session.scalars(statement.limit(1)).first() is not None


def record(
    session: Session,
    case_id: int,
    kind: Kind,
    materials: Sequence[str],
    deadline: date | None,
    document: str,
    *,
    person: str,
    now: datetime,
) -> Promise:
    """A signed promise. PromiseRefused for a barred applicant, a material that allows none, or a deadline beyond the promised limit."""
    case = cases.get_case(session, case_id)
    _check(session, case, kind, materials, deadline, now)
    row = PromiseRow(
        case_id=case_id,
        kind=kind,
        materials=list(materials),
        deadline=deadline,
        state="open",
        extended=False,
        document=document,
        signed_by=person,
        signed_at=now,
        ended_at=None,
    )
    session.add(row)
    session.flush()
    return _promise(row)


def _check(session: Session, case: cases.Case, kind: Kind, materials: Sequence[str], deadline: date | None, now: datetime) -> None:
    today = now.astimezone(CHINA).date()
    if is_barred(session, _organisation(session, case)[0]):
        raise PromiseRefused(reason="申请人有未修复的失信记录", article="优化营商环境条例第三十条；本市容缺受理规定")
    allowed = tolerable_materials(case.item_code) if kind == "tolerance" else committable_materials(case.item_code)
    wrong = [name for name in materials if name not in allowed]
    if wrong or not materials:
        raise PromiseRefused(reason=f"这些材料不能容缺或承诺：{'、'.join(wrong) or '没有列出材料'}", article=LAW)
    if kind == "tolerance":
        latest = latest_deadline(case.item_code, calendar_of(session), today)
        if deadline is None or not today < deadline <= latest:
            raise PromiseRefused(reason=f"补齐期限应在明天至 {latest} 之间", article=LAW)


def _organisation(session: Session, case: cases.Case) -> tuple[str, str]:
    """(unified social credit code, name) of the case's applicant."""
    project = projects.find_project(session, str(case.project_id))
    return (project.organisation_code, project.organisation) if project is not None else ("", case.applicant)


def promises_of(session: Session, case_id: int) -> list[Promise]:
    """The promises of a case, oldest first."""
    return [_promise(row) for row in session.scalars(select(PromiseRow).where(PromiseRow.case_id == case_id).order_by(PromiseRow.id))]


def keep(session: Session, case_id: int, now: datetime) -> None:
    """Everything promised in the case has been fulfilled."""
    for row in _open(session, case_id):
        row.state, row.ended_at = "kept", now
    session.flush()


def extend(session: Session, case_id: int, deadline: date, now: datetime) -> Promise:
    """Force majeure: one more deadline, once. PromiseRefused the second time or for a day that has passed."""
    row = next((row for row in _open(session, case_id) if row.kind == "tolerance"), None)
    if row is None:
        raise NotFound(what="容缺承诺", key=case_id)
    if row.extended:
        raise PromiseRefused(reason="已经延长过一次", article=LAW)
    if deadline <= now.astimezone(CHINA).date():
        raise PromiseRefused(reason="延长后的期限应在今天以后", article=LAW)
    row.deadline, row.extended = deadline, True
    session.flush()
    return _promise(row)


def break_promise(session: Session, case_id: int, reason: str, *, person: str, now: datetime) -> None:
    """The promise was not kept: it ends, and the organisation gets a credit record."""
    for row in _open(session, case_id):
        row.state, row.ended_at = "broken", now
    case = cases.get_case(session, case_id)
    code, name = _organisation(session, case)
    session.add(
        CreditRecordRow(
            organisation_code=code,
            organisation=name,
            case_id=case_id,
            reason=reason or "容缺承诺逾期未履行",
            recorded_by=person,
            recorded_at=now,
            repaired_by="",
            repaired_at=None,
        )
    )
    session.flush()


def credit_records(session: Session, organisation_code: str) -> list[CreditRecord]:
    """The records of an organisation, newest first."""
    statement = select(CreditRecordRow).where(CreditRecordRow.organisation_code == organisation_code).order_by(CreditRecordRow.id.desc())
    return [
        CreditRecord(r.id, r.organisation_code, r.organisation, r.case_id, r.reason, r.recorded_at, r.repaired_at)
        for r in session.scalars(statement)
    ]


def repair(session: Session, actor: Actor, record_id: int) -> None:
    """信用修复: the record bars no more. Administrators only; NotFound, Conflict when it was repaired before."""
    require(actor, "administer")
    row = session.get(CreditRecordRow, record_id, with_for_update=True)
    if row is None:
        raise NotFound(what="失信记录", key=record_id)
    if row.repaired_at is not None:
        raise Conflict(reason="这条记录已经修复")
    row.repaired_by, row.repaired_at = actor.username, clock.now()
    audit.record(session, actor, "credit.repaired", data={"record": record_id})


def _open(session: Session, case_id: int) -> list[PromiseRow]:
    statement = select(PromiseRow).where(PromiseRow.case_id == case_id, PromiseRow.state == "open").order_by(PromiseRow.id)
    return list(session.scalars(statement.with_for_update()))


def _promise(row: PromiseRow) -> Promise:
    return Promise(
        row.id,
        row.case_id,
        row.kind,
        tuple(row.materials),
        row.deadline,
        row.state,
        row.extended,
        row.document,
        row.signed_by,
        row.signed_at,
    )
