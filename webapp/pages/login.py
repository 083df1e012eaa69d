"""Log in and out. The demo also offers its roles with one click, when the server was started as a demo."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.errors import LianbanError, NotFound
from handlers.directory import service as directory
from webapp import sessions
from webapp.context import engine, public
from webapp.languages import language, local_path

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
@public
def show() -> Response:
    """The log-in page; whoever is logged in goes on to where they wanted to go."""
    target = local_path(request.args.get("next", "/"))
    if g.user is not None:
        return redirect(target)
    return _page(target)


@blueprint.post("/login")
@public
def log_in() -> Response:
    """Check name and password. A refusal (wrong, locked, disabled) shows the page again with the name kept."""
    target = local_path(request.form.get("next", "/"))
    username = request.form.get("username", "").strip()
    try:
        user = directory.log_in(engine(), username, request.form.get("password", ""))
    except LianbanError as refusal:
        return _page(target, username=username, refusal=refusal)
    return _start_session(user.username, target)


@blueprint.post("/login/demo")
@public
def log_in_demo() -> Response:
    """Become one of the demo's users without a password; only in the demo, which listens on this machine alone."""
    target = local_path(request.form.get("next", "/"))
    username = request.form.get("username", "")
    with engine().reading() as session:
        known = engine().settings.demo and any(user.username == username for user in directory.demo_users(session))
    if not known:
        raise NotFound(what="演示用户", key=username)
    return _start_session(username, target)


@blueprint.post("/logout")
@public
def log_out() -> Response:
    """End this session at once, on the server too."""
    if g.user is not None:
        with engine().unit_of_work() as session:
            sessions.revoke(session, g.user.username, g.session_digest)
    answer = redirect(url_for("login.show"))
    sessions.clear_cookie(answer)
    return answer


def _start_session(username: str, target: str) -> Response:
    with engine().unit_of_work() as session:
        if g.user is not None:
            sessions.revoke(session, g.user.username, g.session_digest)
        token = sessions.open_session(session, username, address=request.remote_addr or "", agent=request.headers.get("User-Agent", ""))
    answer = redirect(target)
    sessions.set_cookie(answer, token)
    return answer


def _page(target: str, *, username: str = "", refusal: LianbanError | None = None) -> Response:
    demo = []
    if engine().settings.demo:
        with engine().reading() as session:
            demo = directory.demo_users(session)
    message = refusal.message(language()) if refusal else ""
    html = render_template("login.html", target=target, username=username, message=message, demo=demo)
    return make_response(html, refusal.status if refusal else 200)
