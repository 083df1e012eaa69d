"""Documents of a project: the list by case, one document with its PDF, its data and its service, and the case file as one zip."""

from __future__ import annotations

import tempfile
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import commands
from engine.clock import CHINA
from engine.errors import Conflict, Invalid
from handlers.cases import service as cases
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.projects import service as projects
from webapp.context import actor, engine
from webapp.pdf_pages import page_with_frame, send_pdf
from webapp.rendering import full_date

blueprint = Blueprint("documents", __name__)

INDEX = documents.bundle.INDEX
NOT_LISTED = frozenset({"办件编号", "事项", "意见内容"})
"""Facts that stand elsewhere on the page, or are the content of a case file."""


@blueprint.get("/projects/<row:project_id>/documents")
def index(project_id: int) -> str:
    """Every document of the project under its case, whether it is printed and served; the case files below. `q` searches number, title,
    body and what the documents say."""
    q = request.args.get("q", "").strip()[:100]
    with engine().reading() as session:
        project = projects.get_project(session, actor(), project_id)
        found = [each for each in documents.documents_of(session, project_id, actor=actor()) if _says(each, q)]
        by_case: dict[int | None, list[documents.Document]] = {}
        for each in found:
            if each.kind != INDEX:
                by_case.setdefault(each.case_id, []).append(each)
        known = {case.id: case for case in cases.cases_of(session, project_id)}
        screen = {
            "project": project,
            "q": q,
            "groups": [(known.get(key) if key is not None else None, rows) for key, rows in by_case.items()],
            "files": documents.files_of(session, [each.id for each in found]),
            "failed": documents.failed_documents(session, found),
            "services": documents.receipts.services(session, [each.id for each in found]),
            "indexes": [each for each in found if each.kind == INDEX],
            "may_bundle": lambda case_id: documents.bundle.may_bundle(session, actor(), project_id, case_id),
        }
        return render_template("documents.html", **screen)


def _says(found: documents.Document, q: str) -> bool:
    """Whether a search word stands in a document."""
    return not q or any(
        q in text for text in (found.number or "", found.title, found.unit_name, found.addressee, *map(str, found.facts.values()))
    )


@blueprint.get("/documents/<row:document_id>")
def show(document_id: int) -> Response:
    """NotFound for whoever may not see the project, or a document that is internal to the offices."""
    with engine().reading() as session:
        found = documents.document(session, actor(), document_id)
        screen = _screen(session, found)
    return page_with_frame(render_template("document.html", **screen))


def _screen(session: Session, found: documents.Document) -> dict[str, Any]:
    receipts = documents.receipts
    service = receipts.services(session, [found.id]).get(found.id)
    people = [found.issued_by, service.served_by if service else None]
    return {
        "document": found,
        "code": documents.grouped(found.verification_code),
        "project": projects.get_project(session, actor(), found.project_id),
        "case": cases.get_case(session, found.case_id) if found.case_id is not None else None,
        "file": documents.file_of(session, found.id),
        "production": documents.production(session, found),
        "unchanged": documents.is_unchanged(session, found.id),
        "facts": {label: text_lines(value) for label, value in found.facts.items() if value and label not in NOT_LISTED},
        "names": directory.display_names(session, people),
        "service": service,
        "may_serve": service is None
        and found.kind not in receipts.BY_TASK | {receipts.RECEIPT, INDEX}
        and receipts.may_serve(actor(), found),
        "methods": receipts.METHODS,
        "is_index": found.kind == INDEX,
    }


@blueprint.get("/documents/<row:document_id>/pdf")
def pdf(document_id: int) -> Response:
    """The PDF itself; `download=1` offers it as a file. Conflict while it is not printed."""
    with engine().reading() as session:
        found, path = documents.open_file(session, actor(), document_id)
    return send_pdf(path, f"{found.title} {found.number or ''}".strip(), download="download" in request.args)


@blueprint.post("/documents/<row:document_id>/retry")
def retry(document_id: int) -> Response:
    """Print again what failed; only for those who may operate."""
    with engine().unit_of_work() as session:
        found = documents.document(session, actor(), document_id)
        state = documents.production(session, found)
        if state.incident_key is None:
            raise Conflict(reason=_("这份文书没有待处理的故障"))
        commands.resolve_incident(session, actor(), state.incident_key)
    flash(_("已重新生成，请稍后查看"), "success")
    return redirect(url_for("documents.show", document_id=document_id))


@blueprint.post("/documents/<row:document_id>/service")
def serve(document_id: int) -> Response:
    """Record how and when a document was served; its receipt is written."""
    form = request.form
    handover = documents.receipts.Handover(
        method=form.get("method", ""),
        served_at=_moment(form.get("served_at", "")),
        recipient=form.get("recipient", "").strip()[:100],
        signed_by=form.get("signed_by", "").strip()[:100],
        tracking_number=form.get("tracking_number", "").strip()[:100],
        note=form.get("note", "").strip()[:500],
    )
    with engine().unit_of_work() as session:
        receipt = documents.receipts.serve(session, actor(), document_id, handover)
    flash(_("已登记送达并出具送达回证"), "success")
    return redirect(url_for("documents.show", document_id=receipt.id))


@blueprint.post("/projects/<row:project_id>/case-file")
def file_case(project_id: int) -> Response:
    """Fix what belongs to the case file (of a case, or of the whole project) and issue its index."""
    with engine().unit_of_work() as session:
        index_ = documents.bundle.file_case(session, actor(), project_id, request.form.get("case", type=int))
    flash(_("案卷目录已出具，生成后即可下载案卷包"), "success")
    return redirect(url_for("documents.show", document_id=index_.id))


@blueprint.get("/documents/<row:document_id>/bundle")
def bundle(document_id: int) -> Response:
    """The case file of an index as a zip."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with engine().reading() as session:
        name = documents.bundle.write_bundle(session, actor(), document_id, target)
    with engine().unit_of_work() as session:
        documents.bundle.record_taken(session, actor(), document_id)
    target.seek(0)
    return send_file(target, mimetype="application/zip", as_attachment=True, download_name=name)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(reason=_("请填写送达时间")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def text_lines(value: Any) -> list[str]:
    """A fact as lines for people: lists line by line, instants as Chinese dates."""
    if isinstance(value, list):
        return [line for item in value for line in text_lines(item)]
    if isinstance(value, dict):
        return ["，".join(f"{key}：{'、'.join(text_lines(item))}" for key, item in value.items() if item not in (None, "", []))]
    if isinstance(value, str) and len(value) >= 10 and value[:4].isdecimal() and value[4] == "-":
        moment = _instant(value)
        return [full_date(moment) if moment is not None else value]
    return ["是" if value is True else "否" if value is False else str(value)]


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
