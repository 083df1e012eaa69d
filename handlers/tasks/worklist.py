"""The work list as one SQL query: boxes, search, filters, sorting, paging and counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, Row, Select, and_, case, cast, exists, false, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from engine import clock
from engine.definitions import process_definition
from engine.policy import Actor
from engine.store import models as m
from engine.store import reads
from engine.store.database import Instant
from handlers.cases.models import CaseRow
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.lights import GREY, Light, calendar_of, end_of_today, end_of_workday, of_due
from handlers.projects.models import ProjectRow
from handlers.stages import stage_of_process, stage_processes
from handlers.tasks.answers import result_of

Box = Literal["mine", "unit", "done", "started"]
BOXES: tuple[Box, ...] = ("mine", "unit", "done", "started")
PAGE = 20
LONGEST_LIMIT = 30
"""Limits of user tasks in working days that the yellow filter tells apart."""

task, root = m.user_task, m.process_instance.alias("root")


@dataclass(frozen=True, slots=True)
class WorkListQuery:
    """What to list. `due`: today, yellow, overdue or ""; `sort`: due, created or project; `page` from 1."""

    box: str = "mine"
    q: str = ""
    stage: str = ""
    unit: str = ""
    due: str = ""
    sort: str = "due"
    page: int = 1


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One user task in a list. `unit` is the office it belongs to ("" for an applicant's), `label` what it is about among several of one
    unit (property `label`), `result` the main answer once completed, `suspended` whether the case
    stands still."""

    key: int
    name: str
    state: str
    element_id: str
    process_id: str
    process_name: str
    stage: str
    project_id: int | None
    project_name: str
    project_code: str
    organisation: str
    unit: str
    unit_name: str
    label: str
    assignee: str | None
    assignee_name: str
    created_at: datetime
    claimed_at: datetime | None
    due_date: datetime | None
    light: Light
    completed_at: datetime | None
    completed_by: str | None
    result: str
    for_applicant: bool
    instance_key: int
    root_key: int
    suspended: bool


@dataclass(frozen=True, slots=True)
class WorkListPage:
    """One page of a box. `counts`: tasks per box, and per due filter (today, yellow, overdue) inside the asked box."""

    rows: list[TaskRow]
    total: int
    page: int
    pages: int
    counts: dict[str, int]


def work_list(session: Session, actor: Actor, query: WorkListQuery) -> WorkListPage:
    """The actor's tasks of one box, filtered, sorted and counted."""
    statement = _filtered(session, actor, query)
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(query.page, 1), pages)
    rows = session.execute(statement.order_by(*_order(query)).limit(PAGE).offset((page - 1) * PAGE)).all()
    return WorkListPage(task_rows(session, rows), total, page, pages, _counts(session, actor, query))


def _base() -> Select[Any]:
    return select(task).join(root, root.c.key == task.c.root_key).outerjoin(ProjectRow, _project_id() == task.c.business_id)


def _project_id() -> ColumnElement[str]:
    return cast(ProjectRow.id, task.c.business_id.type)


def _filtered(session: Session, actor: Actor, query: WorkListQuery) -> Select[Any]:
    conditions = [_box(actor, query.box)]
    if query.q.strip():
        conditions.append(_search(query.q.strip()))
    if query.stage:
        conditions.append(root.c.process_id.in_(stage_processes(session).get(query.stage, frozenset())))
    if query.unit:
        candidate = m.user_task_candidate
        of_unit = candidate.c.name.startswith(f"{query.unit}.", autoescape=True)
        conditions.append(exists().where(candidate.c.task_key == task.c.key, candidate.c.kind == "group", of_unit))
    if query.due:
        conditions.append(_due(session, query.due))
    return _base().where(*conditions)


def _box(actor: Actor, box: str) -> ColumnElement[bool]:
    """The tasks of a box; `mine` and `unit` only hold what the actor may really do, as engine.policy decides it."""
    is_open = task.c.state == "CREATED"
    if box == "done":
        return and_(task.c.state == "COMPLETED", task.c.completed_by == actor.username)
    own = actor.owns | {actor.username}
    if box == "started":
        return and_(is_open, or_(ProjectRow.applicant.in_(own), ProjectRow.filed_by == actor.username))
    if box == "unit":
        return and_(is_open, task.c.assignee.is_(None), reads.may_complete(actor), ~_did_an_earlier_part(actor))
    filed = ProjectRow.filed_by == actor.username if actor.can("represent_owner") else false()
    owners = and_(task.c.owner.is_not(None), task.c.assignee == task.c.owner, or_(task.c.owner.in_(own), filed))
    return and_(is_open, or_(task.c.assignee == actor.username, owners))


def _did_an_earlier_part(actor: Actor) -> ColumnElement[bool]:
    """Property `separateFrom`: the actor completed one of the named tasks under the same root (审核不是经办)."""
    earlier = m.user_task.alias("earlier")
    names = func.replace(task.c.properties["separateFrom"].as_string(), " ", "")
    named = ("," + names + ",").contains("," + func.replace(earlier.c.element_id, "_", "\\_") + ",", escape="\\")
    return exists().where(
        earlier.c.root_key == task.c.root_key, earlier.c.state == "COMPLETED", earlier.c.completed_by == actor.username, named
    )


