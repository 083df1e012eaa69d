"""文书模板: the wording of every kind of document, its versions, a preview over a sample case, and the way back to an earlier version."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.errors import Conflict, Forbidden
from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.documents import service as documents
from webapp.context import actor, engine
from webapp.pdf_pages import framed, page_with_frame, send_pdf

blueprint = Blueprint("document_templates", __name__, url_prefix="/document-templates")

texts = documents.templates


@blueprint.get("")
def index() -> str:
    """Every kind with the version in force."""
    texts.require_editor(actor())
    with engine().reading() as session:
        changed = texts.changed_kinds(session)
    kinds = [(entry, changed.get(entry.code, 0), entry.code in texts.shipped()) for entry in catalogue().documents.values()]
    return render_template("document_templates.html", kinds=kinds)


@blueprint.get("/<kind>")
def edit(kind: str) -> Response:
    """The text of a kind to be edited; `version` shows an earlier one beside what is in force."""
    texts.require_editor(actor())
    return _page(kind, number=request.args.get("version", type=int))


@blueprint.post("/<kind>")
def save(kind: str) -> Response:
    """Check the text over the sample case and save it as the next version; a faulty text is shown again with its fault."""
    source, base = request.form.get("source", ""), request.form.get("based_on", -1, type=int)
    try:
        checked = texts.check(actor(), kind, source)
        with engine().unit_of_work() as session:
            saved = texts.save(session, actor(), checked, note=request.form.get("note", "").strip(), based_on=base)
    except (documents.DocumentNotPrinted, Conflict) as error:
        return _page(kind, source=source, based_on=base, problem=error.message(), status=error.status)
    flash(_("已保存为第 %(n)s 版，此后生成的文书使用它", n=saved.version), "success")
    return redirect(url_for("document_templates.edit", kind=kind))


@blueprint.post("/<kind>/preview")
def preview(kind: str) -> Response:
    """The text as it would be printed over the sample case; shown in the frame beside it."""
    try:
        checked = texts.check(actor(), kind, request.form.get("source", ""))
    except Forbidden:
        raise
    except documents.DocumentNotPrinted as error:
        return framed(render_template("document_template_fault.html", problem=error.message()), error.status)
    return send_pdf(checked.sample.pdf, _("预览"))


@blueprint.post("/<kind>/take-back")
def take_back(kind: str) -> Response:
    """Put an earlier version in force again, as a new version."""
    number, base = request.form.get("version", -1, type=int), request.form.get("based_on", -1, type=int)
    with engine().unit_of_work() as session:
        saved = texts.take_back(session, actor(), kind, number, based_on=base)
    flash(_("已恢复第 %(old)s 版，保存为第 %(n)s 版", old=number, n=saved.version), "success")
    return redirect(url_for("document_templates.edit", kind=kind))


def _page(
    kind: str, *, number: int | None = None, source: str | None = None, based_on: int | None = None, problem: str = "", status: int = 200
) -> Response:
    with engine().reading() as session:
        current = texts.in_force(session, kind)
        shown = texts.version(session, kind, number) if number is not None else current
        every = texts.versions(session, kind)
        names = directory.display_names(session, [each.saved_by for each in every])
    screen = {
        "current": current,
        "shown": shown,
        "source": shown.source if source is None else source,
        "based_on": current.version if based_on is None else based_on,
        "versions": every,
        "names": names,
        "problem": problem,
        "labels": sorted(documents.sample_facts(kind)),
        "entry": catalogue().document(kind),
    }
    response = page_with_frame(render_template("document_template.html", **screen))
    response.status_code = status
    return response
