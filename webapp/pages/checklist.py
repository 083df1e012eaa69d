"""事项与材料清单: every item as 未办, 在办, 已办 or 免办 (R059), what must come first, where each material comes from (R052)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine.commands.environment import feel_environment
from handlers.cases import service as cases
from handlers.catalogue.service import Catalogue, Item
from handlers.directory import service as directory
from handlers.guide import service as guide
from handlers.licences import service as licences
from handlers.materials import service as materials
from handlers.oneform import service as oneform
from handlers.preconditions import service as preconditions
from handlers.projects import service as projects
from webapp.context import actor, engine

blueprint = Blueprint("checklist", __name__, url_prefix="/projects/<row:project_id>/checklist")


@blueprint.get("")
def show(project_id: int) -> str:
    """The whole list in the order of the stages."""
    with engine().reading() as session:
        project = projects.get_project(session, actor(), project_id)
        may_confirm = projects.is_own(session, actor(), str(project.id)) or actor().can("represent_owner")
        return render_template(
            "checklist.html",
            project=project,
            stages=_stages(session, project),
            version=projects.catalogue_version(session, project.id),
            units=directory.unit_names(session),
            may_confirm=may_confirm,
            stage_names=projects.catalogue_of(session, project.id).stage_names,
            form_stages={one.stage for one in oneform.application_forms()},
        )


@blueprint.post("/<item>")
def confirm(project_id: int, item: str) -> Response:
    """Confirm that what was given before serves this item, too."""
    with engine().unit_of_work() as session:
        answers = _answers(session, project_id)
        count = materials.confirm(session, actor(), project_id, item, request.form.getlist("name"), answers)
    flash(_("已确认复用 %(n)s 份材料。", n=count), "success")
    return redirect(url_for("checklist.show", project_id=project_id) + f"#item-{item}")


def _answers(session: Session, project_id: int) -> dict[str, Any]:
    project = projects.get_project(session, actor(), project_id)
    return preconditions.facts(session, project.id)


def _stages(session: Session, project: projects.Project) -> list[tuple[str, list[dict[str, Any]]]]:
    known = preconditions.facts(session, project.id)
    listed = projects.catalogue_of(session, project.id)
    held = licences.held_items(session, project.id)
    spared = licences.area_results(project.data, project.registered_at.date())
    of_item = {case.item_code: case for case in cases.cases_of(session, project.id)}
    env = feel_environment(session)
    found: dict[str, list[dict[str, Any]]] = {}
    for item in _items(session, project, known, listed):
        case = of_item.get(item.code)
        checked = [one for when in preconditions.ACTIONS for one in preconditions.check(item.code, when, known, env, listed)]
        state, colour = _state(item.code, case, held, spared)
        found.setdefault(item.stage, []).append(
            {
                "item": item,
                "case": case,
                "state": state,
                "colour": colour,
                "licence": held.get(item.code),
                "area": spared.get(item.code),
                "checked": [] if item.code in held else checked,
                "sources": materials.sources(session, project.id, item.code, known),
            }
        )
    return [(stage.code, found[stage.code]) for stage in listed.stages if stage.code in found]


def _items(session: Session, project: projects.Project, known: dict[str, Any], listed: Catalogue) -> list[Item]:
    """The items of the guide as far as the registration answers it, and whatever has a case or a result already."""
    facts = {"project": project.data, "application": {}}
    while (question := guide.next_question(facts)) is not None:
        facts = guide.answer(facts, question.code, len(question.options) - 1 if question.code == "environment" else 0)
    codes = {one.item.code for one in guide.needed(session, facts, project)} | set(known["held"])
    codes |= {case.item_code for case in cases.cases_of(session, project.id)}
    return [item for code, item in sorted(listed.items.items()) if code in codes]


def _state(code: str, case: cases.Case | None, held: Any, spared: Any) -> tuple[str, str]:
    if code in held:
        return _("已办"), "green"
    if code in spared:
        return _("免办"), "green"
    if case is not None and not case.ended:
        return _("在办"), "blue"
    if case is not None and case.result == "denied":
        return _("不予"), "red"
    return _("未办"), "grey"