def _search(word: str) -> ColumnElement[bool]:
    columns = (task.c.name, ProjectRow.name, ProjectRow.code, ProjectRow.organisation)
    number = exists().where(CaseRow.root_key == task.c.root_key, CaseRow.number.icontains(word, autoescape=True))
    return or_(*(column.icontains(word, autoescape=True) for column in columns), number)


def _due(session: Session, which: str) -> ColumnElement[bool]:
    now = clock.now()
    due = task.c.due_date
    if which == "overdue":
        return due < now
    if which == "today":
        return and_(due >= now, due < end_of_today(now))
    calendar = calendar_of(session)
    limit = func.coalesce(cast(task.c.properties["limit"].as_string(), Integer), 1)
    ends = [literal(end_of_workday(calendar, days, now), Instant()) for days in range(1, LONGEST_LIMIT // 5 + 1)]
    bounds = [(limit <= 5 * days, end) for days, end in enumerate(ends[:-1], 1)]
    return and_(due >= now, due <= case(*bounds, else_=ends[-1]))


def _order(query: WorkListQuery) -> list[ColumnElement[Any]]:
    if query.box == "done":
        return [task.c.completed_at.desc(), task.c.key.desc()]
    by_due = [task.c.due_date.is_(None), task.c.due_date, task.c.priority.desc(), task.c.key]
    if query.sort == "created":
        return [task.c.created_at.desc(), task.c.key.desc()]
    if query.sort == "project":
        return [ProjectRow.name.expression, ProjectRow.id.expression, *by_due]
    return by_due


def _counts(session: Session, actor: Actor, query: WorkListQuery) -> dict[str, int]:
    plain = WorkListQuery(box=query.box)
    asked: dict[str, Select[Any]] = {box: _filtered(session, actor, WorkListQuery(box=box)) for box in BOXES}
    asked |= {due: _filtered(session, actor, replace(plain, due=due)) for due in ("today", "yellow", "overdue")}
    columns = [select(func.count()).select_from(s.subquery()).scalar_subquery().label(name) for name, s in asked.items()]
    return dict(session.execute(select(*columns)).one()._mapping)


# ---------------------------------------------------------------------- rows
def task_rows(session: Session, rows: Iterable[Row[Any]]) -> list[TaskRow]:
    """Rows of the engine's user_task table as lists show them."""
    found = list(rows)
    businesses = {int(row.business_id) for row in found if row.business_id and row.business_id.isdecimal()}
    projects = {row.id: row for row in session.scalars(select(ProjectRow).where(ProjectRow.id.in_(businesses)))}
    names = directory.display_names(session, {name for row in found for name in (row.assignee, row.completed_by)})
    units = directory.unit_names(session)
    parent = aliased(root)
    columns = (parent.c.key, parent.c.definition_key, parent.c.suspended_at)
    roots = {row.key: row for row in session.execute(select(*columns).where(parent.c.key.in_({row.root_key for row in found})))}
    calendar = calendar_of(session)
    return [_task_row(session, row, projects, names, units, roots, calendar) for row in found]


def _task_row(
    session: Session,
    row: Row[Any],
    projects: dict[int, ProjectRow],
    names: dict[str, str],
    units: dict[str, str],
    roots: dict[int, Any],
    calendar: Any,
) -> TaskRow:
    project = projects.get(int(row.business_id)) if row.business_id and row.business_id.isdecimal() else None
    unit = unit_of(row)
    person = row.completed_by or row.assignee
    limit = row.properties.get("limit", "")
    return TaskRow(
        key=row.key,
        name=row.name or row.element_id,
        state=row.state,
        element_id=row.element_id,
        process_id=row.process_id,
        process_name=process_definition(session, roots[row.root_key].definition_key).name,
        stage=stage_of_process(session, roots[row.root_key].definition_key),
        project_id=project.id if project else None,
        project_name=project.name if project else "",
        project_code=project.code or "" if project else "",
        organisation=project.organisation if project else "",
        unit=unit,
        unit_name=units.get(unit, unit),
        label=_label(row.properties.get("label", "")),
        assignee=row.assignee,
        assignee_name=names.get(person or "", person or ""),
        created_at=row.created_at,
        claimed_at=row.claimed_at,
        due_date=row.due_date,
        light=of_due(calendar, row.due_date, int(limit) if limit.isdecimal() else None) if row.state == "CREATED" else GREY,
        completed_at=row.completed_at,
        completed_by=row.completed_by,
        result=result_of(row.submission),
        for_applicant=row.owner is not None and row.owner == row.assignee,
        instance_key=row.instance_key,
        root_key=row.root_key,
        suspended=row.state == "CREATED" and roots[row.root_key].suspended_at is not None,
    )


def _label(label: str) -> str:
    """A label that is an item's code is shown as the item's name."""
    item = catalogue().items.get(label)
    return item.name if item is not None else label


def unit_of(row: Row[Any]) -> str:
    """The office a task belongs to: its property `unit`, else the unit of its first candidate group; "" for an applicant's."""
    groups: list[str] = row.candidate_groups
    unit: str = row.properties.get("unit") or (groups[0].partition(".")[0] if groups else "")
    return unit
