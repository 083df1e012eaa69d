"""Projects: registration, access, lists, milestones. The page of one project is handlers.board. The only import allowed from outside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.commands import start_instance
from engine.commands.environment import feel_environment
from engine.definitions import form_schema
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.forms import validate_submission
from engine.policy import Actor
from engine.store import definitions, reads
from engine.store import models as m
from handlers.cases.models import CaseRow
from handlers.catalogue.service import catalogue
from handlers.catalogue.versions import keep_version
from handlers.directory import service as directory
from handlers.projects.access import MAX_ID, project_row, visible_to
from handlers.projects.catalogue import catalogue_of, catalogue_version
from handlers.projects.milestones import (
    Milestone,
    correct_milestone,
    may_correct,
    may_register,
    milestones,
    milestones_of,
    plan_from_registration,
    plan_milestone,
    reach_by_item,
    record_milestone,
    register_milestone,
    told_day,
)
from handlers.projects.models import ProjectRow
from handlers.stages import stage_processes

__all__ = [
    "FORM",
    "LIFECYCLE",
    "MAX_ID",
    "PAGE",
    "STATES",
    "Milestone",
    "Page",
    "Project",
    "ProjectLine",
    "catalogue_of",
    "catalogue_version",
    "close_project",
    "code_exists",
    "correct_milestone",
    "find_project",
    "get_project",
    "ids_matching",
    "is_own",
    "list_projects",
    "local_day",
    "lock_project",
    "matches",
    "may_correct",
    "may_register",
    "milestones",
    "milestones_of",
    "plan_milestone",
    "project_names",
    "project_row",
    "reach_by_item",
    "record_milestone",
    "register_milestone",
    "register_project",
    "registration_form",
    "runs_definition",
    "set_code",
    "told_day",
    "visible_ids",
    "visible_to",
]

FORM = "project_registration"
LIFECYCLE = "project_lifecycle"
PAGE = 20

STATES = {"active": "在办", "completed": "办结", "terminated": "终止"}


@dataclass(frozen=True, slots=True)
class Project:
    """A project as registered. `data`: the registration form's values; `initiation_mode`: 审批, 核准 or 备案."""

    id: int
    code: str | None
    name: str
    organisation: str
    organisation_code: str
    applicant: str
    filed_by: str
    variant: int | None
    variant_name: str
    initiation_mode: str
    state: str
    state_name: str
    outcome: str
    data: dict[str, Any]
    lifecycle_key: int | None
    registered_at: datetime
    closed_at: datetime | None

    @property
    def on_behalf(self) -> bool:
        """Whether the window or an agent typed it in for the investor."""
        return self.applicant != self.filed_by


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """One line of the project list. `stages`: codes of the stages with live flows; `open_tasks`: how many tasks are open."""

    project: Project
    stages: tuple[str, ...]
    open_tasks: int
    next_due: datetime | None
    incidents: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of projects."""

    rows: list[ProjectLine]
    total: int
    page: int
    pages: int


# ---------------------------------------------------------------------- registration
def register_project(
    session: Session, actor: Actor, data: Mapping[str, Any], on_behalf_of: str | None = None, *, request: str = ""
) -> Project:
    """Register a project and start its life cycle.

    `request`: a word that the page made up; the same answers with the same word again (a second click, a repeated request) are the
    project that they were the first time.
    `data`: the registration form's submission {"project": {...}}. An investor registers for the own company; the window (power
    represent_owner) for the investor `on_behalf_of`. Raises FormInvalid (fields), Forbidden, Conflict (project code in use).
    """
    applicant = _applicant(session, actor, on_behalf_of)
    clean = validate_submission(registration_form(session), dict(data), {}, feel_environment(session))
    values: dict[str, Any] = clean.get("project") or {}
    code = values.get("xmdm") or None
    digest = _request_digest(actor, applicant, request, values) if request else None
    if digest is not None:
        directory.lock_user(session, actor.username)
        before = session.scalar(select(ProjectRow).where(ProjectRow.request_digest == digest))
        if before is not None:
            return _project(before)
    if code is not None and session.scalar(select(ProjectRow.id).where(ProjectRow.code == code)) is not None:
        raise Conflict(reason=f"项目代码 {code} 已登记过")
    row = ProjectRow(
        code=code,
        name=values.get("xmmc", ""),
        organisation=values.get("jsdw", ""),
        organisation_code=values.get("jsdwdm", ""),
        applicant=applicant,
        filed_by=actor.username,
        data=values,
        state="active",
        outcome="",
        confidential=False,
        registered_at=(now := clock.now()),
        request_digest=digest,
        catalogue_version=keep_version(session, now),
    )
    session.add(row)
    session.flush()
    plan_from_registration(session, row)
    variables = {"projectId": str(row.id), "project": values | {"code": code}, "applicant": applicant}
    row.lifecycle_key = start_instance(session, actor, LIFECYCLE, variables, business_id=str(row.id), owner=applicant)
    row.variant = _variant(session, row)
    session.flush()
    return _project(row)


def _request_digest(actor: Actor, applicant: str, request: str, values: Mapping[str, Any]) -> str:
    said = json.dumps([actor.username, applicant, request, values], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def _variant(session: Session, row: ProjectRow) -> int | None:
    """The variant that the life cycle's decision gave; None when the flow has not decided it."""
    variant = reads.variables(session, row.lifecycle_key).get("variant") if row.lifecycle_key is not None else None
    return int(variant) if variant is not None else None


