"""查验: anybody who holds a document of ours checks it by the code on it, and compares a file with the one that was issued. No log-in."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.errors import Invalid, LianbanError
from handlers.documents import service as documents
from webapp.context import engine, public

blueprint = Blueprint("verify", __name__, url_prefix="/verify")

FORM_SLACK_BYTES = 64 * 1024
MAX_FILE_MB = 20
"""No document of ours is larger."""


@blueprint.get("")
@public
def index() -> str | Response:
    """Where one types the code."""
    code = request.args.get("code", "").strip()
    if not code:
        return render_template("verify.html", found=None, matches=None, code="")
    try:
        return redirect(url_for("verify.show", code=documents.normal_code(code)))
    except LianbanError as error:
        return render_template("verify.html", found=None, matches=None, code=code[:40], problem=error.message())


@blueprint.route("/<code>", methods=["GET", "POST"])
@public
def show(code: str) -> str | tuple[str, int]:
    """What was issued under a code; a POST with a file tells whether it is that very PDF."""
    problem, matches = "", None
    with engine().reading() as session:
        try:
            found = documents.verify(session, code)
        except LianbanError:
            message = _("没有查到这个查验码对应的文书。请核对文书左下角的 12 位查验码。")
            return render_template("verify.html", found=None, matches=None, code=code[:40], problem=message), 404
    if request.method == "POST":
        try:
            matches = _digest() == found.sha256
        except Invalid as error:
            problem = error.message()
    return render_template("verify.html", found=found, matches=matches, code=documents.grouped(found.code), problem=problem)


def _digest() -> str:
    request.max_content_length = MAX_FILE_MB * 1024 * 1024 + FORM_SLACK_BYTES
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(reason=_("没有选择文件"))
    return documents.sha256_of(cast(BinaryIO, file.stream), MAX_FILE_MB * 1024 * 1024)
