"""Everything the task screen shows of one task."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from engine import policy
from engine.bpmn import ProcessModel
from engine.definitions import form_schema, process_definition, process_model
from engine.errors import Forbidden, NotFound
from engine.policy import Actor
from engine.store import reads
from engine.views import visible_variables
from handlers.cases.service import Case, cases_of_root
from handlers.catalogue.service import MaterialRequirement
from handlers.directory import service as directory
from handlers.materials.service import Material, materials_of
from handlers.oneform import service as oneform
from handlers.projects import service as projects
from handlers.tasks.answers import answer_lines
from handlers.tasks.forecast import coming
from handlers.tasks.moves import Moves, moves_of
from handlers.tasks.worklist import TaskRow, task_rows


@dataclass(frozen=True, slots=True)
class Opinion:
    """A completed task as others read it. `lines`: (label, text) of the answered fields."""

    task_key: int
    element_id: str
    name: str
    unit: str
    unit_name: str
    person: str
    at: datetime
    result: str
    lines: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline: `state` is done, now, next or failed."""

    state: str
    title: str
    who: str = ""
    detail: str = ""
    at: datetime | None = None
    element_id: str = ""


@dataclass(frozen=True, slots=True)
class DiagramState:
    """Element ids of one process instance by what to show: done, active, failed (incident), coming."""

    instance_key: int
    definition_key: int
    done: list[str]
    active: list[str]
    failed: list[str]
    coming: list[str]


@dataclass(frozen=True, slots=True)
class DecisionTrace:
    """A decision table's evaluation under this root: why these units, this variant. `trace` as engine.dmn gives it."""

    decision_id: str
    element_id: str
    name: str
    output: Any
    trace: list[dict[str, Any]]
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskView:
    """The task screen. `limited`: the viewer may follow the task but not see its form (applicants on an office's task)."""

    task: TaskRow
    limited: bool
    schema: dict[str, Any] | None
    data: dict[str, Any]
    draft_at: datetime | None
    can_claim: bool
    can_release: bool
    can_complete: bool
    refusal: str
    documentation: str
    legal_basis: str
    project: projects.Project | None
    case: Case | None
    opinions: list[Opinion]
    others: list[TaskRow]
    steps: list[Step]
    materials: list[Material]
    required_materials: list[MaterialRequirement]
    decisions: list[DecisionTrace]
    diagram: DiagramState
    moves: Moves = field(default_factory=Moves)
    variables: dict[str, Any] = field(default_factory=dict)


def task_view(session: Session, actor: Actor, task_key: int) -> TaskView:
    """The task with all that belongs to it.

    NotFound for an unknown task (for applicants: any foreign one), Forbidden for another office's.
    """
    row = reads.get_task(session, task_key)
    facts = reads.task_facts(session, row)
    limited = _check_view(session, actor, row, facts)
    variables = visible_variables(session, task_key) if row.state == "CREATED" else {}
    draft = reads.draft(session, task_key, actor.username)
    model = process_model(session, row.definition_key)
    element = model.elements.get(row.element_id)
    under_root = reads.tasks_of_root(session, row.root_key)
    shown = {r.key: _without_result(r) if limited else r for r in task_rows(session, under_root)}
    case = _case_of(session, row)
    diagram = diagram_state(session, row.instance_key)
    project = projects.find_project(session, row.business_id)
    schema = None if limited or row.form_key is None else form_schema(session, row.form_key)
    if schema is not None and project is not None and row.state == "CREATED" and not variables.get("application"):
        variables = variables | oneform.values_for(session, project.id, schema["id"])
    return TaskView(
        task=shown[task_key],
        limited=limited,
        schema=schema,
        data={} if limited else _form_data(row, draft, variables, directory.unit_names(session)),
        draft_at=draft.saved_at if draft is not None else None,
        can_claim=_may(actor, "claim", row, facts) and row.assignee is None,
        can_release=_may(actor, "unclaim", row, facts) and row.assignee == actor.username and bool(row.candidate_groups),
        can_complete=_may(actor, "complete", row, facts),
        refusal="" if row.state != "CREATED" else _refusal(session, actor, facts),
        documentation=element.documentation if element else "",
        legal_basis=row.properties.get("legalBasis", ""),
        project=project,
        case=case,
        opinions=[] if limited else opinions(session, under_root, shown),
        others=[t for t in shown.values() if t.element_id == row.element_id and t.key != task_key and _is_member(row)],
        steps=steps(session, row.root_key, shown, diagram),
        materials=materials_of(session, project.id) if project else [],
        required_materials=projects.catalogue_of(session, case.project_id).materials_for(case.item_code, variables) if case else [],
        decisions=[] if limited else decisions(session, row.root_key),
        diagram=diagram,
        moves=Moves() if limited else moves_of(session, actor, row, can_complete=_may(actor, "complete", row, facts)),
    )


