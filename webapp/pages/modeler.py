"""How an analyst sets up Camunda Modeler in five steps, and the files it takes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from engine.policy import require
from engine.settings import ROOT
from webapp.context import actor

blueprint = Blueprint("modeler", __name__, url_prefix="/modeler")

FOLDER = ROOT / "modeler"
PLUGIN = Path("plugins", "lianban")
PACKED = (Path("README.md"), Path("flags.json"), PLUGIN / "index.js", PLUGIN / "client.js")


@blueprint.before_request
def analysts_only() -> None:
    require(actor(), "deploy")


@blueprint.get("")
def index() -> str:
    """The five steps, with this server's address."""
    return render_template("modeler.html", address=_address())


@blueprint.get("/lianban-modeler.zip")
def download() -> Response:
    """The plug-in, the flags and a connection to this server."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in PACKED:
            archive.write(FOLDER / path, str(path))
        archive.writestr("settings.json", _connection())
    packed.seek(0)
    return send_file(packed, "application/zip", as_attachment=True, download_name="lianban-modeler.zip")


def _address() -> str:
    return request.url_root.rstrip("/")


def _connection() -> str:
    """settings.json of the Modeler with this server's address in place of the usual one."""
    text = (FOLDER / "settings.json").read_text(encoding="utf-8")
    here = json.dumps(_address(), ensure_ascii=False)[1:-1]
    return text.replace("http://localhost:8080", here)
