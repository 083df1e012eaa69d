"""What the project screens show, put into words and positions for the templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine import policy
from engine.definitions import process_model
from engine.policy import Actor
from engine.store import reads
from handlers import lights
from handlers.board import service as boards
from handlers.board.service import Bar, Lane, ProjectBoard, StageState
from handlers.cases import service as cases
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.materials import service as materials
from handlers.projects import service as projects
from handlers.tasks import service as tasks
from webapp import clock_screen
from webapp.rendering import day, instant, number, result_colour, when

FACTS = (
    ("jsdwdm", "统一社会信用代码"),
    ("tzly", "投资来源"),
    ("jsxz", "建设性质"),
    ("gnyt", "主要用途"),
    ("tdhqfs", "土地获取方式"),
    ("jsdd", "建设地点"),
    ("lxr", "联系人"),
    ("lxrdh", "联系电话"),
)
"""Fields of the registration form that the project page shows, with their labels there."""

SHARING = {materials.READ, "material.reused"}
MOST_SHARED = 100
SHORTEST_BAR = 0.8
"""Per cent of the axis: a bar of a minute can still be seen and pointed at."""
AXIS_MARGIN = 1.03
"""The axis goes on a little after its last instant, so that a due date does not touch the words beside it."""
TICKS = 6
MOST_CONTACTS = 3
"""With more units at work at once, the stage's lead unit is named instead."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A bar on the axis, in per cent."""

    colour: str
    left: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One line of the parallel board. `mark`: the due date in per cent; `tag` is shown in `colour`, as a light when `lit`."""

    lane: Lane
    bars: list[Stretch]
    mark: float | None
    tag: str
    colour: str
    lit: bool
    why: str
    url: str


@dataclass(frozen=True, slots=True)
class StageCell:
    """One cell of the rail."""

    name: str
    state: str
    colour: str
    words: str
    why: str
    percent: int
    fill: str
    detail: str


def overview(session: Session, actor: Actor, project_id: int) -> dict[str, Any]:
    """The parts of the project page that change while people work: rail, lanes, blockers, milestones, documents, my tasks."""
    shown = boards.board(session, actor, project_id)
    simple = not directory.is_staff(actor)
    mine = my_tasks(session, actor, shown)
    found = cases.cases_of(session, project_id)
    reached = projects.milestones(session, project_id)
    return {
        "project": shown.project,
        "board": shown,
        "simple": simple,
        "stages": [_stage(stage) for stage in shown.stages],
        "total_light": _total(shown),
        "lanes": [lane_row(lane, shown, simple=simple) for lane in shown.lanes if not _is_past(lane, shown)],
        "past": [_past(lane) for lane in shown.lanes if _is_past(lane, shown)],
        "ticks": _ticks(shown),
        "blockers": [] if simple else shown.blockers,
        "mine": mine,
        "milestones": _milestones(reached),
        "early": [one for one in reached if one.early],
        "documents": documents.documents_of(session, project_id, actor=actor),
        "cases": found,
        "case_lights": clock_screen.lights_of(session, found),
        "reviews": [] if simple else boards.reviews(session, actor, project_id),
        "working": _working(shown) if simple else [],
        "contacts": _contacts(session, shown) if simple else [],
    }


def my_tasks(session: Session, actor: Actor, shown: ProjectBoard) -> list[tasks.TaskRow]:
    """The open tasks of the project that this person could do now."""
    found = []
    for task in shown.open_tasks:
        facts = reads.task_facts(session, reads.get_task(session, task.key))
        if policy.refusal(actor, "complete", facts) is None:
            found.append(task)
    return sorted(found, key=lambda t: (t.due_date is None, t.due_date or t.created_at))


def _working(shown: ProjectBoard) -> list[dict[str, Any]]:
    """Who has the project now, for the applicant: one line for each step, its units together."""
    found: dict[tuple[str, str], list[tasks.TaskRow]] = {}
    for task in shown.open_tasks:
        if not task.for_applicant:
            found.setdefault((task.process_name, task.name), []).append(task)
    return [
        {
            "step": name,
            "flow": flow,
            "units": "、".join(dict.fromkeys(task.unit_name for task in group)),
            "light": min((task.light for task in group), key=lambda light: (light.days is None, light.days or 0)),
        }
        for (flow, name), group in found.items()
    ]


def _stage(stage: StageState) -> StageCell:
    limit = stage.limit or 0
    percent = min(100, round(100 * stage.used / limit)) if limit else (100 if stage.state == "done" else 0)
    if stage.state == "done":
        percent = 100
    parts = [_("%(used)s / %(limit)s 工作日", used=stage.used, limit=limit) if limit else ""] if stage.state in {"done", "now"} else []
    if stage.state == "done":
        parts.append(_("%(day)s 完成", day=day(stage.ended_at)))
    elif stage.state == "now":
        parts.append(_("%(day)s 到期", day=day(stage.due)) if stage.due else "")
    elif stage.state == "next" and limit:
        parts.append(_("限 %(n)s 工作日", n=limit))
    elif stage.state == "none":
        parts.append(_("并入相邻阶段"))
    fill = {"yellow": "bg-yellow", "red": "bg-red"}.get(stage.light.colour, "bg-green")
    return StageCell(
        stage.name, stage.state, stage.light.colour, stage.light.words, stage.light.why, percent, fill, " · ".join(p for p in parts if p)
    )


def _total(shown: ProjectBoard) -> dict[str, Any]:
    light = lights.of_budget(shown.used, shown.limit) if shown.limit else lights.GREY
    return {"used": shown.used, "limit": shown.limit, "span": shown.span, "light": light}


def lane_row(lane: Lane, shown: ProjectBoard, *, simple: bool = False) -> LaneRow:
    """A lane with its bars placed on the board's axis. `simple`: applicants see that a unit is working, not what it said."""
    total = max((shown.end - shown.begin).total_seconds(), 3600.0) * AXIS_MARGIN

    def place(moment: datetime) -> float:
        return round(100 * max(0.0, min(1.0, (moment - shown.begin).total_seconds() / total)), 2)

    bars = [_stretch(bar, place(bar.begin), place(bar.end)) for bar in lane.bars if bar.end > shown.begin]
    mark = place(lane.due) if lane.due is not None and not lane.result else None
    tag, colour, lit = _status(lane, simple=simple)
    why = lane.light.why if lane.light is not None else ""
    url = url_for("task.show", key=lane.task_key) if lane.task_key is not None and not simple else ""
    return LaneRow(lane, bars, mark, tag, colour, lit, why, url)


