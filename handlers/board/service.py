"""A project at a glance. The only import allowed from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from engine import clock
from engine.policy import Actor
from engine.store import reads
from handlers.board.events import AwaitedEvent, awaited_events, report_event
from handlers.board.lanes import Bar, Lane, lanes_of
from handlers.board.review import OPPOSED, Review, ReviewLine, reviews
from handlers.board.stages import StageState, rail_clocks, stage_rail
from handlers.clock import service as clocks
from handlers.lights import calendar_of
from handlers.projects import service as projects
from handlers.tasks.service import TaskRow, task_rows

__all__ = [
    "AwaitedEvent",
    "Bar",
    "Blocker",
    "Lane",
    "ProjectBoard",
    "Review",
    "ReviewLine",
    "StageState",
    "awaited_events",
    "board",
    "report_event",
    "reviews",
]

MOST_BLOCKERS = 8
SHORTEST_LEAD = timedelta(days=2)
NAMED_BLOCKERS = 3


@dataclass(frozen=True, slots=True)
class Blocker:
    """What the project waits for. `colour` is the light, `kind` task, event or incident."""

    colour: str
    title: str
    detail: str
    kind: str
    task_key: int | None = None
    unit: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProjectBoard:
    """The rail, the lanes on the axis `begin`..`end`, what is open, and how many working days were used of the project's budget."""

    project: projects.Project
    stages: list[StageState]
    lanes: list[Lane]
    blockers: list[Blocker]
    open_tasks: list[TaskRow]
    begin: datetime
    end: datetime
    now: datetime
    used: int
    limit: int | None
    span: int


def board(session: Session, actor: Actor, project_id: int | str) -> ProjectBoard:
    """The board of a project; NotFound when the actor may not see it."""
    project = projects.get_project(session, actor, project_id)
    now, calendar = clock.now(), calendar_of(session)
    raw = reads.tasks_of_business(session, str(project.id))
    tasks = task_rows(session, raw)
    instances = reads.instances_of_business(session, str(project.id))
    roots = [row for row in instances if row.root_key in (None, row.key) and row.key != project.lifecycle_key]
    held = rail_clocks(session, project.id, now)
    stages = stage_rail(session, project, held, calendar, now)
    lanes = lanes_of(roots, tasks, {row.key: row for row in raw}, now)
    open_tasks = [task for task in tasks if task.state == "CREATED"]
    begin, end = _axis(lanes, project, now)
    limits = [stage.limit for stage in stages if stage.limit is not None]
    last = (project.closed_at or now).astimezone(clock.CHINA).date()
    return ProjectBoard(
        project=project,
        stages=stages,
        lanes=lanes,
        blockers=_blockers(session, project, tasks),
        open_tasks=open_tasks,
        begin=begin,
        end=end,
        now=now,
        used=clocks.held_days(held, calendar, now.astimezone(clock.CHINA).date()),
        limit=clocks.project_budget() if limits else None,
        span=calendar.count_workdays(project.registered_at.astimezone(clock.CHINA).date(), last),
    )


def _axis(lanes: Sequence[Lane], project: projects.Project, now: datetime) -> tuple[datetime, datetime]:
    """The time that the board shows: what is being worked on now with a third of it before; of an ended project everything.

    It ends with the last due date or now, whichever is later.
    """
    first = min((bar.begin for lane in lanes for bar in lane.bars), default=project.registered_at)
    if project.closed_at is not None:
        return first, max([bar.end for lane in lanes for bar in lane.bars], default=project.closed_at)
    end = max([now, *(lane.due for lane in lanes if lane.due is not None and not lane.result)])
    working = [bar.begin for lane in lanes if lane.depth for bar in lane.bars]
    if not working:
        return first, end
    begin = min(working)
    return max(first, begin - max((end - begin) / 3, SHORTEST_LEAD)), end


def _blockers(session: Session, project: projects.Project, tasks: list[TaskRow]) -> list[Blocker]:
    """Incidents first, then objections in a running review, then open tasks by how little time is left, then awaited outside events."""
    open_tasks = [task for task in tasks if task.state == "CREATED"]
    found = [Blocker("red", "流程故障", row.message, "incident") for row in reads.incidents(session, business_id=str(project.id))]
    running = {(task.root_key, task.element_id) for task in open_tasks}
    found += [
        Blocker(
            "red", f"{task.unit_name} {task.result}", f"{task.name}，{task.assignee_name}", "task", task.key, task.unit, task.completed_at
        )
        for task in tasks
        if (task.root_key, task.element_id) in running and task.result.startswith(OPPOSED)
    ]
    found += _waiting(open_tasks)
    if not open_tasks and project.state == "active":
        waits = reads.subscriptions_of_business(session, str(project.id))
        found += [
            Blocker("blue", f"等待：{row.element_name}", "由项目单位或窗口登记后继续", "event", since=row.created_at)
            for row in waits
            if row.properties.get("outsideEvent") == "true" and row.properties.get("formId") != "withdrawal"
        ]
    return found[:MOST_BLOCKERS]


def _waiting(open_tasks: list[TaskRow]) -> list[Blocker]:
    """Open tasks, most urgent first; of a round with many silent units the first few by name, the others counted."""
    timed = sorted(open_tasks, key=lambda t: (t.due_date is None, t.due_date or t.created_at, t.key))
    shown: list[Blocker] = []
    silent: dict[tuple[int, str, str], list[TaskRow]] = {}
    for task in timed:
        group = silent.setdefault((task.root_key, task.element_id, task.light.words), [])
        group.append(task)
        if len(group) <= NAMED_BLOCKERS:
            shown.append(_task_blocker(task))
    for group in silent.values():
        rest = group[NAMED_BLOCKERS:]
        if rest:
            names = "、".join(task.unit_name for task in rest)
            shown.append(Blocker(rest[0].light.colour, f"另有 {len(rest)} 个单位未提交", f"{rest[0].name}：{names}", "task"))
    return shown


def _task_blocker(task: TaskRow) -> Blocker:
    if task.for_applicant:
        return Blocker("blue", f"项目单位：{task.name}", task.process_name, "task", task.key, "", task.created_at)
    who = f"{task.unit_name} 未签收" if task.assignee is None else f"{task.unit_name} {task.assignee_name}"
    colour = task.light.colour if task.light.colour != "grey" else "green"
    detail = f"{task.name}，{task.light.words}" if task.due_date is not None else task.name
    return Blocker(colour, who, detail, "task", task.key, task.unit, task.created_at)
