"""一次性告知 (R061, R128; 行政许可法 30, 32): what a project will have to do and hand in, computed before it applies, from decision tables.

The only import allowed from outside. At most twelve questions (guide_questions.csv; each option sets answers, `ask_if` is FEEL over those
given so far; a registered project has answered most of them). Items: the decisions required_items and acceptance_members, after
initiation_mode and land_rule. Materials: the rows of materials.csv that the intake demands later, by the same conditions (checklist).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.clock import CHINA
from engine.commands import evaluate_decision
from engine.errors import Forbidden, Invalid
from engine.feel import Environment, compile_expression, to_json
from engine.policy import Actor
from handlers.catalogue.service import FOLDER, Catalogue, Item, MaterialRequirement, catalogue, read_table
from handlers.documents import service as documents
from handlers.licences import service as licences
from handlers.projects import service as projects

MOST_QUESTIONS = 12
WINDOW_UNIT, ACCEPTANCE = "XZSPJ", "S4"
OPEN_ANSWERS = ("application.fblx", "application.ydbz", "application.zbfa", "project.jzmj")
"""What only the application itself says: a material that hangs on it is told with its condition, not left out."""


@dataclass(frozen=True, slots=True)
class Option:
    """A possible answer; `sets` are the facts it stands for, by dotted path."""

    label: str
    sets: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the guide; `ask_if` FEEL, "" always; `help` names the law behind it."""

    code: str
    text: str
    ask_if: str
    options: tuple[Option, ...]
    help: str


@dataclass(frozen=True, slots=True)
class NeededMaterial:
    """A material of the notice. `certain` False: needed only if the application says so, see its instructions."""

    wanted: MaterialRequirement
    certain: bool


@dataclass(frozen=True, slots=True)
class NeededItem:
    """An item that the project needs, with the reason in law; `spared_by`: the number of the area's result that replaces it."""

    item: Item
    basis: str
    materials: tuple[NeededMaterial, ...]
    spared_by: str = ""


@lru_cache(maxsize=4)
def questions(folder: Path = FOLDER) -> tuple[Question, ...]:
    """The questions in their order."""
    return tuple(
        Question(r["code"], r["text"], r["ask_if"], tuple(Option(o["label"], o["set"]) for o in json.loads(r["options"])), r["help"])
        for r in read_table("guide_questions", folder)
    )


def asked(facts: Mapping[str, Any]) -> list[Question]:
    """The questions that matter under what is known so far."""
    env = Environment()
    return [q for q in questions() if not q.ask_if or compile_expression(q.ask_if).evaluate(facts, env) is True]


def next_question(facts: Mapping[str, Any]) -> Question | None:
    """The first question that matters and is not answered yet; None when the notice can be written."""
    return next((question for question in asked(facts) if chosen(question, facts) is None), None)


def chosen(question: Question, facts: Mapping[str, Any]) -> int | None:
    """Which option the facts stand for (the first whose facts all hold), None when the question is open."""
    for number, option in enumerate(question.options):
        if all(_same(path, look(facts, path), value) for path, value in option.sets.items()):
            return number
    return None


SAME: Mapping[str, Mapping[str, str]] = {
    "project.gnyt": {"学校": "住宅", "医疗卫生": "住宅", "商业服务": "办公", "文体旅游": "办公", "科研": "办公"},
    "project.tdhqfs": {"作价入股": "租赁", "无需": "自有"},
    "project.jsxz": {"扩建": "新建", "迁建": "新建", "恢复": "改建"},
}
"""Answers of the registration form that one option of the guide covers together."""
AREAS = (5000, 10000)


def _same(path: str, given: Any, value: Any) -> bool:
    if given is None:
        return False
    if path == "project.ydmj":
        return bool(sum(given >= edge for edge in AREAS) == sum(value >= edge for edge in AREAS))
    if path == "application.nhzl":
        return bool(given >= 1000) is bool(value >= 1000)
    if path == "project.gnyt" and given not in SAME[path] and given not in SAME[path].values():
        given = "工业厂房"
    return bool(SAME.get(path, {}).get(given, given) == value)


def answer(facts: Mapping[str, Any], code: str, option: int) -> dict[str, Any]:
    """The facts with an answer added; Invalid for a question or option that does not exist or does not matter here."""
    question = next((q for q in asked(facts) if q.code == code), None)
    if question is None or not 0 <= option < len(question.options):
        raise Invalid(reason="没有这个问题或选项")
    result = {"project": dict(facts.get("project") or {}), "application": dict(facts.get("application") or {})}
    if chosen(question, facts) != option:
        for path, value in question.options[option].sets.items():
            group, _, name = path.partition(".")
            result[group][name] = value
    return result


def look(facts: Mapping[str, Any], path: str) -> Any:
    """The fact at a dotted path, None when it is not known."""
    group, _, name = path.partition(".")
    found = facts.get(group)
    return found.get(name) if isinstance(found, Mapping) else None