def _is_past(lane: Lane, shown: ProjectBoard) -> bool:
    """Whether a flow ended before the axis begins; of an ended project nothing is past."""
    return lane.depth == 0 and bool(lane.result) and all(bar.end <= shown.begin for bar in lane.bars)


def _past(lane: Lane) -> dict[str, Any]:
    begin, end = min(bar.begin for bar in lane.bars), max(bar.end for bar in lane.bars)
    return {"title": lane.title, "begin": begin, "end": end, "result": lane.result}


def _stretch(bar: Bar, left: float, right: float) -> Stretch:
    width = max(right - left, SHORTEST_BAR)
    return Stretch(f"bg-{bar.colour}", min(left, 100 - width), width, f"{bar.words} {when(bar.begin)} – {when(bar.end)}")


def _status(lane: Lane, *, simple: bool) -> tuple[str, str, bool]:
    """(words, colour, whether it is a light): a result, what is left, or how it stands."""
    if lane.result and simple and lane.depth:
        return _("已提交"), "green", False
    if lane.result:
        return lane.result, "green" if lane.result == "办结" else "grey" if lane.result == "终止" else result_colour(lane.result), False
    if lane.status == "未签收":
        overdue = lane.light is not None and lane.light.colour == "red"
        return lane.status, "red" if overdue else "grey", False
    if lane.light is not None and lane.light.days is not None:
        return lane.light.words.replace(" 工作日", ""), lane.light.colour, True
    return lane.status, "blue" if lane.status == "待填报" else "grey", False


def _ticks(shown: ProjectBoard) -> list[tuple[float, str]]:
    """Dates along the axis: the first day of each of about six equal pieces."""
    length = shown.end - shown.begin
    if length < timedelta(days=1):
        return [(0.0, day(shown.begin))]
    return [(round(100 * i / TICKS, 2), day(shown.begin + length * i / TICKS)) for i in range(TICKS)]


def _milestones(reached: list[projects.Milestone]) -> list[dict[str, Any]]:
    """The milestones as steps of a timeline; the one after the last that was reached is the present one."""
    steps: list[dict[str, Any]] = []
    ahead = max((index for index, milestone in enumerate(reached) if milestone.actual is not None), default=-1) + 1
    for index, milestone in enumerate(reached):
        state = "done" if milestone.actual else "now" if index == ahead else "next"
        detail = day(milestone.actual) if milestone.actual else _("计划 %(day)s", day=day(milestone.planned)) if milestone.planned else ""
        if milestone.delay_days:
            late = milestone.delay_days > 0
            detail += "，" + (_("晚 %(n)s 日", n=milestone.delay_days) if late else _("早 %(n)s 日", n=-milestone.delay_days))
        steps.append({"state": state, "title": milestone.name, "detail": detail, "at": None, "who": ""})
    return steps


def _contacts(session: Session, shown: ProjectBoard) -> list[dict[str, str]]:
    """Whom the applicant may ask: the window, then the units that have the project now."""
    names = directory.unit_names(session)
    groups = [("XZSPJ.window", _("综合窗口"))]
    units = list(dict.fromkeys(task.unit for task in shown.open_tasks if task.unit and not task.for_applicant))
    leads = [stage.lead_unit for stage in shown.stages if stage.state == "now" and stage.lead_unit]
    groups += [(f"{unit}.handler", _("经办")) for unit in (units if len(units) <= MOST_CONTACTS else leads)]
    found = []
    for group, role in groups:
        people = directory.users_in_group(session, group)
        unit = group.partition(".")[0]
        found.append({"unit": names.get(unit, unit), "role": str(role), "people": "、".join(p.display_name for p in people[:2])})
    return found


