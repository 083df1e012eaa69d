"""跑动次数 (R006, 一次办好): what the flows see at the window is counted by itself, the rest the window adds. The only import from outside.

Counted by itself: the window types an application or a correction in for the applicant, or hands the decision over (窗口领取). What is done
on line, by an agent or by mail is no visit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Forbidden, Invalid
from engine.policy import Actor
from engine.store import audit
from handlers.cases import service as cases
from handlers.catalogue.service import read_table
from handlers.directory import service as directory
from handlers.projects import service as projects
from handlers.visits.models import VisitRow

__all__ = ["MOST_NOTE", "TARGET", "Reason", "Visit", "add_visit", "at_the_window", "reasons", "saw", "visits_of"]

TARGET = 1
"""一次办好: at most one visit for a case."""
MOST_NOTE = 200
COLLECTED = "窗口领取"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody comes. `manual`: people enter it; the others are counted by the flows alone."""

    code: str
    name: str
    manual: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit, with its reason in Chinese."""

    case_id: int
    reason: str
    reason_name: str
    on: date
    person: str
    note: str


@lru_cache(maxsize=1)
def reasons() -> dict[str, Reason]:
    """The reasons of processes/catalogue/visit_reasons.csv, by code."""
    return {row["code"]: Reason(row["code"], row["name"], row["manual"] == "1") for row in read_table("visit_reasons")}


def visits_of(session: Session, case_ids: Collection[int]) -> dict[int, list[Visit]]:
    """The visits of cases, oldest first, by case. For callers that have checked access."""
    found: dict[int, list[Visit]] = {case_id: [] for case_id in case_ids}
    for row in session.scalars(select(VisitRow).where(VisitRow.case_id.in_(found)).order_by(VisitRow.on, VisitRow.id)):
        found[row.case_id].append(Visit(row.case_id, row.reason, reasons()[row.reason].name, row.on, row.person, row.note))
    return found


def at_the_window(session: Session, person: str) -> bool:
    """Whether whoever did a step for the applicant sits at the window."""
    user = directory.get_user(session, person)
    return user is not None and user.kind == "staff" and directory.staff_actor(user).can("represent_owner")


def saw(session: Session, case_id: int, reason: str, *, person: str, now: datetime, method: str = COLLECTED) -> None:
    """A flow was moved on for the applicant by `person`: a visit if that was at the window (`method`: how a decision was served)."""
    if method == COLLECTED and (reason == "collect" or at_the_window(session, person)):
        _add(session, case_id, reason, person, "", now)


def add_visit(session: Session, actor: Actor, case_id: int, reason: str, note: str = "") -> bool:
    """Enter a visit that no flow sees, today -> whether it is new (once a day for each reason).

    NotFound without access, Forbidden unless the window does it, Invalid for a reason that flows count or too long a note.
    """
    case = cases.get_case(session, case_id)
    projects.get_project(session, actor, case.project_id)
    if not actor.can("represent_owner"):
        raise Forbidden(reason="到窗口办理由综合窗口登记")
    known = reasons().get(reason)
    if known is None or not known.manual:
        raise Invalid(reason="请选择到窗口办理的原因")
    if len(note) > MOST_NOTE:
        raise Invalid(reason=f"说明不超过 {MOST_NOTE} 字")
    projects.lock_project(session, case.project_id)
    if not _add(session, case.id, reason, actor.username, note.strip(), clock.now()):
        return False
    audit.record(session, actor, "case.visited", business_id=str(case.project_id), data={"case": case.id, "reason": reason})
    session.info["changed"].add(str(case.project_id))
    return True


def _add(session: Session, case_id: int, reason: str, person: str, note: str, now: datetime) -> bool:
    on = now.astimezone(CHINA).date()
    known = select(VisitRow.id).where(VisitRow.case_id == case_id, VisitRow.reason == reason, VisitRow.on == on)
    if session.scalar(known) is not None:
        return False
    session.add(VisitRow(case_id=case_id, reason=reason, on=on, person=person, note=note, at=now))
    session.flush()
    return True
