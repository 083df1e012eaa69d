"""效能: measures (R005), visits (R006) and what the supervision wants to see on one list. The only import allowed from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import Forbidden
from engine.policy import Actor
from handlers.cases.models import CaseEventRow, CaseRow
from handlers.cases.service import CORRECTION
from handlers.catalogue.service import catalogue
from handlers.clock.models import CaseClockRow
from handlers.directory import service as directory
from handlers.performance.measures import Average, Interval, Measures, ProjectMeasures, average, interval, measures
from handlers.projects import service as projects
from handlers.projects.models import ProjectRow
from handlers.visits import service as visits
from handlers.visits.models import VisitRow
from handlers.visits.service import Visit

__all__ = [
    "DEEMED",
    "OVERDUE",
    "SECOND_NOTICE",
    "Average",
    "Interval",
    "Measures",
    "ProjectMeasures",
    "Reported",
    "VisitLine",
    "average",
    "check_reader",
    "exceptions",
    "interval",
    "measures",
    "repeated_visits",
]

MOST_LINES = 500
DEEMED, SECOND_NOTICE, OVERDUE = "deemed", "second_notice", "overdue"


@dataclass(frozen=True, slots=True)
class VisitLine:
    """A case with its visits in the period."""

    case_id: int
    number: str
    item_name: str
    project_id: int
    project: str
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """Something the law wants to be reported: 视为受理 (32(四)), a second 补正 (32, 72(四)), a limit that passed (优化营商环境条例 36)."""

    kind: str
    at: datetime
    case_id: int
    number: str
    item_name: str
    unit: str
    project_id: int
    project: str


def check_reader(actor: Actor) -> None:
    """Forbidden for applicants: the numbers compare projects of others."""
    if not directory.is_staff(actor):
        raise Forbidden(reason="效能统计供部门人员查阅")


def repeated_visits(session: Session, actor: Actor, first: date, last: date) -> tuple[list[VisitLine], int]:
    """The cases with more visits in the period than the target of one, the most visited first -> (lines, cases with any visit)."""
    seen = select(VisitRow.case_id).join(CaseRow, CaseRow.id == VisitRow.case_id).join(ProjectRow, ProjectRow.id == CaseRow.project_id)
    ids = set(session.scalars(seen.where(projects.visible_to(actor), VisitRow.on.between(first, last))))
    found = {case_id: [one for one in all_ if first <= one.on <= last] for case_id, all_ in visits.visits_of(session, ids).items()}
    many = {case_id: own for case_id, own in found.items() if len(own) > visits.TARGET}
    rows = session.execute(
        select(CaseRow, ProjectRow.name).join(ProjectRow, ProjectRow.id == CaseRow.project_id).where(CaseRow.id.in_(many))
    )
    lines = [
        VisitLine(case.id, case.number, catalogue().item(case.item_code).name, case.project_id, name, tuple(many[case.id]))
        for case, name in rows
    ]
    return sorted(lines, key=lambda line: (-len(line.visits), line.case_id))[:MOST_LINES], len(ids)


def exceptions(session: Session, actor: Actor, first: date, last: date) -> list[Reported]:
    """What is reported of the period, newest first."""
    begin, end = datetime.combine(first, time(), CHINA), datetime.combine(last + timedelta(days=1), time(), CHINA)
    base = select(CaseRow, ProjectRow.name).join(ProjectRow, ProjectRow.id == CaseRow.project_id).where(projects.visible_to(actor))
    found = []
    deemed = and_(CaseEventRow.status == 3, CaseRow.deemed_accepted)
    statement = base.add_columns(CaseEventRow.status, CaseEventRow.at).join(CaseEventRow, CaseEventRow.case_id == CaseRow.id)
    statement = statement.where(CaseEventRow.at >= begin, CaseEventRow.at < end, or_(deemed, CaseEventRow.status == CORRECTION))
    again = _second_notices(session)
    for case, name, status, at in session.execute(statement):
        if status == CORRECTION and (case.id, at) not in again:
            continue
        found.append(_exception(SECOND_NOTICE if status == CORRECTION else DEEMED, at, case, name))
    late = base.add_columns(CaseClockRow.overdue_at).join(CaseClockRow, CaseClockRow.case_id == CaseRow.id)
    for case, name, at in session.execute(late.where(CaseClockRow.overdue_at >= begin, CaseClockRow.overdue_at < end)):
        found.append(_exception(OVERDUE, at, case, name))
    return sorted(found, key=lambda one: one.at, reverse=True)[:MOST_LINES]


def _second_notices(session: Session) -> set[tuple[int, datetime]]:
    """(case, moment) of every 补正 after the first of its case."""
    statement = select(CaseEventRow.case_id, CaseEventRow.at).where(CaseEventRow.status == CORRECTION).order_by(CaseEventRow.id)
    first: set[int] = set()
    again: set[tuple[int, datetime]] = set()
    for case_id, at in session.execute(statement):
        if case_id in first:
            again.add((case_id, at))
        first.add(case_id)
    return again


def _exception(kind: str, at: datetime, case: CaseRow, project: str) -> Reported:
    return Reported(kind, at, case.id, case.number, catalogue().item(case.item_code).name, case.unit, case.project_id, project)
