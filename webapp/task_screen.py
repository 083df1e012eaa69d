"""What the task screens show: the rows of the work list and one task, put into words for the templates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from engine import policy
from engine.errors import Invalid
from engine.store import reads
from handlers.materials.service import Material
from handlers.tasks import service as tasks
from handlers.tasks.service import Opinion, Step, TaskRow, TaskView
from webapp import clock_screen
from webapp.context import actor, engine
from webapp.decision_screen import explain
from webapp.navigation import endpoint_exists
from webapp.rendering import day, number, result_colour, when

Lines = list[tuple[str, str]]

CARD = (
    ("jsxz", "建设性质"),
    ("gnyt", "主要用途"),
    ("tdhqfs", "土地获取"),
    ("jsdd", "建设地点"),
)
"""Fields of the registration form that the project card shows, with their labels there."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the work list. `colour`, `words` and `why` are its light."""

    key: int
    title: str
    project: str
    process: str
    code: str
    colour: str
    words: str
    why: str
    until: str
    tags: list[tuple[str, str]]


def row(task: TaskRow, box: str) -> Row:
    """A task as the list of a box shows it: open ones tell the time, done ones the result, started ones who has it."""
    tags: list[tuple[str, str]] = []
    colour, words = task.light.colour, task.light.words
    until = _("%(day)s 到期", day=day(task.due_date)) if task.due_date else ""
    if box == "done":
        colour, words, until = "grey", _("已办"), day(task.completed_at)
        tags = [(task.result, "")] if task.result else []
    elif box == "started":
        who = _("等您办理") if task.for_applicant else task.unit_name or task.assignee_name
        tags = [(who, "blue" if task.for_applicant else "grey")]
    if task.suspended:
        tags.append((_("已暂停"), "red"))
    return Row(task.key, task.name, task.project_name, task.process_name, task.project_code, colour, words, task.light.why, until, tags)


# ---------------------------------------------------------------------- one task
def build(key: int) -> dict[str, Any]:
    """Everything the task templates need. NotFound and Forbidden come from the service."""
    with engine().reading() as session:
        view = tasks.task_view(session, actor(), key)
        lights = clock_screen.lights_of(session, [view.case]) if view.case is not None else {}
    screen = _screen(view) | {"case_light": lights.get(view.case.id) if view.case is not None else None}
    screen["case_id"] = view.case.id if view.case is not None else None
    chosen = request.args.get("tab", "form")
    known = {tab["code"] for tab in screen["tabs"]}
    return {"task": screen, "open_tab": chosen if chosen in known else "form", "upload_limit": engine().settings.max_upload_mb}


def _screen(view: TaskView) -> dict[str, Any]:
    task = view.task
    waits = view.moves.suspended or bool(view.moves.signatures)
    can_fill = view.can_complete and not view.can_claim and not waits
    hint, hint_kind = _hint(view, can_fill)
    return {
        "key": task.key,
        "title": task.name,
        "process": task.process_name,
        "project": task.project_name or task.process_name,
        "project_id": str(task.project_id or ""),
        "project_url": _project_url(view),
        "company": task.organisation,
        "colour": task.light.colour if task.state == "CREATED" else "grey",
        "words": task.light.words if task.state == "CREATED" else _STATES[task.state],
        "why": task.light.why,
        "times": _times(view),
        "tabs": _tabs(view),
        "hint": hint,
        "hint_kind": hint_kind,
        "schema": view.schema,
        "data": view.data,
        "files": {str(material.id): material_row(material) for material in view.materials},
        "can_claim": view.can_claim and not view.moves.suspended,
        "can_release": view.can_release and not view.moves.suspended,
        "moves": view.moves,
        "can_move": not view.can_claim,
        "can_fill": can_fill,
        "can_upload": can_fill and view.project is not None,
        "verb": _("提交意见") if view.others else _("提交"),
        "draft_at": view.draft_at if can_fill else None,
        "others": [_other(other) for other in view.others],
        "opinions": [_opinion(opinion) for opinion in view.opinions],
        "steps": _steps(view),
        "facts": _facts(view),
        "materials": _materials(view),
        "material_names": sorted({need.name for need in view.required_materials}),
        "decisions": [explain(one.trace, one.output, name=one.name, at=one.at) for one in view.decisions],
        "diagram_url": url_for("diagrams.show", definition_key=view.diagram.definition_key),
        "diagram_state": _diagram(view),
    }


_STATES = {"COMPLETED": lazy_gettext("已办结"), "CANCELED": lazy_gettext("已取消")}


def _hint(view: TaskView, can_fill: bool) -> tuple[str, str]:
    """One sentence above the form and its colour: what is in the way, or what is to be done."""
    task = view.task
    if task.state == "COMPLETED":
        return _("%(who)s 于 %(when)s 提交。", who=task.assignee_name, when=when(task.completed_at)), "green"
    if task.state != "CREATED":
        return _("这项任务已取消，不再需要办理。"), "red"
    if view.moves.suspended:
        return _("流程已暂停，恢复之前不能办理。"), "red"
    if view.moves.signatures:
        names = "、".join(signature.who for signature in view.moves.signatures)
        return _("等待加签：%(names)s。全部办完后您再提交。", names=names), "blue"
    if view.moves.return_reason and view.can_complete:
        return _("%(who)s 退回：%(reason)s", who=view.moves.returned_by, reason=view.moves.return_reason), "red"
    if view.moves.sign_of is not None and can_fill:
        return _("请您加签：意见会与这项任务的意见一并保留，流程由请您加签的人决定。"), "blue"
    if view.can_claim:
        return _("签收后填写；签收后同单位其他人不再看到这项任务。"), "blue"
    if can_fill:
        return view.documentation, "blue"
    if task.assignee_name and not view.limited:
        return _("%(who)s 已签收，正在办理。", who=task.assignee_name), "blue"
    return view.refusal, "blue"