def needed(session: Session, facts: Mapping[str, Any], project: projects.Project | None = None) -> list[NeededItem]:
    """The items that the project needs, in the order of stages, each with its materials; Invalid while a question is open.

    `project`: one that is registered keeps the catalogue and the decisions of that day (R059); None: as they are today.
    """
    if (question := next_question(facts)) is not None:
        raise Invalid(reason=f"请先回答：{question.text}")
    known, as_of = (projects.catalogue_of(session, project.id), project.registered_at) if project else (catalogue(), None)

    def decide(decision: str, context: Mapping[str, Any]) -> Any:
        return to_json(evaluate_decision(session, decision, context, as_of=as_of).value)

    context = dict(facts) | {"initiationMode": decide("initiation_mode", facts), "landRule": decide("land_rule", facts)}
    listed = {row["item"]: row["basis"] for row in decide("required_items", context)}
    for member in decide("acceptance_members", context) or []:
        if (found := known.items.get(member["item"])) is not None and found.stage == ACCEPTANCE:
            listed.setdefault(found.code, found.legal_basis)  # utilities and other members look at what was granted before
    spared = licences.area_results(facts.get("project") or {}, clock.now().astimezone(CHINA).date())
    order = {stage.code: number for number, stage in enumerate(known.stages)}
    items = sorted((known.item(code) for code in listed), key=lambda item: (order[item.stage], item.code))
    return [
        NeededItem(
            item,
            listed[item.code],
            () if item.code in spared else tuple(_materials(known, item.code, context)),
            spared[item.code].number if item.code in spared else "",
        )
        for item in items
    ]


def _materials(listed: Catalogue, item_code: str, context: Mapping[str, Any]) -> Sequence[NeededMaterial]:
    certain = [m.name for m in listed.materials_for(item_code, context)]
    found = []
    for wanted in listed.materials:
        if wanted.item == item_code:
            is_open = any(path in wanted.condition and look(context, path) is None for path in OPEN_ANSWERS)
            if is_open or wanted.name in certain:
                found.append(NeededMaterial(wanted, not is_open))
    return found


def notice_facts(found: Sequence[NeededItem]) -> dict[str, Any]:
    """What the document W02 states."""
    units = catalogue().units
    return {
        "事项清单": [
            {
                "事项": one.item.name,
                "办理单位": units[one.item.unit].name if one.item.unit in units else one.item.unit,
                "法定时限": one.item.statutory_limit,
                "承诺时限": one.item.promised_limit,
                "材料": [
                    {"名称": m.wanted.name, "形式": m.wanted.form, "份数": m.wanted.copies, "说明": material_note(m)} for m in one.materials
                ],
            }
            for one in found
            if not one.spared_by
        ]
    }


def issue(session: Session, actor: Actor, project_id: int | str, facts: Mapping[str, Any]) -> documents.Document:
    """Issue the notice (W02) for a project as answered; it counts from now, with the answers in it. When the newest one says the very same
    (a second click), that one stands.

    NotFound without access, Forbidden unless the person files for the project or the window does, Invalid while a question is open.
    """
    projects.lock_project(session, project_id)
    project, now = projects.get_project(session, actor, project_id), clock.now()
    if not (projects.is_own(session, actor, str(project.id)) or actor.can("represent_owner")):
        raise Forbidden(reason="一次性告知书由项目单位或者综合窗口打印")
    found = needed(session, facts, project)
    answers = [f"{q.text}{q.options[number].label}" for q in asked(facts) if (number := chosen(q, facts)) is not None]
    stated = notice_facts(found) | {"填报情况": answers}
    newest = next((one for one in documents.documents_of(session, project.id) if one.kind == "W02" and one.case_id is None), None)
    if newest is not None and newest.facts == stated:
        return newest
    return documents.issue(
        session,
        "W02",
        project_id=project.id,
        case_id=None,
        item_code="",
        unit=WINDOW_UNIT,
        facts=stated,
        root_key=project.lifecycle_key or 0,
        person=actor.username,
        now=now,
    )


def project_facts(session: Session, actor: Actor, project_id: int | str) -> dict[str, Any]:
    """What a registered project has answered already; NotFound without access."""
    return {"project": dict(projects.get_project(session, actor, project_id).data), "application": {}}


def material_note(needed_material: NeededMaterial) -> str:
    """Where a material comes from and what may be done about it, in one line."""
    wanted = needed_material.wanted
    words = [wanted.necessity if needed_material.certain else "按实际情况"]
    words += (
        ["系统共享，不用提交"] if wanted.source == "政府核发" and wanted.shared_type else [f"{wanted.issuer}出具"] if wanted.issuer else []
    )
    words += ["可容缺"] if wanted.tolerable else []
    words += ["可告知承诺"] if wanted.commitment else []
    return "，".join(words)
