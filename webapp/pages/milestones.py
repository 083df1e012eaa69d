"""里程碑: the six milestones of a project with planned and actual day; registering with evidence, planning, correcting with a reason."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine import clock
from engine.clock import CHINA
from engine.errors import Invalid
from engine.store import reads
from handlers.directory import service as directory
from handlers.projects import service as projects
from webapp.context import actor, engine

blueprint = Blueprint("milestones", __name__, url_prefix="/projects/<row:project_id>/milestones")
ACTIONS = {"milestone.registered", "milestone.planned", "milestone.corrected"}


@blueprint.get("")
def show(project_id: int) -> str:
    """Whoever may see the project may see its milestones and who changed which day; forms only for those who may."""
    with engine().reading() as session:
        project = projects.get_project(session, actor(), project_id)
        found = projects.milestones(session, project_id)
        changes = [event for event in reads.audit_of_business(session, str(project_id)) if event.action in ACTIONS]
        people = [one.recorded_by for one in found] + [event.actor for event in changes]
        return render_template(
            "milestones.html",
            project=project,
            milestones=found,
            changes=sorted(changes, key=lambda event: event.id, reverse=True),
            names={one.code: one.name for one in found},
            people=directory.display_names(session, people),
            may_register=projects.may_register(actor()),
            may_correct=projects.may_correct(actor()),
            today=clock.now().astimezone(CHINA).date(),
        )


@blueprint.post("/<code>")
def register(project_id: int, code: str) -> Response:
    """Enter the actual day with what proves it."""
    day, evidence = _day(), request.form.get("evidence", "")
    with engine().unit_of_work() as session:
        done = projects.register_milestone(session, actor(), project_id, code, day, evidence)
    return _back(project_id, _("已登记“%(name)s”。", name=done.name))


@blueprint.post("/<code>/plan")
def plan(project_id: int, code: str) -> Response:
    """Enter the planned day."""
    day = _day()
    with engine().unit_of_work() as session:
        done = projects.plan_milestone(session, actor(), project_id, code, day)
    return _back(project_id, _("已登记“%(name)s”的计划日期。", name=done.name))


@blueprint.post("/<code>/<any(planned, actual):which>")
def correct(project_id: int, code: str, which: Any) -> Response:
    """Correct a day, or take it away when the field is empty; with a reason."""
    day = _day() if request.form.get("day") else None
    with engine().unit_of_work() as session:
        done = projects.correct_milestone(session, actor(), project_id, code, which, day, request.form.get("reason", ""))
    return _back(project_id, _("已更正“%(name)s”。", name=done.name))


def _back(project_id: int, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("milestones.show", project_id=project_id))


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("day", ""))
    except ValueError as error:
        raise Invalid(reason=_("日期应为 年-月-日")) from error
