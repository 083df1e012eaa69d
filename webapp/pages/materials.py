"""Download of stored files: only with access to the project, always as an attachment, never interpreted by the browser."""

from __future__ import annotations

from flask import Blueprint, send_file
from werkzeug.wrappers import Response

from handlers.materials import service as materials
from webapp.context import actor, engine

blueprint = Blueprint("materials", __name__, url_prefix="/materials")


@blueprint.get("/<row:number>")
def download(number: int) -> Response:
    """The file as it was uploaded; unknown or not accessible: 404."""
    with engine().reading() as session:
        material, path = materials.open_material(session, actor(), number)
        name = material.filename
    return send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=name)
