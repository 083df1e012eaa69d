"""The own account: change the password, see and end one's sessions."""

from __future__ import annotations

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.errors import Invalid, LianbanError
from handlers.directory import service as directory
from webapp import sessions
from webapp.context import engine, user
from webapp.languages import language

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
def show() -> Response:
    return _page()


@blueprint.post("/password")
def change_password() -> Response:
    """Change the own password; every other session of the person ends."""
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    try:
        if new != again:
            raise Invalid(reason="两次输入的新密码不一致")
        with engine().unit_of_work() as session:
            directory.change_password(session, user().username, old, new)
            sessions.revoke_all(session, user().username, keep=g.session_digest)
    except LianbanError as refusal:
        return _page(refusal)
    flash(_("密码已修改，其他地方的登录已退出。"), "success")
    return redirect(url_for("account.show"))


@blueprint.post("/sessions/<digest>/revoke")
def revoke(digest: str) -> Response:
    """End one of the own sessions, for instance on a machine in another office."""
    with engine().unit_of_work() as session:
        sessions.revoke(session, user().username, digest)
    flash(_("已退出那一处登录。"), "success")
    return redirect(url_for("account.show"))


def _page(refusal: LianbanError | None = None) -> Response:
    with engine().reading() as session:
        rows = [
            {"digest": row.digest, "seen_at": row.seen_at, "created_at": row.created_at, "address": row.address, "agent": row.agent}
            for row in sessions.sessions_of(session, user().username)
        ]
    message = refusal.message(language()) if refusal else ""
    html = render_template("account.html", sessions=rows, here=g.session_digest, message=message, min_password=directory.MIN_PASSWORD)
    return make_response(html, refusal.status if refusal else 200)
