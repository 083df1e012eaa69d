"""The rail of stages: which stage has ended, runs or is to come, and how many working days of it the offices have used.

A stage is a subprocess of the life cycle with the property `stage`; its flows are the processes with the same property. Used days are
the working days on which at least one case of the stage's items was running on its clock, each day once: what the applicant (补正) or a
special procedure held does not count (审批用时, domain §3.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.definitions import process_model
from engine.store import reads
from engine.workcalendar import WorkCalendar
from handlers import lights
from handlers.cases.service import cases_of
from handlers.catalogue.service import catalogue
from handlers.clock.service import CaseClock, clocks_of, held_days
from handlers.lights import Light
from handlers.projects.service import Project


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


def stage_rail(session: Session, project: Project, clocks: Sequence[CaseClock], calendar: WorkCalendar, now: datetime) -> list[StageState]:
    """The four stages in order; 并行推进 runs beside them and is no part of the rail."""
    passages = _passages(session, project)
    limits = catalogue().stage_limits.get(project.variant or 0, {})
    rail = []
    for stage in catalogue().stages:
        if stage.code == "S5":
            continue
        entered, ended = passages.get(stage.code, (None, None))
        used = held_days((one for one in clocks if catalogue().item(one.item_code).stage == stage.code), calendar, _day(now))
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


def rail_clocks(session: Session, project_id: int, now: datetime) -> list[CaseClock]:
    """The clocks of the project's cases that belong to a stage of the rail; those of 并行推进 run beside it."""
    found = [case.id for case in cases_of(session, project_id) if catalogue().item(case.item_code).stage != "S5"]
    return list(clocks_of(session, found, now).values())


def _day(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()
