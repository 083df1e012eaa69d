"""The rail of stages: which stage has ended, runs or is to come, and how many working days of it the offices have used.

A stage is a subprocess of the life cycle with the property `stage`; its flows are the processes with the same property. Used days are
the working days on which at least one task of an office was open: time in the applicant's hands does not count (审批用时).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.definitions import process_model
from engine.store import reads
from engine.workcalendar import WorkCalendar
from handlers import lights
from handlers.catalogue.service import catalogue
from handlers.lights import Light
from handlers.projects.service import Project
from handlers.tasks.service import TaskRow


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage. `state` is done, now, next or none (the project's variant has no such stage of its own); days are working days.

    `due` is when the limit ends if the offices go on working from today without a pause.
    """

    code: str
    name: str
    lead_unit: str
    state: str
    limit: int | None
    used: int
    entered_at: datetime | None
    ended_at: datetime | None
    due: date | None
    light: Light


def stage_rail(session: Session, project: Project, tasks: Sequence[TaskRow], calendar: WorkCalendar, now: datetime) -> list[StageState]:
    """The four stages in order; 并行推进 runs beside them and is no part of the rail."""
    passages = _passages(session, project)
    limits = catalogue().stage_limits.get(project.variant or 0, {})
    rail = []
    for stage in catalogue().stages:
        if stage.code == "S5":
            continue
        entered, ended = passages.get(stage.code, (None, None))
        used = used_days((task for task in tasks if task.stage == stage.code), calendar, now)
        limit = limits.get(stage.code)
        state = _state(entered, ended, limit, project)
        running = state == "now" and limit is not None and used <= limit
        due = calendar.add_workdays(_day(now), limit - used) if running and limit is not None else None
        rail.append(
            StageState(stage.code, stage.name, stage.lead_unit, state, limit, used, entered, ended, due, _light(state, used, limit))
        )
    return rail


def _passages(session: Session, project: Project) -> dict[str, tuple[datetime, datetime | None]]:
    """Stage code -> when the life cycle entered it (first) and left it (None while inside)."""
    if project.lifecycle_key is None:
        return {}
    model = process_model(session, reads.instance(session, project.lifecycle_key).definition_key)
    found: dict[str, tuple[datetime, datetime | None]] = {}
    for passage in reads.element_history(session, project.lifecycle_key):
        element = model.elements.get(passage.element_id)
        code = element.properties.get("stage") if element is not None else None
        if code:
            first = found[code][0] if code in found else passage.entered_at
            found[code] = (first, passage.ended_at)
    return found


def _state(entered: datetime | None, ended: datetime | None, limit: int | None, project: Project) -> str:
    if entered is None:
        return "none" if limit is None and project.variant else "next"
    return "now" if ended is None else "done"


def _light(state: str, used: int, limit: int | None) -> Light:
    if state == "done":
        return Light("green", "办结") if limit is None or used <= limit else Light("red", f"办结，超 {used - limit}")
    if state == "now":
        return lights.of_budget(used, limit) if limit is not None else Light("green", "办理中")
    return Light("grey", "不单设" if state == "none" else "未开始")


def used_days(tasks: Iterable[TaskRow], calendar: WorkCalendar, now: datetime) -> int:
    """Working days covered by at least one office task; the day on which a task was opened does not count (民法典 第二百零一条)."""
    spans = sorted((_day(t.created_at), _day(t.completed_at or now)) for t in tasks if not t.for_applicant and t.state != "CANCELED")
    total = 0
    covered: date | None = None
    for begin, end in spans:
        start = begin if covered is None or begin > covered else covered
        if end > start:
            total += calendar.count_workdays(start, end)
            covered = end
    return total


def _day(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()
