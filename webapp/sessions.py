"""Log-in sessions kept on the server: one row per log-in, an idle limit, and revocation that works at once.

The cookie holds a random token, the table only its digest: whoever reads the database cannot take over a session.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from flask import Flask, Request, Response, current_app, g, jsonify, redirect, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from sqlalchemy import Integer, String, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.wrappers import Response as AnyResponse

from engine import Engine, clock
from engine.policy import Actor
from engine.settings import Settings
from engine.store.database import Base, Instant
from engine.store.prepared import Prepared
from engine.unit_of_work import forget_glance, glance
from handlers.directory import service as directory
from webapp.context import engine, is_fragment, wants_json

COOKIE = "lianban_session"
TOUCH_EVERY = timedelta(minutes=1)
"""`seen_at` is written at most this often, so that reading pages costs no write."""


class WebSession(Base):
    """One log-in of one person from one browser."""

    __tablename__ = "web_session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(String(100), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant, index=True)
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(300), default="")


_log_ins = Base.metadata.tables["web_session"].c
_WHOSE = _log_ins.username == directory.PEOPLE.selected_columns.username
_LOG_IN = Prepared(
    directory.PEOPLE.join(Base.metadata.tables["web_session"], _WHOSE)
    .add_columns(_log_ins.seen_at)
    .where(_log_ins.digest == bindparam("session"))
)
"""Who is logged in with a session, everything that decides what they may: asked anew by every request, so that a change holds at once."""


class WebSecret(Base):
    """The key that signs flash messages: made once, shared by every process of an installation."""

    __tablename__ = "web_secret"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(100))


def shared_secret(engine: Engine) -> str:
    """The installation's key, made by whoever starts first. Needs the schema."""
    with engine.reading() as session:
        row = session.get(WebSecret, 1)
        if row is not None:
            return row.value
    value = secrets.token_urlsafe(32)
    try:
        with engine.unit_of_work() as session:
            session.add(WebSecret(id=1, value=value))
    except IntegrityError:  # another process was first
        return shared_secret(engine)
    return value


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(session: Session, username: str, *, address: str = "", agent: str = "") -> str:
    """Record a log-in and return the token for the cookie. Sessions past the idle limit are swept on the way."""
    now = clock.wall_now()
    session.execute(delete(WebSession).where(WebSession.seen_at < now - idle_limit()))
    token = secrets.token_urlsafe(32)
    row = WebSession(digest=digest_of(token), username=username, created_at=now, seen_at=now, address=address[:64], agent=agent[:300])
    session.add(row)
    return token


def is_live(session: Session, digest: str, settings: Settings) -> bool:
    """Whether a log-in still holds: not ended, not idle for too long, its person not disabled."""
    row = session.get(WebSession, digest)
    if row is None or row.seen_at < clock.wall_now() - timedelta(minutes=settings.session_idle_minutes):
        return False
    person = directory.get_user(session, row.username)
    return person is not None and not person.disabled


def sessions_of(session: Session, username: str) -> list[WebSession]:
    """The person's live sessions, latest first."""
    live = WebSession.seen_at >= clock.wall_now() - idle_limit()
    return list(session.scalars(select(WebSession).where(WebSession.username == username, live).order_by(WebSession.seen_at.desc())))


def revoke(session: Session, username: str, digest: str) -> None:
    """End one session of the person (their own log-out, or one on another machine)."""
    session.execute(delete(WebSession).where(WebSession.username == username, WebSession.digest == digest))


def revoke_all(session: Session, username: str, *, keep: str = "") -> None:
    """End every session of the person but the one with the digest `keep`: after a password change, or when an account is disabled."""
    session.execute(delete(WebSession).where(WebSession.username == username, WebSession.digest != keep))


def idle_limit() -> timedelta:
    return timedelta(minutes=engine().settings.session_idle_minutes)


def set_cookie(answer: AnyResponse, token: str) -> None:
    answer.set_cookie(COOKIE, token, httponly=True, samesite="Lax", secure=request.is_secure, path="/")


def clear_cookie(answer: AnyResponse) -> None:
    answer.delete_cookie(COOKIE, path="/")


class FlashSessions(SecureCookieSessionInterface):
    """Flask's session, which here only carries flash messages: without its cookie there is nothing to check a signature of."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        """As the log-in's: over https only when the visitor came that way."""
        return request.is_secure


def install(app: Flask) -> None:
    app.session_interface = FlashSessions()
    opened: Engine = app.extensions["lianban"]
    app.secret_key = opened.settings.secret_key or shared_secret(opened)
    app.config.update(SESSION_COOKIE_NAME="lianban_flash", SESSION_COOKIE_SAMESITE="Lax")
    app.before_request(load_user)
    app.before_request(require_login)
    app.teardown_request(lambda _error: forget_glance())


def load_user() -> None:
    """Put the logged-in user, the actor for commands and the session's digest on `g` (None without a session).

    One query without a transaction: every request asks it before anything else.
    """
    g.user = g.actor = None
    g.session_digest = ""
    token = request.cookies.get(COOKIE)
    if not token or request.endpoint == "static":
        return
    digest, now = digest_of(token), clock.wall_now()
    rows = glance(engine().runtime, _LOG_IN, {"session": digest})
    if not rows or (seen_at := rows[0][-1]) < now - idle_limit():
        return
    user = directory.person(rows)
    if user.disabled:
        return
    g.user, g.actor, g.session_digest = user, _actor(user), digest
    if seen_at < now - TOUCH_EVERY:
        _touch(digest)


def _actor(user: directory.User) -> Actor:
    if user.kind != "investor":
        return directory.staff_actor(user)
    with engine().reading() as session:
        return directory.actor_for(session, user)


def _touch(digest: str) -> None:
    # a full disk must not keep people from reading; whether they may is already known
    with suppress(OperationalError), engine().unit_of_work() as session:
        session.execute(update(WebSession).where(WebSession.digest == digest).values(seen_at=clock.wall_now()))


def require_login() -> AnyResponse | None:
    """Everything needs a log-in but static files and views marked `@public`."""
    view = current_app.view_functions.get(request.endpoint or "")
    if g.user is not None or view is None or request.endpoint == "static" or getattr(view, "public", False):
        return None
    return _ask_to_log_in()


def _ask_to_log_in() -> AnyResponse:
    target = url_for("login.show", next=request.full_path.rstrip("?") if request.method == "GET" else "/")
    if is_fragment():
        return Response("", 401, {"HX-Redirect": target})
    if wants_json():
        answer = jsonify(title="Unauthorized", status=401, detail="请先登录 / log in first", code="unauthorized", type="about:blank")
        answer.status_code = 401
        return answer
    return redirect(target)
