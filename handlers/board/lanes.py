"""Lanes: every flow of a project as a bar on one time axis, with its open tasks and the members of its latest round beneath it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from handlers.lights import GREY, Light
from handlers.tasks.service import TaskRow

QUEUED, PAUSED = "wait", "blue"


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time. `colour`: a light, "wait" (nobody has signed for it) or "blue" (waits for the applicant)."""

    colour: str
    begin: datetime
    end: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One line. `depth` 0 is a flow, 1 a task of it; `result` is the answer of a finished task or flow, `status` says how it stands."""

    title: str
    detail: str
    depth: int
    bars: tuple[Bar, ...]
    due: datetime | None
    light: Light | None
    result: str
    status: str
    root_key: int
    task_key: int | None = None
    unit: str = ""


def lanes_of(roots: Sequence[Row[Any]], tasks: Sequence[TaskRow], raw: Mapping[int, Row[Any]], now: datetime) -> list[Lane]:
    """The flows in the order of their start, running ones with their tasks."""
    lanes: list[Lane] = []
    for root in roots:
        own = [task for task in tasks if task.root_key == root.key and task.state != "CANCELED"]
        if not own:
            continue
        lanes.append(_flow_lane(root, own, now))
        if root.state == "ACTIVE":
            lanes += [_task_lane(task, raw[task.key], now) for task in _shown(own, raw)]
    return lanes


def _shown(tasks: list[TaskRow], raw: Mapping[int, Row[Any]]) -> list[TaskRow]:
    """The members of the latest round that is not over yet, one line a unit, and every other open task."""
    open_ones = [task for task in tasks if task.state == "CREATED"]
    members = [task for task in tasks if raw[task.key].properties.get("role") == "member"]
    running = {task.element_id for task in open_ones}
    latest: dict[tuple[str, str, str], TaskRow] = {}
    for task in sorted(members, key=lambda t: (t.created_at, t.key)):
        if task.element_id in running or not running:
            latest[task.element_id, task.unit or str(task.key), task.label] = task
    shown = list(latest.values())
    return shown + [task for task in open_ones if task not in shown]


def _flow_lane(root: Row[Any], tasks: list[TaskRow], now: datetime) -> Lane:
    open_ones = [task for task in tasks if task.state == "CREATED"]
    urgent = min((t for t in open_ones if t.due_date is not None), key=lambda t: (t.due_date, t.key), default=None)
    begin, end = root.started_at, root.ended_at or now
    light = urgent.light if urgent is not None else GREY
    office = light.colour if light.colour in {"yellow", "red"} and root.state == "ACTIVE" else "green"
    bars = [Bar(office, begin, end, "办理")]
    bars += [Bar(PAUSED, task.created_at, task.completed_at or now, f"等项目单位：{task.name}") for task in tasks if task.for_applicant]
    leads = [task.unit_name for task in open_ones if not task.for_applicant]
    steps = list(dict.fromkeys(task.name for task in open_ones))
    who = "项目单位" if not leads else "、".join(dict.fromkeys(leads)) if len(set(leads)) < 3 else f"{len(set(leads))} 个单位在办"
    ended = {"COMPLETED": "办结", "TERMINATED": "终止", "CANCELED": "终止"}.get(root.state, "")
    return Lane(
        title=tasks[0].process_name if tasks[0].instance_key == root.key else _name(tasks, root),
        detail=f"{'、'.join(steps[:2])} · {who}" if open_ones else "",
        depth=0,
        bars=tuple(bars),
        due=urgent.due_date if urgent is not None else None,
        light=light if open_ones and urgent is not None else None,
        result=ended,
        status=ended or "办理中",
        root_key=root.key,
    )


def _name(tasks: list[TaskRow], root: Row[Any]) -> str:
    return next((task.process_name for task in tasks if task.instance_key == root.key), str(root.process_id))


def _task_lane(task: TaskRow, raw: Row[Any], now: datetime) -> Lane:
    end = task.completed_at or now
    signed = task.claimed_at or (task.created_at if raw.assignee else None)
    bars = []
    if signed is None or signed > task.created_at:
        bars.append(Bar(QUEUED, task.created_at, min(signed or end, end), "未签收"))
    if signed is not None:
        colour = PAUSED if task.for_applicant else "green" if task.completed_at else _running(task.light)
        bars.append(Bar(colour, signed, end, "等项目单位" if task.for_applicant else "办理"))
    status = "已提交" if task.completed_at else "待填报" if task.for_applicant else "办理中" if signed else "未签收"
    return Lane(
        title=task.unit_name or "项目单位",
        detail=task.label if raw.properties.get("role") == "member" else task.name,
        depth=1,
        bars=tuple(bars),
        due=task.due_date,
        light=None if task.completed_at else task.light,
        result=task.result,
        status=status,
        root_key=task.root_key,
        task_key=task.key,
        unit=task.unit,
    )


def _running(light: Light) -> str:
    return light.colour if light.colour in {"yellow", "red"} else "green"
