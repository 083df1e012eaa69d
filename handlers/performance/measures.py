"""The three measures of the city's plan (快审批、快落地、快开工; R005) for each project and on average.

审批用时: working days on which the offices held the project, each day once (the board's number). 落地用时: calendar days from 签约 to 拿地.
开工用时: calendar days from 拿地 to the construction permit. A measure belongs to the period in which it ended; one that still runs is
shown with its days so far and counts in no average of the two intervals. 审批用时 ends when the project ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.errors import Invalid
from engine.policy import Actor
from handlers.cases import service as cases
from handlers.cases.models import CaseRow
from handlers.catalogue.service import catalogue
from handlers.clock import service as clocks
from handlers.lights import Light, calendar_of, of_budget
from handlers.projects import service as projects
from handlers.projects.models import ProjectRow

CONSTRUCTION_PERMIT = "ZJ03"
PARALLEL = "S5"
"""并行推进 runs beside the main line and is no part of the hundred days."""
MOST_PROJECTS = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """`days` from `begin` to `end`, or to today while it runs (`end` None). None days: it has not begun."""

    begin: date | None
    end: date | None
    days: int | None

    @property
    def finished(self) -> bool:
        """Whether both ends are known."""
        return self.end is not None and self.days is not None


@dataclass(frozen=True, slots=True)
class ProjectMeasures:
    """One project. `approval`: working days used of `budget`; `approval_end`: the day on which the project ended, None while it runs."""

    project_id: int
    name: str
    organisation: str
    variant: str
    state_name: str
    approval: int
    approval_end: date | None
    budget: int
    light: Light
    landing: Interval
    starting: Interval


@dataclass(frozen=True, slots=True)
class Average:
    """The mean of finished measures, rounded half up to a tenth; None when there is none. `count`: of how many projects."""

    count: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Measures:
    """The projects with a measure in the period, and the averages of what ended in it; `running`: approval so far of those that run."""

    first: date
    last: date
    lines: list[ProjectMeasures]
    approval: Average
    running: Average
    landing: Average
    starting: Average
    over_budget: list[ProjectMeasures]


def measures(session: Session, actor: Actor, first: date, last: date) -> Measures:
    """The measures of the projects that the actor may see, in the period `first`..`last` (both included). Invalid when it ends before it
    begins.
    """
    if last < first:
        raise Invalid(reason="统计期间的结束日期不能早于开始日期")
    today = clock.now().astimezone(CHINA).date()
    lines = [line for line in _lines(session, actor, today) if _in_period(line, first, last, today)]
    ended = [line for line in lines if line.approval_end is not None]
    running = [line for line in lines if line.approval_end is None]
    return Measures(
        first,
        last,
        lines,
        average(line.approval for line in ended),
        average(line.approval for line in running),
        average(_finished((line.landing for line in lines), first, last)),
        average(_finished((line.starting for line in lines), first, last)),
        [line for line in lines if line.approval > line.budget],
    )


def average(days: Iterable[int]) -> Average:
    """The mean, exact until it is rounded: 0.05 goes up."""
    found = list(days)
    if not found:
        return Average(0, None)
    mean = Fraction(sum(found), len(found))
    return Average(len(found), int(mean * 10 + Fraction(1, 2)) / 10)


def _finished(intervals: Iterable[Interval], first: date, last: date) -> list[int]:
    return [one.days for one in intervals if one.days is not None and one.end is not None and first <= one.end <= last]


def _in_period(line: ProjectMeasures, first: date, last: date, today: date) -> bool:
    ends = [line.approval_end or today, line.landing.end, line.starting.end]
    return any(end is not None and first <= end <= last for end in ends)


def _lines(session: Session, actor: Actor, today: date) -> list[ProjectMeasures]:
    statement = select(ProjectRow).where(projects.visible_to(actor)).order_by(ProjectRow.id.desc()).limit(MOST_PROJECTS)
    rows = session.scalars(statement).all()
    ids = [row.id for row in rows]
    found = _cases(session, ids)
    calendar, now = calendar_of(session), clock.now()
    running = clocks.clocks_of(session, [case.id for case in found if catalogue().item(case.item_code).stage != PARALLEL], now)
    milestones = projects.milestones_of(session, ids)
    lines = []
    for row in rows:
        own = [case for case in found if case.project_id == row.id]
        held = clocks.held_days([running[case.id] for case in own if case.id in running], calendar, today)
        reached = {one.code: one.actual for one in milestones[row.id]}
        budget = clocks.project_budget()
        lines.append(
            ProjectMeasures(
                row.id,
                row.name,
                row.organisation,
                catalogue().variants.get(row.variant, "") if row.variant else "",
                projects.STATES.get(row.state, row.state),
                held,
                row.closed_at.astimezone(CHINA).date() if row.closed_at is not None else None,
                budget,
                of_budget(held, budget),
                interval(reached.get("signed"), reached.get("land"), today),
                interval(reached.get("land"), permit_day(own), today),
            )
        )
    return lines


def _cases(session: Session, project_ids: Sequence[int]) -> list[CaseRow]:
    return list(session.scalars(select(CaseRow).where(CaseRow.project_id.in_(project_ids)).order_by(CaseRow.id)))


def permit_day(own: Iterable[CaseRow]) -> date | None:
    """The day of the first construction permit among a project's cases."""
    granted = {cases.GRANTED, cases.GRANTED_WITH_TOLERANCE}
    decided = (c.decided_at for c in own if c.item_code == CONSTRUCTION_PERMIT and c.status in granted)
    return min((at.astimezone(CHINA).date() for at in decided if at is not None), default=None)


def interval(begin: date | None, end: date | None, today: date) -> Interval:
    """The calendar days from `begin` to `end`, to today while it runs; of an end without a beginning nothing is measured."""
    return Interval(begin, end, ((end or today) - begin).days if begin is not None else None)