def _refusal(session: Session, actor: Actor, facts: policy.TaskFacts) -> str:
    """Why the actor may not complete the task, "" when it may."""
    called = directory.called(session, actor, facts.assignee) if facts.assignee is not None else ""
    return policy.refusal(actor, "complete", facts, called) or ""


def _check_view(session: Session, actor: Actor, row: Row[Any], facts: policy.TaskFacts) -> bool:
    """Whether the view is limited; Forbidden when the actor may not see the task at all."""
    refusal = policy.refusal(actor, "view", facts)
    if refusal is None or row.completed_by == actor.username:
        return False
    if _is_own(session, actor, row):
        return True
    if directory.is_staff(actor):
        raise Forbidden(reason=refusal)
    raise NotFound(what="任务", key=row.key)


def require_known(session: Session, actor: Actor, task_key: int) -> None:
    """Raise NotFound for a task that the actor may not even know of: to applicants, those outside their own projects do not exist."""
    row = reads.get_task(session, task_key)
    if directory.is_staff(actor) or _is_own(session, actor, row):
        return
    if policy.refusal(actor, "view", reads.task_facts(session, row)) is not None and row.completed_by != actor.username:
        raise NotFound(what="任务", key=task_key)


def _is_own(session: Session, actor: Actor, row: Row[Any]) -> bool:
    return row.business_id is not None and projects.is_own(session, actor, row.business_id)


def _without_result(row: TaskRow) -> TaskRow:
    """An office's task as applicants may follow it: that it was done, not what was said; documents tell them that."""
    return row if row.for_applicant else replace(row, result="")


def _may(actor: Actor, action: policy.Action, row: Row[Any], facts: policy.TaskFacts) -> bool:
    return row.state == "CREATED" and policy.refusal(actor, action, facts) is None


def _is_member(row: Row[Any]) -> bool:
    return bool(row.properties.get("role") == "member")


