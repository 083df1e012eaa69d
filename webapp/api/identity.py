"""For whom a program acts: name and password (Basic), an API token (bearer), the log-in of a browser, or in the demo nobody at all.

Without any of them the demo lets Camunda Modeler act as the demo's analyst: only on this machine itself, only under its own name, and
never for a page of another site. A multipart POST needs no CORS preflight, so that a foreign page could otherwise deploy.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from ipaddress import ip_address

from flask import current_app, g, request

from engine.errors import LianbanError
from engine.policy import Actor
from handlers.directory import service as directory
from handlers.directory import tokens
from webapp.api.operation import Operation
from webapp.context import engine

CACHED = 1000


class LoginNeeded(LianbanError):
    """请用用户名和密码（Basic）或访问令牌（Bearer）访问接口。

    Unauthorized: send a user name and password (Basic) or an API token (Bearer).
    """

    code = "unauthorized"
    status = 401


class _Verified:
    """Name and password pairs that were right a moment ago, as keyed digests: checking a password takes a tenth of a second on purpose,
    and a client sends it with every request. An entry is worth nothing once the password has changed or the person is disabled."""

    def __init__(self) -> None:
        self._secret, self._lock = secrets.token_bytes(32), threading.Lock()
        self._stamps: OrderedDict[bytes, str] = OrderedDict()

    def knows(self, username: str, password: str, stamp: str) -> bool:
        with self._lock:
            return bool(stamp) and self._stamps.get(self._digest(username, password)) == stamp

    def remember(self, username: str, password: str, stamp: str) -> None:
        with self._lock:
            self._stamps[self._digest(username, password)] = stamp
            while len(self._stamps) > CACHED:
                self._stamps.popitem(last=False)

    def _digest(self, username: str, password: str) -> bytes:
        return hmac.new(self._secret, f"{len(username)}:{username}:{password}".encode(), hashlib.sha256).digest()


_verified = _Verified()


def identify() -> None:
    """Before every request of an API: put the actor on `g`, unless the operation is open to everybody. Raises LoginNeeded and the like."""
    view = current_app.view_functions.get(request.endpoint or "")
    operation: Operation | None = getattr(view, "operation", None)
    if view is None or operation is None or operation.open:  # the OpenAPI document is open too
        return
    g.actor = _actor()


def _actor() -> Actor:
    header = request.headers.get("Authorization", "").strip()
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return _by_password(value.strip())
    if scheme.lower() == "bearer":
        with engine().reading() as session:
            return directory.actor_named(session, tokens.holder(session, value.strip()))
    if header:
        raise LoginNeeded
    if g.get("actor") is not None:  # a browser with a log-in, see sessions.load_user; security.py has refused foreign pages
        actor: Actor = g.actor
        return actor
    return _demo_analyst()


def _by_password(value: str) -> Actor:
    username, password = _credentials(value)
    with engine().reading() as session:
        if _verified.knows(username, password, directory.password_stamp(session, username)):
            return directory.actor_named(session, username)
    user = directory.log_in(engine(), username, password, request.remote_addr or "")
    with engine().reading() as session:
        _verified.remember(username, password, directory.password_stamp(session, username))
        return directory.actor_for(session, user)


def _credentials(value: str) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise LoginNeeded from None
    if not colon or "\0" in username + password or len(username) > 100 or len(password) > 1000:
        raise LoginNeeded
    return username, password


def _demo_analyst() -> Actor:
    if not _from_this_machine():
        raise LoginNeeded
    with engine().reading() as session:
        user = directory.demo_analyst(session)
        if user is None:
            raise LoginNeeded
        return directory.actor_for(session, user)


def _from_this_machine() -> bool:
    """The demo, bound to this machine, called from it by its own name, with no browser page of another site behind it."""
    settings = engine().settings
    if not settings.demo or not _is_loopback(settings.host) or not _is_loopback(request.remote_addr or ""):
        return False
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:  # through a proxy anybody is "this machine"
        return False
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return False
    name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdecimal() else request.host
    return _is_loopback(name.strip("[]"))


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
