"""Log in and out. The demo also offers its roles with one click, when the server was started as a demo."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from engine.errors import LianbanError, NotFound
from engine.store.models import user_task
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
        user = directory.log_in(engine(), username, request.form.get("password", ""), request.remote_addr or "")
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


BUSIEST = 12
OPEN_GROUPS = 3


def _demo_groups() -> list[tuple[str, list[tuple[directory.DemoUser, int]], bool]]:
    """(heading, [(person, how many tasks wait for them)], whether unfolded): first those with most to do, then everybody by group."""
    with engine().reading() as session:
        people = directory.demo_users(session)
        statement = select(user_task.c.assignee, func.count()).where(user_task.c.state == "CREATED").group_by(user_task.c.assignee)
        waiting = {name: count for name, count in session.execute(statement) if name}
    lines = [(person, waiting.get(person.username, 0)) for person in people]
    busy = sorted((line for line in lines if line[1]), key=lambda line: -line[1])[:BUSIEST]
    groups: dict[str, list[tuple[directory.DemoUser, int]]] = {_("手上有任务的人"): busy} if busy else {}
    for line in lines:
        groups.setdefault(line[0].group, []).append(line)
    return [(heading, members, number < OPEN_GROUPS) for number, (heading, members) in enumerate(groups.items())]


def _page(target: str, *, username: str = "", refusal: LianbanError | None = None) -> Response:
    groups = _demo_groups() if engine().settings.demo else []
    message = refusal.message(language()) if refusal else ""
    html = render_template("login.html", target=target, username=username, message=message, groups=groups)
    return make_response(html, refusal.status if refusal else 200)
