"""Stored files: offered as attachments; a picture or a checked PDF may also be looked at. Only with access to the project.

What somebody of the offices reads is written down: the log of shared data.
"""

from __future__ import annotations

from flask import Blueprint, send_file
from werkzeug.wrappers import Response

from engine.errors import Invalid
from handlers.materials import service as materials
from webapp.context import actor, engine
from webapp.pdf_pages import send_pdf

blueprint = Blueprint("materials", __name__, url_prefix="/materials")


@blueprint.get("/<row:number>")
def download(number: int) -> Response:
    """The file as it was uploaded; unknown or not accessible: 404."""
    with engine().unit_of_work() as session:
        material, path = materials.read_material(session, actor(), number)
        name = material.filename
    return send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=name)


PICTURES = {"jpg": "image/jpeg", "png": "image/png"}


@blueprint.get("/<row:number>/preview")
def preview(number: int) -> Response:
    """The file in the browser: pictures under a policy that runs nothing, PDFs (without scripts, checked at upload). Invalid for others."""
    with engine().unit_of_work() as session:
        material, path = materials.read_material(session, actor(), number)
    if material.kind == "pdf":
        return send_pdf(path, material.filename.removesuffix(".pdf"))
    if material.kind not in PICTURES:
        raise Invalid(reason="这种文件不能预览，请下载查看")
    response = send_file(path, mimetype=PICTURES[material.kind], download_name=material.filename)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response