def _times(view: TaskView) -> str:
    task = view.task
    parts = [_("%(day)s 送达", day=day(task.created_at))]
    if task.due_date is not None:
        parts.append(_("%(day)s 到期", day=day(task.due_date)))
    if view.legal_basis:
        parts.append(_("依据 %(basis)s", basis=view.legal_basis))
    return " · ".join(parts)


def _tabs(view: TaskView) -> list[dict[str, Any]]:
    tabs: list[dict[str, Any]] = [{"code": "form", "label": _("办理"), "count": None}]
    if view.project is not None:
        tabs.append({"code": "materials", "label": _("材料"), "count": len(view.materials)})
    if not view.limited:
        tabs.append({"code": "opinions", "label": _("各方意见"), "count": len(view.opinions)})
    tabs.append({"code": "diagram", "label": _("流程图"), "count": None})
    if view.decisions:
        tabs.append({"code": "decisions", "label": _("决策依据"), "count": len(view.decisions)})
    return tabs


def _steps(view: TaskView) -> list[Step]:
    """The timeline with the running round of a parallel review as one line: how many units, how many have answered."""
    steps: list[Step] = []
    for step in view.steps:
        running = step.state == "now" and bool(view.others) and step.element_id == view.task.element_id
        if running and steps and steps[-1].element_id == step.element_id:
            steps.pop()
        steps.append(replace(step, who="", detail=_round(view)) if running else step)
    return steps


def _round(view: TaskView) -> str:
    """ "12 个单位并行，3 已回，8 未签收" """
    members = [task for task in (*view.others, view.task) if task.state != "CANCELED"]
    answered = sum(task.state == "COMPLETED" for task in members)
    waiting = sum(task.state == "CREATED" and task.assignee is None for task in members)
    text: str = _("%(all)s 个单位并行，%(done)s 已回", all=len(members), done=answered)
    return text + (_("，%(n)s 未签收", n=waiting) if waiting else "")


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return {
        "unit": opinion.unit_name or _("申请人"),
        "task": opinion.name,
        "person": opinion.person,
        "at": opinion.at,
        "result": opinion.result,
        "lines": [(label, when(text) if _INSTANT.match(text) else text) for label, text in opinion.lines],
    }


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def _other(task: TaskRow) -> dict[str, str]:
    """Another unit's part of the same review: its result, or whether it has been taken up."""
    words = task.result or (_("办理中") if task.assignee else _("未签收"))
    if task.state == "CANCELED":
        words = _("已取消")
    return {"unit": task.unit_name, "words": words, "colour": result_colour(task.result) if task.result else "grey"}


def _project_url(view: TaskView) -> str:
    if view.project is None or not endpoint_exists("projects.show"):
        return ""
    return url_for("projects.show", project_id=view.project.id)


def _facts(view: TaskView) -> Lines:
    """The project card, and the case's numbers."""
    lines: Lines = []
    project, case = view.project, view.case
    if project is not None:
        lines = [(_("项目代码"), project.code or "—"), (_("建设单位"), project.organisation)]
        if project.variant_name:
            lines.append((_("项目类型"), project.variant_name))
        if project.data.get("ztze") is not None:
            lines.append((_("总投资"), _("%(amount)s 万元", amount=number(project.data["ztze"]))))
        lines += [(label, str(project.data[name])) for name, label in CARD if project.data.get(name)]
    if case is not None:
        lines += [(_("事项"), case.item_name), (_("办件号"), case.number), (_("办件状态"), case.status_name)]
    return lines


# ---------------------------------------------------------------------- materials
def material_row(material: Material) -> dict[str, Any]:
    """A stored file for the form's file field and the list of materials."""
    return {
        "id": str(material.id),
        "item": material.item,
        "name": material.filename,
        "size": material.size,
        "by": material.uploaded_by,
        "at": material.uploaded_at.isoformat(),
        "version": material.version,
        "url": url_for("materials.download", number=material.id),
    }


def _materials(view: TaskView) -> list[dict[str, Any]]:
    """What is there, newest version first, then what the item demands and nobody has given yet."""
    newest = Counter(material.item for material in view.materials)
    rows = [material_row(m) | {"old": m.version < newest[m.item], "note": ""} for m in view.materials]
    missing = (need for need in view.required_materials if need.name not in newest)
    return rows + [{"item": need.name, "note": need.necessity, "url": ""} for need in missing]


def project_of(session: Session, key: int) -> str:
    """The project of a task that the visitor may fill in; Forbidden otherwise, Invalid when it belongs to no project."""
    task = reads.get_task(session, key)
    policy.check(actor(), "save_draft", reads.task_facts(session, task))
    if task.business_id is None:
        raise Invalid(reason="这项任务不属于任何项目")
    return str(task.business_id)


# ---------------------------------------------------------------------- the diagram
def _diagram(view: TaskView) -> dict[str, Any]:
    """Element ids by mark, and how many are at work on elements with several."""
    state = view.diagram
    open_here = [task.element_id for task in _open(view.others, view.task)]
    tokens = {element: count for element, count in Counter(open_here).items() if count > 1}
    return {"done": state.done, "active": state.active, "failed": state.failed, "coming": state.coming, "tokens": tokens}


def _open(others: Iterable[TaskRow], task: TaskRow) -> list[TaskRow]:
    return [one for one in (*others, task) if one.state == "CREATED"]
