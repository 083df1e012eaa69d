"""One document (文书) as it is printed: A4, headed by its unit, with title, number, text and date."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template

from engine.clock import CHINA
from handlers.cases import service as cases
from handlers.documents import service as documents
from handlers.projects import service as projects
from webapp.context import actor, engine
from webapp.rendering import full_date

blueprint = Blueprint("documents", __name__, url_prefix="/documents")

IN_TEXT = frozenset({"办件编号", "查询码", "事项", "办理依据", "收件时间", "救济途径", "不予理由", "有效期起", "有效期止"})
"""Facts that the letters' sentences say; the others are listed under them."""


@blueprint.get("/<row:document_id>")
def show(document_id: int) -> str:
    """NotFound for whoever may not see the project."""
    with engine().reading() as session:
        document = documents.document(session, actor(), document_id)
        project = projects.get_project(session, actor(), document.project_id)
        case = cases.get_case(session, document.case_id) if document.case_id is not None else None
    facts = {label: _text(value) for label, value in document.facts.items() if label not in IN_TEXT}
    return render_template("document.html", document=document, project=project, case=case, said=document.facts, facts=facts)


def _text(value: Any) -> list[str]:
    """A fact as lines for people: lists line by line, instants as Chinese dates."""
    if isinstance(value, list):
        return [line for item in value for line in _text(item)]
    if isinstance(value, dict):
        return ["，".join(f"{key}：{item}" for key, item in value.items())]
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