def registration_form(session: Session) -> dict[str, Any]:
    """The form-js schema that registers a project; NotFound when none is deployed."""
    form = definitions.latest(session, "form", FORM)
    if form is None:
        raise NotFound(what="表单", key=FORM)
    return form_schema(session, form.key)


def _applicant(session: Session, actor: Actor, on_behalf_of: str | None) -> str:
    if on_behalf_of is None or on_behalf_of == actor.username:
        if directory.is_staff(actor):
            raise Forbidden(reason="工作人员不能以自己的名义申报项目，请选择代为申报的项目单位")
        return actor.username
    if not actor.can("represent_owner"):
        raise Forbidden(reason="只有综合窗口可以代项目单位申报")
    user = directory.get_user(session, on_behalf_of)
    if user is None or user.kind != "investor" or user.disabled:
        raise Invalid(reason=f"“{on_behalf_of}”不是项目单位的用户")
    return user.username


# ---------------------------------------------------------------------- reading
def get_project(session: Session, actor: Actor, project_id: int | str) -> Project:
    """A project; NotFound when there is none or the actor may not know of it."""
    return _project(project_row(session, actor, project_id))


def lock_project(session: Session, project_id: int | str) -> None:
    """What asks first and writes then, once for each project, takes its turn here: of two clicks the second sees what the first has done.

    Before anything else of the project is read in the transaction.
    """
    session.execute(select(ProjectRow.id).where(ProjectRow.id == int(project_id)).with_for_update())


def visible_ids(session: Session, actor: Actor, project_ids: Collection[str]) -> list[str]:
    """Those of the projects that the actor may see, as they were given; "" (no project) is kept."""
    numbers = {int(text) for text in project_ids if text.isascii() and text.isdecimal() and int(text) <= MAX_ID}
    seen = {str(number) for number in session.scalars(select(ProjectRow.id).where(ProjectRow.id.in_(numbers), visible_to(actor)))}
    return [text for text in project_ids if text in seen or not text]


def runs_definition(session: Session, actor: Actor, definition_key: int) -> bool:
    """Whether a project that the actor may see has run this version of a process."""
    used = and_(m.process_instance.c.business_id == _business_id(), m.process_instance.c.definition_key == definition_key)
    return session.scalar(select(ProjectRow.id).where(visible_to(actor), exists().where(used)).limit(1)) is not None


def find_project(session: Session, business_id: str | None) -> Project | None:
    """The project of an engine row's business id, None when it belongs to none. For callers that have checked access otherwise."""
    if business_id is None or not business_id.isdecimal():
        return None
    row = session.get(ProjectRow, int(business_id))
    return None if row is None else _project(row)


def is_own(session: Session, actor: Actor, business_id: str) -> bool:
    """Whether the actor is (of) the project's applicant or filed it."""
    project = find_project(session, business_id)
    return project is not None and (project.applicant in actor.owns | {actor.username} or project.filed_by == actor.username)


def list_projects(session: Session, actor: Actor, *, q: str = "", stage: str = "", state: str = "", page: int = 1) -> Page:
    """The visible projects, newest first, 20 to a page. `q`: name, code, company or case number; `stage`: S1.. with a live flow."""
    statement = _filtered(session, actor, q.strip(), stage, state)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    rows = session.scalars(statement.order_by(ProjectRow.id.desc()).limit(PAGE).offset((page - 1) * PAGE)).all()
    return Page(_lines(session, rows), total, page, pages)


def _filtered(session: Session, actor: Actor, q: str, stage: str, state: str) -> Select[ProjectRow]:
    statement = select(ProjectRow).where(visible_to(actor))
    if q:
        statement = statement.where(matches(q))
    if state:
        statement = statement.where(ProjectRow.state == state)
    if stage:
        in_stage = m.process_instance.c.process_id.in_(stage_processes(session).get(stage, frozenset()))
        live = and_(m.process_instance.c.business_id == _business_id(), m.process_instance.c.state == "ACTIVE", in_stage)
        statement = statement.where(exists().where(live))
    return statement


