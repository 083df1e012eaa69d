"""登记项目: an investor registers the own project, the window registers on behalf of one. The form comes from the deployed files."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.errors import Forbidden, Invalid
from handlers.directory import service as directory
from handlers.projects import service as projects
from webapp.context import actor, engine, user
from webapp.submission import submitted_data

blueprint = Blueprint("register", __name__, url_prefix="/projects/new")


@blueprint.get("")
def show() -> str:
    """The registration form; the window first chooses for whom (`for` in the address)."""
    chosen = request.args.get("for", "")
    with engine().reading() as session:
        investors = _investors(session)
        schema = projects.registration_form(session)
    names = {investor.username: investor for investor in investors}
    if chosen and chosen not in names:
        raise Invalid(reason=f"“{chosen}”不是项目单位的用户")
    investor = names.get(chosen) if investors else user()
    data = {"project": {"jsdw": investor.organisation}} if investor is not None and investor.organisation else {}
    address = {"request": secrets.token_urlsafe(16)} | ({"for": chosen} if investors else {})
    return render_template("register.html", schema=schema, data=data, investors=investors, chosen=investor, address=address)


@blueprint.post("")
def register() -> Response:
    """Register from {"data": {"project": {...}}} -> {"next": the project's page}; wrong fields answer 422 with their paths.

    `request` in the address is the word that the form was shown with: sending it twice registers once.
    """
    data = submitted_data()
    with engine().unit_of_work() as session:
        project = projects.register_project(
            session, actor(), data, request.args.get("for") or None, request=request.args.get("request", "")[:100]
        )
    flash(_("已登记“%(name)s”，审批流程已启动。", name=project.name), "success")
    return jsonify(next=url_for("projects.show", project_id=project.id))


def _investors(session: Any) -> list[directory.User]:
    """Whom this person may register for: everybody for the window, nobody but oneself for an investor. Forbidden for other staff."""
    if actor().can("represent_owner"):
        return [person for person in directory.users(session) if person.kind == "investor" and not person.disabled]
    if directory.is_staff(actor()):
        raise Forbidden(reason="项目由项目单位自己登记，或由综合窗口代为登记")
    return []
