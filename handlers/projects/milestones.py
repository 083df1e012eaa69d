"""The milestones of a project (R003): what the flows reach, what the window or an agent registers with evidence, and corrections of both.

A milestone that a flow reaches is never typed in. A correction changes a day that stands, by whoever answers for the dates, with a reason
that stays in the audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Forbidden, Invalid, NotFound
from engine.policy import Actor
from engine.store import audit
from handlers.catalogue.service import MilestoneKind, catalogue
from handlers.projects.access import project_row
from handlers.projects.models import MilestoneRow, ProjectRow

MOST_EVIDENCE, MOST_REASON = 200, 500
AGENTS = ("agent", "agent_mgr")
"""Roles of 帮办代办 that register what they did with the investor."""
CORRECTORS = ("tf_convener", "admin")
CORRECTED = "milestone.corrected"

Which = Literal["planned", "actual"]


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone with its planned and actual day; `delay_days` in calendar days, negative when early, None while not reached.

    `early`: 早落地, 早开工, 早建设, 早运营 or "". `registered`: people enter it with evidence, no flow does.
    """

    code: str
    name: str
    planned: date | None
    actual: date | None
    delay_days: int | None
    early: str = ""
    registered: bool = False
    basis: str = ""
    evidence: str = ""
    recorded_by: str = ""
    recorded_at: datetime | None = None


def plan_from_registration(session: Session, row: ProjectRow) -> None:
    """A row for every milestone, with the days that the registration form planned."""
    for kind in catalogue().milestones:
        planned = row.data.get(kind.planned_field) if kind.planned_field else None
        session.add(MilestoneRow(project_id=row.id, code=kind.code, planned=date.fromisoformat(planned[:10]) if planned else None))


def milestones(session: Session, project_id: int | str) -> list[Milestone]:
    """The milestones of a project in the catalogue's order. Ask for the project first: access is checked there."""
    return milestones_of(session, [int(project_id)])[int(project_id)]


def milestones_of(session: Session, project_ids: list[int]) -> dict[int, list[Milestone]]:
    """The milestones of several projects with one statement, by project."""
    rows = session.scalars(select(MilestoneRow).where(MilestoneRow.project_id.in_(project_ids)))
    found = {(row.project_id, row.code): row for row in rows}
    return {number: [_milestone(kind, found.get((number, kind.code))) for kind in catalogue().milestones] for number in project_ids}


def _milestone(kind: MilestoneKind, row: MilestoneRow | None) -> Milestone:
    row = row or MilestoneRow(evidence="", recorded_by="")
    return Milestone(
        kind.code,
        kind.name,
        row.planned,
        row.actual,
        (row.actual - row.planned).days if row.planned and row.actual else None,
        kind.early,
        kind.registered,
        kind.basis,
        row.evidence,
        row.recorded_by,
        row.recorded_at,
    )


# ---------------------------------------------------------------------- what flows reach
def record_milestone(session: Session, project_id: int | str, code: str, day: date, *, evidence: str = "", person: str = "") -> bool:
    """A milestone was reached -> whether it is news: the first day stays. NotFound for a milestone the catalogue does not have."""
    _kind(code)
    row = _row(session, int(project_id), code)
    if row.actual is not None:
        return False
    row.actual, row.evidence, row.recorded_by, row.recorded_at = day, evidence[:MOST_EVIDENCE], person, clock.now()
    session.flush()
    return True


def reach_by_item(session: Session, project_id: int | str, item_code: str, day: date, *, evidence: str, person: str) -> None:
    """An item was granted: the milestones that it proves are reached on this day."""
    for kind in catalogue().milestones:
        if item_code in kind.items:
            record_milestone(session, project_id, kind.code, day, evidence=evidence, person=person)


def told_day(code: str, variables: Mapping[str, Any]) -> date | None:
    """The day of a milestone as the flow's variables tell it (milestones.csv, `days`); None when they do not."""
    for path in _kind(code).days:
        value: Any = variables
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            return date.fromisoformat(value[:10])
    return None


# ---------------------------------------------------------------------- what people enter
def may_register(actor: Actor) -> bool:
    """Whether the actor enters milestones with evidence and plans them: the window and the agents."""
    return actor.can("represent_owner") or _has_role(actor, AGENTS)


def may_correct(actor: Actor) -> bool:
    """Whether the actor may correct days that stand: the task force's convener and the administrator."""
    return actor.can("administer") or _has_role(actor, CORRECTORS)


