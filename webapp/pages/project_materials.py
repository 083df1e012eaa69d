"""Files of a project that belong to no task: those of an outside event's form, and what is added on the project page."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.context import wants_json
from webapp.uploads import receive

blueprint = Blueprint("project_materials", __name__)


@blueprint.post("/projects/<row:project_id>/materials")
def upload(project_id: int) -> Response:
    """Store one file. Refusals as in webapp.uploads.receive; nothing is kept then."""
    row = receive(lambda _session: project_id)
    if wants_json():
        return jsonify(row)
    flash(_("已上传：%(name)s", name=row["name"]), "success")
    return redirect(url_for("projects.show", project_id=project_id, tab="materials"))