def matches(q: str) -> ColumnElement[bool]:
    """The SQL condition on `project` for a search word."""
    number = exists().where(CaseRow.project_id == ProjectRow.id, CaseRow.number.icontains(q, autoescape=True))
    columns = (ProjectRow.name, ProjectRow.code, ProjectRow.organisation)
    return or_(*(column.icontains(q, autoescape=True) for column in columns), number)


def ids_matching(session: Session, actor: Actor, q: str, limit: int) -> list[str]:
    """Ids of the newest visible projects that a search word finds, as process instances carry them in their business id."""
    statement = select(ProjectRow.id).where(visible_to(actor), matches(q)).order_by(ProjectRow.id.desc()).limit(limit)
    return [str(number) for number in session.scalars(statement)]


def _business_id() -> ColumnElement[str]:
    return func.cast(ProjectRow.id, m.process_instance.c.business_id.type)


def _lines(session: Session, rows: Any) -> list[ProjectLine]:
    ids = [str(row.id) for row in rows]
    tasks = {
        business: (count, due)
        for business, count, due in session.execute(
            select(m.user_task.c.business_id, func.count(), func.min(m.user_task.c.due_date))
            .where(m.user_task.c.business_id.in_(ids), m.user_task.c.state == "CREATED")
            .group_by(m.user_task.c.business_id)
        )
    }
    flows = select(m.process_instance.c.business_id, m.process_instance.c.process_id, m.process_instance.c.incidents)
    flows = flows.where(m.process_instance.c.business_id.in_(ids), m.process_instance.c.state == "ACTIVE")
    stage_of = {process: code for code, processes in stage_processes(session).items() for process in processes}
    stages: dict[str, set[str]] = {}
    incidents: dict[str, int] = {}
    for business, process, count in session.execute(flows):
        incidents[business] = incidents.get(business, 0) + count
        if process in stage_of:
            stages.setdefault(business, set()).add(stage_of[process])
    return [
        ProjectLine(
            _project(row),
            tuple(sorted(stages.get(str(row.id), ()))),
            *tasks.get(str(row.id), (0, None)),
            incidents.get(str(row.id), 0),
        )
        for row in rows
    ]


# ---------------------------------------------------------------------- what handlers record
def set_code(session: Session, project_id: int | str, code: str) -> None:
    """Give a project its code (赋码); Conflict when another project has it."""
    row = _row(session, project_id)
    taken = session.scalar(select(ProjectRow.id).where(ProjectRow.code == code, ProjectRow.id != row.id))
    if taken is not None:
        raise Conflict(reason=f"项目代码 {code} 已被使用")
    row.code = code
    session.flush()


def code_exists(session: Session, code: str) -> bool:
    """Whether a project has this code."""
    return session.scalar(select(ProjectRow.id).where(ProjectRow.code == code)) is not None


def close_project(session: Session, project_id: int | str, outcome: str, now: datetime) -> None:
    """The life cycle ended: outcome "completed" or the reason of the termination."""
    row = _row(session, project_id)
    row.state = "completed" if outcome == "completed" else "terminated"
    row.outcome, row.closed_at = outcome, now
    session.flush()


def project_names(session: Session, project_ids: set[int]) -> dict[int, str]:
    """Names of projects by id, for messages and lists whose access was checked otherwise."""
    rows = session.execute(select(ProjectRow.id, ProjectRow.name).where(ProjectRow.id.in_(project_ids)))
    return {row.id: row.name for row in rows}


def local_day(moment: datetime) -> date:
    """The calendar day of an instant in Beijing time."""
    return moment.astimezone(CHINA).date()


def _row(session: Session, project_id: int | str) -> ProjectRow:
    row = session.get(ProjectRow, int(project_id))
    if row is None:
        raise NotFound(what="项目", key=project_id)
    return row


def _project(row: ProjectRow) -> Project:
    return Project(
        id=row.id,
        code=row.code,
        name=row.name,
        organisation=row.organisation,
        organisation_code=row.organisation_code,
        applicant=row.applicant,
        filed_by=row.filed_by,
        variant=row.variant,
        variant_name=catalogue().variants.get(row.variant, "") if row.variant else "",
        initiation_mode=row.data.get("lxlx", ""),
        state=row.state,
        state_name=STATES.get(row.state, row.state),
        outcome=row.outcome,
        data=row.data,
        lifecycle_key=row.lifecycle_key,
        registered_at=row.registered_at,
        closed_at=row.closed_at,
    )