def register_milestone(session: Session, actor: Actor, project_id: int | str, code: str, day: date, evidence: str) -> Milestone:
    """Enter a milestone that no flow reaches (签约, 注册落户, 投产运营) with what proves it.

    Raises Forbidden, NotFound, Invalid: a day to come, no evidence, a milestone that a flow reaches, one that is entered already.
    """
    project = project_row(session, actor, project_id)
    if not may_register(actor):
        raise Forbidden(reason="里程碑由综合窗口或者帮办代办员核对凭证后登记")
    kind, evidence = _kind(code), evidence.strip()
    if not kind.registered:
        raise Invalid(reason=f"“{kind.name}”由流程自动登记，不能手工填写；确有错误的，请专班召集人更正")
    if not evidence or len(evidence) > MOST_EVIDENCE:
        raise Invalid(reason=f"请写明凭证：{kind.basis}的名称和编号（不超过 {MOST_EVIDENCE} 字）")
    if day > clock.now().astimezone(CHINA).date():
        raise Invalid(reason="日期不能在今天以后")
    if not record_milestone(session, project.id, code, day, evidence=evidence, person=actor.username):
        raise Invalid(reason=f"“{kind.name}”已经登记；确有错误的，请专班召集人更正")
    _tell(session, actor, "milestone.registered", project.id, {"milestone": code, "day": day.isoformat(), "evidence": evidence})
    return next(one for one in milestones(session, project.id) if one.code == code)


def plan_milestone(session: Session, actor: Actor, project_id: int | str, code: str, day: date) -> Milestone:
    """Plan a milestone that has no planned day yet, with the investor. Forbidden; Invalid when a day stands: that is a correction."""
    project = project_row(session, actor, project_id)
    if not may_register(actor):
        raise Forbidden(reason="计划日期由综合窗口或者帮办代办员与项目单位商定后登记")
    kind, row = _kind(code), _row(session, project.id, code)
    if row.planned is not None:
        raise Invalid(reason=f"“{kind.name}”已有计划日期，变更须由专班召集人写明理由")
    row.planned = day
    _tell(session, actor, "milestone.planned", project.id, {"milestone": code, "day": day.isoformat()})
    return next(one for one in milestones(session, project.id) if one.code == code)


def correct_milestone(
    session: Session, actor: Actor, project_id: int | str, code: str, which: Which, day: date | None, reason: str
) -> Milestone:
    """Correct a planned or actual day, None takes it away; the reason and the day before stay in the audit (R067).

    Raises Forbidden, NotFound, Invalid: no reason, an actual day to come.
    """
    project = project_row(session, actor, project_id)
    if not may_correct(actor):
        raise Forbidden(reason="日期由专班召集人或者系统管理员更正")
    reason = reason.strip()
    if not 2 <= len(reason) <= MOST_REASON:
        raise Invalid(reason=f"请写明更正的理由（2 到 {MOST_REASON} 字）")
    if which == "actual" and day is not None and day > clock.now().astimezone(CHINA).date():
        raise Invalid(reason="日期不能在今天以后")
    _kind(code)
    row = _row(session, project.id, code)
    before = row.planned if which == "planned" else row.actual
    if which == "planned":
        row.planned = day
    else:
        row.actual, row.recorded_by, row.recorded_at = day, actor.username, clock.now()
    data = {"milestone": code, "which": which, "before": before, "after": day, "reason": reason}
    _tell(session, actor, CORRECTED, project.id, {k: v.isoformat() if isinstance(v, date) else v for k, v in data.items()})
    return next(one for one in milestones(session, project.id) if one.code == code)


def _tell(session: Session, actor: Actor, action: str, project_id: int, data: dict[str, Any]) -> None:
    session.flush()
    audit.record(session, actor, action, business_id=str(project_id), data=data)
    session.info["changed"].add(str(project_id))


def _has_role(actor: Actor, roles: tuple[str, ...]) -> bool:
    return any(group.partition(".")[2] in roles for group in actor.groups)


def _kind(code: str) -> MilestoneKind:
    found = next((kind for kind in catalogue().milestones if kind.code == code), None)
    if found is None:
        raise NotFound(what="里程碑", key=code)
    return found


def _row(session: Session, project_id: int, code: str) -> MilestoneRow:
    row = session.get(MilestoneRow, (project_id, code), with_for_update=True)
    if row is None:
        if session.get(ProjectRow, project_id) is None:
            raise NotFound(what="项目", key=project_id)
        row = MilestoneRow(project_id=project_id, code=code)
        session.add(row)
    return row
