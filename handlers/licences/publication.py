"""What the public may see of decisions (行政许可法 40), and the reminders before a term ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from handlers.catalogue.service import catalogue
from handlers.licences.models import LicenceRow
from handlers.licences.terms import latest_application
from handlers.licences.view import Licence, add_event, licence_of
from handlers.notices import service as notices
from handlers.projects import service as projects
from handlers.projects.models import ProjectRow

PAGE = 30
REMIND_AHEAD = 30
"""Days before the last day of an application on which the holder is reminded [P]."""
EVENT = "licence_expiring"


@dataclass(frozen=True, slots=True)
class Published:
    """One line of the public list: nothing of a confidential project is ever on it."""

    licence: Licence
    project: str
    organisation: str
    item_name: str


@dataclass(frozen=True, slots=True)
class PublishedPage:
    """One page of the list, newest first."""

    rows: list[Published]
    total: int
    page: int
    pages: int


def published(session: Session, *, q: str = "", page: int = 1) -> PublishedPage:
    """The decisions that anybody may look up; `q` in number, project or organisation."""
    statement = select(LicenceRow, ProjectRow).join(ProjectRow, ProjectRow.id == LicenceRow.project_id)
    statement = statement.where(ProjectRow.confidential.is_(False), LicenceRow.origin == "case")
    if words := q.strip():
        columns = (LicenceRow.number, LicenceRow.title, ProjectRow.name, ProjectRow.organisation)
        condition = columns[0].icontains(words, autoescape=True)
        for column in columns[1:]:
            condition = condition | column.icontains(words, autoescape=True)
        statement = statement.where(condition)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    found = session.execute(statement.order_by(LicenceRow.id.desc()).limit(PAGE).offset((page - 1) * PAGE)).all()
    items = catalogue().items
    rows = [
        Published(
            licence_of(session, row.id), project.name, project.organisation, items[row.item_code].name if row.item_code in items else ""
        )
        for row, project in found
    ]
    return PublishedPage(rows, total, page, pages)


def expiring(session: Session, project_id: int | str, today: date) -> list[tuple[Licence, date]]:
    """The licences of a project whose time to apply for a renewal has come, each with the last day for it."""
    rows = session.scalars(select(LicenceRow).where(LicenceRow.project_id == int(project_id)).order_by(LicenceRow.id))
    return [(found, last) for row in rows if (found := licence_of(session, row.id)) and (last := _due(session, found, today)) is not None]


def remind_all(session: Session, now: datetime) -> int:
    """Tell the holders whose terms will end soon, once per term -> how many. Called by the sweep; repeating it changes nothing."""
    today = now.astimezone(CHINA).date()
    count = 0
    for row in session.scalars(_near(today).with_for_update()).all():
        found = licence_of(session, row.id)
        last = _due(session, found, today)
        project = projects.find_project(session, str(row.project_id))
        if last is None or project is None:
            continue
        body = f"{project.name}：{found.title} {found.number} 有效期至 {found.valid_until}，需要延续的，请在 {last} 以前提出申请。"
        notices.send(session, {project.applicant}, EVENT, "许可有效期即将届满", body, project_id=project.id, case_id=row.case_id)
        row.reminded = True
        add_event(session, row, "reminded", "system", now)
        count += 1
    return count


def any_to_remind(session: Session, now: datetime) -> bool:
    """Whether somebody would be told now; only reads."""
    today = now.astimezone(CHINA).date()
    return any(_due(session, licence_of(session, row.id), today) is not None for row in session.scalars(_near(today)).all())


def _near(today: date) -> Select[LicenceRow]:
    horizon = today + timedelta(days=REMIND_AHEAD * 4)
    statement = select(LicenceRow).where(LicenceRow.state == "valid", LicenceRow.reminded.is_(False))
    return statement.where(LicenceRow.valid_until.between(today, horizon)).order_by(LicenceRow.id)


def _due(session: Session, found: Licence, today: date) -> date | None:
    """The last day of an application when it is near, the licence holds and its term still matters; else None."""
    if found.valid_until is None or found.used or not found.effective:
        return None
    last = latest_application(session, found.item_code, found.valid_until)
    return last if last - timedelta(days=REMIND_AHEAD) <= today <= found.valid_until else None
