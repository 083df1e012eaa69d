"""办事指引: a few questions, then everything to do and hand in, to read and print; for a registered project as its 一次性告知书.

The answers are in the address (question=option), so the page keeps nothing, can be bookmarked and goes back with the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from handlers.catalogue.service import catalogue
from handlers.directory import service as directory
from handlers.guide import service as guide
from handlers.projects import service as projects
from webapp.context import actor, engine

blueprint = Blueprint("guide", __name__)


@blueprint.get("/guide")
def show() -> str:
    """The guide for a project that is only planned."""
    with engine().reading() as session:
        return render_template("guide.html", project=None, **_screen(session, {"project": {}, "application": {}}))


@blueprint.get("/projects/<row:project_id>/guide")
def of_project(project_id: int) -> str:
    """The guide of a registered project: what its registration says is answered already."""
    with engine().reading() as session:
        known = guide.project_facts(session, actor(), project_id)
        project = projects.get_project(session, actor(), project_id)
        return render_template("guide.html", project=project, **_screen(session, known, project))


@blueprint.post("/projects/<row:project_id>/guide")
def issue(project_id: int) -> Response:
    """Issue the 一次性告知书 as answered."""
    with engine().unit_of_work() as session:
        facts, _answers = _answered(guide.project_facts(session, actor(), project_id), request.form)
        document = guide.issue(session, actor(), project_id, facts)
    flash(_("已出具一次性告知书。"), "success")
    return redirect(url_for("documents.show", document_id=document.id))


def _screen(session: Session, known: Mapping[str, Any], project: projects.Project | None = None) -> dict[str, Any]:
    facts, answers = _answered(known, request.args)
    question = guide.next_question(facts)
    found = guide.needed(session, facts, project) if question is None else []
    return {
        "question": question,
        "answers": answers,
        "done": [_line(q, facts, answers) for q in guide.asked(facts) if guide.chosen(q, facts) is not None],
        "number": len([q for q in guide.asked(facts) if guide.chosen(q, facts) is not None]) + 1,
        "needed": found,
        "note": guide.material_note,
        "stage_names": catalogue().stage_names,
        "units": directory.unit_names(session),
        "counts": {
            "items": len([one for one in found if not one.spared_by]),
            "materials": len({m.wanted.name for one in found for m in one.materials}),
            "own": len({m.wanted.name for one in found for m in one.materials if m.wanted.source == "申请人自备"}),
        },
    }


def _answered(known: Mapping[str, Any], given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts with the answers of the address, in the questions' order, and those answers; what does not fit is left out."""
    facts, answers = dict(known), {}
    for question in guide.questions():
        text = given.get(question.code, "")
        matters = any(q.code == question.code for q in guide.asked(facts))
        if matters and text.isascii() and text.isdecimal() and int(text) < len(question.options):
            facts, answers[question.code] = guide.answer(facts, question.code, int(text)), text
    return facts, answers


def _line(question: guide.Question, facts: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    """An answered question; `without` are the answers before it, to answer it again."""
    number = guide.chosen(question, facts)
    order = [q.code for q in guide.questions()]
    before = {code: text for code, text in answers.items() if order.index(code) < order.index(question.code)}
    return {
        "text": question.text,
        "label": question.options[number].label if number is not None else "",
        "without": before if question.code in answers else None,
    }