def header(project: projects.Project) -> dict[str, Any]:
    """The project's head: tags and the line under its name."""
    data = project.data
    tags = [(project.state_name, "green" if project.state == "completed" else "grey")] if project.state != "active" else []
    if project.initiation_mode:
        tags.append((f"{project.initiation_mode}制", "blue"))
    if project.on_behalf:
        tags.append((_("窗口代办"), "blue"))
    line = [project.organisation, project.variant_name]
    if data.get("ztze"):
        line.append(_("总投资 %(n)s 万元", n=number(data["ztze"])))
    return {"tags": tags, "line": [part for part in line if part], "facts": _facts(data)}


def _facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(label, _words(data[key])) for key, label in FACTS if data.get(key) not in (None, "", [])]


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(_words(item) for item in value)
    if isinstance(value, dict):
        return " ".join(_words(item) for item in value.values())
    return "是" if value is True else "否" if value is False else str(value)


def diagrams(session: Session, shown: ProjectBoard) -> list[dict[str, Any]]:
    """The life cycle and every flow with where it stands, running ones first."""
    found = []
    for row in reads.instances_of_business(session, str(shown.project.id)):
        is_root = row.root_key in (None, row.key)
        if not is_root and row.state != "ACTIVE":
            continue
        state = tasks.diagram_state(session, row.key)
        found.append(
            {
                "key": row.key,
                "name": process_model(session, row.definition_key).name,
                "active": row.state == "ACTIVE",
                "lifecycle": row.key == shown.project.lifecycle_key,
                "url": url_for("diagrams.show", definition_key=row.definition_key),
                "state": {"done": state.done, "active": state.active, "failed": state.failed, "coming": state.coming},
            }
        )
    return sorted(found, key=lambda d: (not d["lifecycle"], not d["active"], d["key"]))


def history(session: Session, actor: Actor, project_id: int) -> list[dict[str, Any]]:
    """What happened, newest first: who did what, from which unit, with which result."""
    done = [row for row in reads.tasks_of_business(session, str(project_id)) if row.state == "COMPLETED"]
    names = directory.unit_names(session)
    simple = not directory.is_staff(actor)
    entries = [
        {
            "at": task.completed_at,
            "title": task.name,
            "flow": task.process_name,
            "who": task.assignee_name,
            "unit": task.unit_name or _("项目单位"),
            "result": "" if simple and not task.for_applicant else task.result,
        }
        for task in tasks.task_rows(session, done)
    ]
    entries += _reported(session, project_id)
    for case in cases.cases_of(session, project_id):
        for event in cases.case_history(session, case.id):
            entries.append(
                {
                    "at": event.at,
                    "title": _("办件状态：%(name)s", name=event.status_name),
                    "flow": case.item_name,
                    "who": "",
                    "unit": names.get(event.unit, event.unit),
                    "result": "",
                }
            )
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def _reported(session: Session, project_id: int) -> Iterable[dict[str, Any]]:
    """Outside events that were reported."""
    rows = [row for row in reads.audit_of_business(session, str(project_id)) if row.action == "event.reported"]
    people = directory.display_names(session, [row.actor for row in rows])
    for row in rows:
        yield {
            "at": row.business_at,
            "title": row.data.get("name", ""),
            "flow": _("外部事件"),
            "who": people.get(row.actor, row.actor),
            "unit": "",
            "result": "",
        }


def sharing_log(session: Session, project_id: int) -> list[dict[str, Any]]:
    """Who of the offices read or reused which material, newest first; the offices and the applicant may know."""
    found = [event for event in reads.audit_of_business(session, str(project_id)) if event.action in SHARING]
    people = directory.display_names(session, [event.actor for event in found])
    return [
        {
            "at": event.business_at,
            "who": people.get(event.actor, event.actor),
            "what": _("读取") if event.action == materials.READ else _("确认复用"),
            "item": event.data.get("item") if event.action == materials.READ else event.data.get("name"),
            "source": event.data.get("source") or "",
        }
        for event in sorted(found, key=lambda event: event.id, reverse=True)[:MOST_SHARED]
    ]


def material_rows(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The uploaded files, newest version of each material first."""
    found = materials.materials_of(session, project_id)
    people = directory.display_names(session, [material.uploaded_by for material in found])
    return [
        {
            "item": material.item,
            "name": material.filename,
            "size": material.size,
            "version": material.version,
            "by": people.get(material.uploaded_by, material.uploaded_by),
            "at": material.uploaded_at,
            "url": url_for("materials.download", number=material.id),
            "preview": url_for("materials.preview", number=material.id) if material.kind in materials.PREVIEWED else "",
        }
        for material in found
    ]


def stage_names(codes: Iterable[str]) -> list[str]:
    """Stage names for their codes."""
    return [catalogue().stage_names.get(code, code) for code in codes]


def as_of(shown: ProjectBoard) -> str:
    """The instant that the board shows, for print."""
    moment = instant(shown.now)
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else ""
