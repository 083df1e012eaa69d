"""一表申请: the applications of a stage as one form; every field once, with the items that use it and where its value comes from."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handlers.catalogue.service import catalogue
from handlers.oneform import service as oneform
from handlers.projects import service as projects
from webapp.context import actor, engine
from webapp.submission import submitted_data

blueprint = Blueprint("oneform", __name__, url_prefix="/projects/<row:project_id>/application/<stage>")


@blueprint.get("")
def show(project_id: int, stage: str) -> str:
    """The merged form of the stage."""
    with engine().reading() as session:
        project = projects.get_project(session, actor(), project_id)
        return render_template(
            "oneform.html",
            project=project,
            form=oneform.stage_form(session, actor(), project_id, stage),
            stage_name=catalogue().stage_names[stage],
            may_save=projects.is_own(session, actor(), str(project.id)) or actor().can("represent_owner"),
        )


@blueprint.post("")
def save(project_id: int, stage: str) -> Response:
    """Keep it; the tasks of the items show it when they open."""
    data = submitted_data()
    with engine().unit_of_work() as session:
        oneform.save(session, actor(), project_id, stage, data)
    flash(_("已保存，各事项申报时自动带出。"), "success")
    return jsonify(next=url_for("oneform.show", project_id=project_id, stage=stage))
