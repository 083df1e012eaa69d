"""The board of a project: stages as a rail, flows in parallel as lanes, what blocks, milestones. Everything is read, nothing kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.definitions import process_model
from engine.policy import Actor
from engine.store import reads
from handlers.board.days import held_days
from handlers.cases.service import Case, cases_of
from handlers.catalogue.service import Catalogue, catalogue
from handlers.directory import service as directory
from handlers.documents.service import Document, documents_of
from handlers.lights import GREY, Light, calendar_of, of_budget
from handlers.projects import service as projects
from handlers.stages import stage_of_process
from handlers.tasks.service import DiagramState, TaskRow, diagram_state, task_rows

BUDGET = 100
"""Working days for all stages together (the plan's 全流程审批时间压缩至100个工作日内)."""
LIFECYCLE = projects.LIFECYCLE


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage on the rail: `state` is done, active, coming or merged (its days are part of another stage's limit)."""

    code: str
    name: str
    lead_unit: str
    state: str
    limit: int | None
    used: int
    light: Light
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One flow of the project. `state`: active, done, denied or ended; `members`: its parallel opinions, the latest of each member;
    `tasks`: what is open now; `since`..`until` its bar."""

    key: int
    process_id: str
    definition_key: int
    name: str
    stage: str
    unit: str
    unit_name: str
    state: str
    words: str
    light: Light
    case: Case | None
    since: datetime
    until: datetime | None
    due: datetime | None
    tasks: list[TaskRow]
    members: list[Member]


@dataclass(frozen=True, slots=True)
class Member:
    """One unit of a joint review or acceptance: `state` is done, doing or unclaimed; `earlier` its results of former rounds."""

    unit: str
    unit_name: str
    label: str
    state: str
    person: str
    result: str
    light: Light
    since: datetime
    claimed_at: datetime | None
    ended_at: datetime | None
    due: datetime | None
    task_key: int
    earlier: list[str]


@dataclass(frozen=True, slots=True)
class Blocking:
    """现在卡在哪里: who holds what since when, the longest wait first. `kind`: unclaimed, doing, applicant, event, special or incident."""

    kind: str
    who: str
    what: str
    days: int
    since: datetime
    light: Light
    task_key: int | None


@dataclass(frozen=True, slots=True)
class ProjectBoard:
    """Everything the project page shows."""

    project: projects.Project
    stages: list[StageView]
    lanes: list[Lane]
    blocking: list[Blocking]
    milestones: list[projects.Milestone]
    cases: list[Case]
    documents: list[Document]
    used_days: int
    span_days: int
    budget: int
    light: Light
    lifecycle: DiagramState | None


def board(session: Session, actor: Actor, project_id: int | str) -> ProjectBoard:
    """The board of a project; NotFound when the actor may not know of it."""
    project = projects.get_project(session, actor, project_id)
    facts = _Facts(session, project)
    stages = facts.stages()
    used = len(facts.used(facts.cases))
    calendar = calendar_of(session)
    end = (project.closed_at or clock.now()).astimezone(CHINA).date()
    lanes = facts.lanes()
    return ProjectBoard(
        project=project,
        stages=stages,
        lanes=lanes,
        blocking=facts.blocking(lanes),
        milestones=projects.milestones(session, project.id),
        cases=facts.cases,
        documents=documents_of(session, project.id),
        used_days=used,
        span_days=calendar.count_workdays(project.registered_at.astimezone(CHINA).date(), end),
        budget=BUDGET,
        light=of_budget(used, BUDGET),
        lifecycle=diagram_state(session, project.lifecycle_key) if project.lifecycle_key is not None else None,
    )


class _Facts:
    """What the parts of one board share, read once."""

    def __init__(self, session: Session, project: projects.Project) -> None:
        self.session, self.project, self.calendar = session, project, calendar_of(session)
        self.catalogue: Catalogue = catalogue()
        self.names = directory.unit_names(session)
        self.cases = cases_of(session, project.id)
        self.now = clock.now()
        self.today = self.now.astimezone(CHINA).date()
        business = str(project.id)
        self.instances = reads.instances_of_business(session, business)
        self.rows = reads.tasks_of_business(session, business)
        self.tasks = {row.key: row for row in task_rows(session, self.rows)}
        self.roots = [row for row in self.instances if row.parent_key is None and row.process_id != LIFECYCLE]
        self.stage_of_root = {row.key: stage_of_process(session, row.definition_key) for row in self.roots}

    def used(self, cases: Sequence[Case]) -> set[Any]:
        return held_days(self.session, self.calendar, cases, self.today)

    # ------------------------------------------------------------------ stages
    def stages(self) -> list[StageView]:
        """The stages of this variant; one without its own limit shares the limit of the stage it is merged with."""
        limits = self.catalogue.stage_limits.get(self.project.variant or 0, {})
        spans = self._stage_spans()
        result = []
        for stage in self.catalogue.stages:
            if stage.code not in spans and stage.code not in limits:
                continue
            limit = limits.get(stage.code)
            started, ended, active = spans.get(stage.code, (None, None, False))
            cases = [case for case in self.cases if self.stage_of_root.get(case.root_key) == stage.code]
            used = len(self.used(cases))
            state = "active" if active else "done" if ended else "coming"
            result.append(
                StageView(
                    code=stage.code,
                    name=stage.name,
                    lead_unit=stage.lead_unit,
                    state=state,
                    limit=limit,
                    used=used,
                    light=self._stage_light(state, used, limit),
                    started_at=started,
                    ended_at=None if active else ended,
                )
            )
        return result

    def _stage_spans(self) -> dict[str, tuple[datetime, datetime | None, bool]]:
        """Stage -> (first entered, last ended, active now), from the life cycle's subprocesses with the property `stage`."""
        if self.project.lifecycle_key is None:
            return {}
        instance = reads.instance(self.session, self.project.lifecycle_key)
        elements = process_model(self.session, instance.definition_key).elements
        spans: dict[str, tuple[datetime, datetime | None, bool]] = {}
        for passage in reads.element_history(self.session, instance.key):
            element = elements.get(passage.element_id)
            stage = element.properties.get("stage") if element is not None else None
            if stage:
                first = spans[stage][0] if stage in spans else passage.entered_at
                spans[stage] = (first, passage.ended_at, passage.state == "ACTIVE")
        return spans

    @staticmethod
    def _stage_light(state: str, used: int, limit: int | None) -> Light:
        if limit is None:
            return Light("grey", "并入合并阶段") if state == "coming" else Light("green", f"已用 {used}")
        if state == "coming":
            return Light("grey", "未开始", f"时限 {limit} 个工作日")
        light = of_budget(used, limit)
        return light if state == "active" or light.colour == "red" else Light("green", "办结", light.why)

    # ------------------------------------------------------------------ lanes
    def lanes(self) -> list[Lane]:
        """Live flows first, then what is done, each in the order of starting."""
        found = [self._lane(row) for row in self.roots]
        return [lane for lane in found if lane.state == "active"] + [lane for lane in found if lane.state != "active"]

    def _lane(self, row: Row[Any]) -> Lane:
        model = process_model(self.session, row.definition_key)
        under = [task for task in self.tasks.values() if task.root_key == row.key]
        cases = [case for case in self.cases if case.root_key == row.key]
        case = cases[-1] if cases else None
        item = self.catalogue.items.get(case.item_code) if case else None
        unit = case.unit if case else item.unit if item else ""
        open_tasks = sorted((t for t in under if t.state == "CREATED"), key=lambda t: (t.due_date is None, t.due_date, t.key))
        due = next((t.due_date for t in open_tasks if t.due_date is not None), None)
        light, words, state = self._standing(row, case, open_tasks)
        return Lane(
            key=row.key,
            process_id=row.process_id,
            definition_key=row.definition_key,
            name=model.name or row.process_id,
            stage=self.stage_of_root.get(row.key, ""),
            unit=unit,
            unit_name=self.names.get(unit, unit),
            state=state,
            words=words,
            light=light,
            case=case,
            since=row.started_at,
            until=row.ended_at,
            due=due if state == "active" else None,
            tasks=open_tasks,
            members=self._members(row.key, under),
        )

    def _standing(self, row: Row[Any], case: Case | None, open_tasks: list[TaskRow]) -> tuple[Light, str, str]:
        """(light, words, state) of a flow: what its nearest task says, or how it ended."""
        if row.state != "ACTIVE":
            words = case.status_name if case else "办结" if row.state == "COMPLETED" else "终止"
            denied = case is not None and case.result == "denied"
            colour = "red" if denied else "green" if row.state == "COMPLETED" else "grey"
            return Light(colour, words), words, "denied" if denied else "done" if row.state == "COMPLETED" else "ended"
        if case is not None and case.status == 9:
            return Light("blue", "特别程序", "特别程序期间不计入审批用时（行政许可法第四十五条）"), "特别程序", "active"
        if not open_tasks:
            return Light("blue", "等待"), "等待登记或其他流程", "active"
        first = open_tasks[0]
        words = f"{first.unit_name or '申请人'} {first.name}"
        return first.light, words, "active"

    def _members(self, root_key: int, under: list[TaskRow]) -> list[Member]:
        roles = {row.key: row.properties.get("role") for row in self.rows if row.root_key == root_key}
        labels = {row.key: row.properties.get("label", "") for row in self.rows if row.root_key == root_key}
        by_member: dict[tuple[str, str, str], list[TaskRow]] = {}
        for task in under:
            if roles.get(task.key) == "member" and task.state in ("CREATED", "COMPLETED"):
                by_member.setdefault((task.element_id, task.unit, labels.get(task.key, "")), []).append(task)
        result = []
        for (_element, unit, label), tasks in by_member.items():
            tasks.sort(key=lambda t: (t.created_at, t.key))
            last = tasks[-1]
            state = "done" if last.state == "COMPLETED" else "doing" if last.assignee else "unclaimed"
            result.append(
                Member(
                    unit=unit,
                    unit_name=self.names.get(unit, unit),
                    label=label,
                    state=state,
                    person=last.assignee_name,
                    result=last.result,
                    light=last.light,
                    since=last.created_at,
                    claimed_at=last.claimed_at,
                    ended_at=last.completed_at,
                    due=last.due_date,
                    task_key=last.key,
                    earlier=[t.result for t in tasks[:-1] if t.result],
                )
            )
        return result

    # ------------------------------------------------------------------ what blocks
    def blocking(self, lanes: list[Lane]) -> list[Blocking]:
        """Open tasks and awaited events by how long they have been waiting, incidents first."""
        found = [
            Blocking("incident", "系统", f"“{row.element_id}”出错：{row.message}", 0, row.created_at, Light("red", "出错"), None)
            for row in reads.incidents(self.session, business_id=str(self.project.id))
        ]
        waits = [self._waiting(task) for task in self.tasks.values() if task.state == "CREATED"]
        waits += [
            Blocking("event", "项目单位", f"等待{row.element_name}", self._days(row.created_at), row.created_at, GREY, None)
            for row in reads.subscriptions_of_business(self.session, str(self.project.id))
            if row.properties.get("outsideEvent") == "true" and self._blocks(row)
        ]
        waits += [
            Blocking("special", lane.unit_name, "特别程序，暂停计时", self._days(lane.since), lane.since, lane.light, None)
            for lane in lanes
            if lane.light.words == "特别程序" and not lane.tasks
        ]
        waits.sort(key=lambda b: (b.light.colour != "red", b.light.colour != "yellow", -b.days, b.since))
        return found + waits

    def _blocks(self, row: Row[Any]) -> bool:
        """Whether a flow stands still until this event: a withdrawal may come at any time and blocks nothing."""
        instance = reads.instance(self.session, row.instance_key)
        element = process_model(self.session, instance.definition_key).elements.get(row.element_id)
        return element is not None and element.kind in ("intermediateCatchEvent", "receiveTask") and "limit" not in element.properties

    def _waiting(self, task: TaskRow) -> Blocking:
        kind = "applicant" if task.for_applicant else "doing" if task.assignee else "unclaimed"
        who = task.unit_name or "项目单位"
        what = f"{task.name} 未签收" if kind == "unclaimed" else task.name
        return Blocking(kind, who, what, self._days(task.created_at), task.created_at, task.light, task.key)

    def _days(self, since: datetime) -> int:
        return self.calendar.count_workdays(since.astimezone(CHINA).date(), self.today)
