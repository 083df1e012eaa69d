"""消息: what the system told this person; opening one marks it as read and leads to its project."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from handlers.notices import service as notices
from handlers.projects import service as projects
from webapp.context import actor, engine

blueprint = Blueprint("notices", __name__, url_prefix="/notices")

LAST_PAGE = 100_000
"""Beyond it the database's OFFSET would overflow; nobody has three million messages."""


@blueprint.app_context_processor
def count_unread() -> dict[str, object]:
    """`unread_notices()` for the top bar of every page."""
    return {"unread_notices": _unread}


def _unread() -> int:
    if g.get("actor") is None:
        return 0
    with engine().reading() as session:
        return notices.unread_count(session, actor())


@blueprint.get("")
def index() -> str:
    """The inbox, newest first; `box=unread` shows what was not opened yet."""
    unread_only = request.args.get("box") == "unread"
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    with engine().reading() as session:
        rows = notices.inbox(session, actor(), unread_only=unread_only, page=page)
        unread = notices.unread_count(session, actor())
        names = projects.project_names(session, {row.project_id for row in rows if row.project_id is not None})
    return render_template(
        "notices.html", rows=rows, names=names, unread=unread, unread_only=unread_only, page=page, more=len(rows) == notices.PAGE
    )


@blueprint.post("/<row:notice_id>")
def open_one(notice_id: int) -> Response:
    """Mark one message as read and go to what it is about."""
    with engine().unit_of_work() as session:
        notices.mark_read(session, actor(), notice_id)
    target = request.form.get("project", type=int)
    return redirect(url_for("projects.show", project_id=target) if target else url_for("notices.index"))


@blueprint.post("/read")
def read_all() -> Response:
    """Mark every message as read."""
    with engine().unit_of_work() as session:
        notices.mark_all_read(session, actor())
    return redirect(url_for("notices.index"))
