"""Applying for an item of 并行推进 from the project page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handlers.filing import service as filing
from webapp.context import actor, engine

blueprint = Blueprint("filing", __name__, url_prefix="/projects/<row:project_id>/items")


@blueprint.post("")
def file_item(project_id: int) -> Response:
    """Apply for the item chosen; refused when it is under way already (409)."""
    with engine().unit_of_work() as session:
        filing.file_item(session, actor(), project_id, request.form.get("item", ""))
    flash(_("已申报，综合窗口将在五个工作日内核验。"), "success")
    return redirect(url_for("projects.show", project_id=project_id, tab="cases"))