def _form_data(row: Row[Any], draft: Row[Any] | None, variables: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """What the form shows: a finished task's submission, else the variables with the person's draft over them and the units' `names`."""
    if row.state != "CREATED":
        return dict(row.submission or {})
    return {"unitNames": names} | variables | (dict(draft.data) if draft is not None else {})


def _case_of(session: Session, row: Row[Any]) -> Case | None:
    """The case of this root; of several (a flow with a called item) the latest."""
    found = cases_of_root(session, row.root_key)
    return found[-1] if found else None


# ---------------------------------------------------------------------- parts
def opinions(session: Session, under_root: Any, shown: dict[int, TaskRow]) -> list[Opinion]:
    """Every completed task of the offices under a root with its answers, oldest first."""
    done = sorted((r for r in under_root if r.state == "COMPLETED" and r.submission), key=lambda r: (r.completed_at, r.key))
    result = []
    for row in done:
        line = shown[row.key]
        if line.for_applicant:
            continue
        schema = form_schema(session, row.form_key) if row.form_key is not None else {}
        result.append(
            Opinion(
                task_key=row.key,
                element_id=row.element_id,
                name=line.name,
                unit=line.unit,
                unit_name=line.unit_name,
                person=line.assignee_name,
                at=row.completed_at,
                result=line.result,
                lines=answer_lines(schema, row.submission),
            )
        )
    return result


def steps(session: Session, root_key: int, shown: dict[int, TaskRow], diagram: DiagramState) -> list[Step]:
    """The timeline of a root: what was done, what is open now, what may come next. Members of one round are one line."""
    root = reads.instance(session, root_key)
    title = process_definition(session, root.definition_key).name
    result = [Step("done", f"{title}启动", at=root.started_at)]
    done = sorted((t for t in shown.values() if t.state == "COMPLETED"), key=lambda t: (t.completed_at or t.created_at, t.key))
    index = 0
    while index < len(done):
        run = [done[index]]
        while index + len(run) < len(done) and done[index + len(run)].element_id == run[0].element_id:
            run.append(done[index + len(run)])
        index += len(run)
        result.append(_done_step(run))
    result += _open_steps([t for t in shown.values() if t.state == "CREATED"])
    if root.state == "ACTIVE":
        result += _coming_steps(session, diagram)
    elif root.ended_at is not None:
        result.append(Step("done" if root.state == "COMPLETED" else "failed", "流程结束", at=root.ended_at))
    return result


def _done_step(run: list[TaskRow]) -> Step:
    last = run[-1]
    if len(run) == 1:
        who = " ".join(part for part in (last.unit_name, last.assignee_name) if part)
        return Step("done", last.name, who, last.result, last.completed_at, last.element_id)
    answers = "，".join(f"{t.unit_name} {t.result}".strip() for t in run)
    return Step("done", last.name, f"{len(run)} 个单位", answers, last.completed_at, last.element_id)


def _open_steps(tasks: list[TaskRow]) -> list[Step]:
    by_element: dict[str, list[TaskRow]] = {}
    for task in tasks:
        by_element.setdefault(task.element_id, []).append(task)
    result = []
    for element_id, group in by_element.items():
        first = group[0]
        who = "、".join(t.unit_name or "申请人" for t in group)
        waiting = [t.unit_name for t in group if t.assignee is None]
        detail = f"{'、'.join(waiting)} 未签收" if waiting else first.assignee_name
        result.append(Step("now", first.name, who, detail, min(t.created_at for t in group), element_id))
    return result


def _coming_steps(session: Session, diagram: DiagramState) -> list[Step]:
    names = directory.unit_names(session)
    model = process_model(session, diagram.definition_key)
    found = coming(session, model, diagram.active, diagram.done, callers(session, diagram.instance_key))
    return [Step("next", step.name, names.get(step.unit, step.unit), element_id=step.element_id) for step in found]


def callers(session: Session, instance_key: int) -> list[tuple[ProcessModel, str]]:
    """The call activities above a process instance, innermost first, with the model each is drawn in."""
    found = []
    row = reads.instance(session, instance_key)
    while row.parent_key is not None:
        token, row = row.parent_token, reads.instance(session, row.parent_key)
        element = next(e.element_id for e in reads.element_history(session, row.key) if e.token_id == token)
        found.append((process_model(session, row.definition_key), element))
    return found


def decisions(session: Session, root_key: int) -> list[DecisionTrace]:
    """Every decision evaluated under a root, newest first."""
    result = []
    for row in reversed(reads.decisions_of_root(session, root_key)):
        name = row.trace[-1].get("decisionName", row.decision_id) if row.trace else row.decision_id
        result.append(DecisionTrace(row.decision_id, row.element_id or "", name, row.output, row.trace, row.at))
    return result


def diagram_state(session: Session, instance_key: int) -> DiagramState:
    """Where one process instance stands, for colouring its diagram."""
    instance = reads.instance(session, instance_key)
    model = process_model(session, instance.definition_key)
    history = reads.element_history(session, instance_key)
    active = [e.element_id for e in history if e.state == "ACTIVE"]
    failed = [i.element_id for i in reads.incidents_of_instance(session, instance_key)]
    passed = [e.element_id for e in history if e.state == "COMPLETED" and e.element_id not in active]
    next_ones = [step.element_id for step in coming(session, model, active, passed)] if instance.state == "ACTIVE" else []
    return DiagramState(instance_key, instance.definition_key, _unique(passed), _unique(active), _unique(failed), next_ones)


def _unique(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))
