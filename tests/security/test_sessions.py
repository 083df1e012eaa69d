"""A session belongs to one log-in: nobody can prepare one for somebody else (session fixation)."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from tests.webapp.conftest import PASSWORD
from webapp import sessions

FORM = {"username": "zhao", "password": PASSWORD}


def _token(client: FlaskClient) -> str:
    cookie = client.get_cookie(sessions.COOKIE)
    assert cookie is not None
    return cookie.value


def test_a_prepared_token_is_not_taken_over_by_the_log_in(app: Flask) -> None:
    visitor = app.test_client()
    visitor.set_cookie(sessions.COOKIE, "prepared-by-somebody-else")
    assert visitor.post("/login", data=FORM).status_code == 302
    assert _token(visitor) != "prepared-by-somebody-else"
    other = app.test_client()
    other.set_cookie(sessions.COOKIE, "prepared-by-somebody-else")
    assert other.get("/tasks").status_code == 302, "still a stranger"


def test_logging_in_again_ends_the_session_before(app: Flask) -> None:
    visitor = app.test_client()
    visitor.post("/login", data=FORM)
    first = _token(visitor)
    visitor.post("/login", data=FORM)
    assert _token(visitor) != first
    left_behind = app.test_client()
    left_behind.set_cookie(sessions.COOKIE, first)
    assert left_behind.get("/tasks").status_code == 302
