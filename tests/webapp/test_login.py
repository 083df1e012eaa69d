"""Log-in, demo log-in, log-out and server-side sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine import Engine, clock, open_engine
from handlers.directory import service as directory
from tests.webapp.conftest import PASSWORD, log_in
from webapp import create_app, sessions
from webapp.sessions import COOKIE, WebSession


def _rows(engine: Engine) -> list[WebSession]:
    with engine.reading() as session:
        return list(session.scalars(select(WebSession)))


def _log_in(client: FlaskClient, **fields: str) -> int:
    return client.post("/login", data={"username": "zhao", "password": PASSWORD} | fields).status_code


def test_every_page_asks_to_log_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/tasks?box=unit")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/tasks?box%3Dunit"


def test_a_script_is_told_with_401(client: FlaskClient) -> None:
    assert client.post("/tasks/1/draft", json={}).status_code == 401
    fragment = client.get("/tasks/1/pane", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/login?next=/tasks/1/pane")


def test_the_right_password_opens_one_session_and_goes_on(client: FlaskClient, people: Engine) -> None:
    answer = client.post("/login", data={"username": "zhao", "password": PASSWORD, "next": "/account"})
    assert (answer.status_code, answer.location) == (302, "/account")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    (row,) = _rows(people)
    assert row.username == "zhao"
    assert client.get_cookie(COOKIE).value not in row.digest  # type: ignore[union-attr]  # it was set just now
    assert "赵敏" in client.get("/account").get_data(as_text=True)


def test_a_wrong_password_keeps_the_name_and_says_so(client: FlaskClient) -> None:
    answer = client.post("/login", data={"username": "zhao", "password": "not-the-one"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert 'value="zhao"' in page and "用户名或密码不正确" in page
    assert "not-the-one" not in page, "a password is never sent back"


def test_an_unknown_name_is_answered_like_a_wrong_password(client: FlaskClient) -> None:
    answer = client.post("/login", data={"username": "nobody", "password": "x"})
    assert (answer.status_code, "用户名或密码不正确" in answer.get_data(as_text=True)) == (401, True)


def test_five_wrong_passwords_lock_the_account_and_the_failures_are_kept(client: FlaskClient) -> None:
    for _ in range(directory.MAX_FAILED_LOGINS):
        assert _log_in(client, password="wrong") == 401
    assert _log_in(client) == 429


def test_nobody_is_sent_to_another_site_after_log_in(client: FlaskClient) -> None:
    answer = client.post("/login", data={"username": "zhao", "password": PASSWORD, "next": "//evil.example"})
    assert answer.location == "/"


def test_log_out_ends_the_session_on_the_server(app: Flask, people: Engine) -> None:
    client = log_in(app, "li")
    stolen = client.get_cookie(COOKIE).value  # type: ignore[union-attr]  # log_in sets it
    assert client.post("/logout").location == "/login"
    assert _rows(people) == []
    other = app.test_client()
    other.set_cookie(COOKIE, stolen)
    assert other.get("/account").status_code == 302


def test_a_session_ends_after_the_idle_limit(app: Flask, people: Engine) -> None:
    client = log_in(app, "li")
    assert client.get("/account").status_code == 200
    long_ago = clock.wall_now() - timedelta(minutes=people.settings.session_idle_minutes + 1)
    with people.unit_of_work() as session:
        session.execute(update(WebSession).values(seen_at=long_ago))
    assert client.get("/account").status_code == 302


def test_using_it_keeps_a_session_alive(app: Flask, people: Engine) -> None:
    client = log_in(app, "li")
    earlier = clock.wall_now() - timedelta(minutes=people.settings.session_idle_minutes - 1)
    with people.unit_of_work() as session:
        session.execute(update(WebSession).values(seen_at=earlier))
    assert client.get("/account").status_code == 200
    assert _rows(people)[0].seen_at > earlier + timedelta(minutes=1)


def test_a_disabled_person_is_out_at_once(app: Flask, people: Engine) -> None:
    client = log_in(app, "li")
    with people.unit_of_work() as session:
        directory.disable_user(session, "li")
    assert client.get("/account").status_code == 302


def test_a_made_up_cookie_is_nobody(client: FlaskClient) -> None:
    client.set_cookie(COOKIE, "made-up")
    assert client.get("/account").status_code == 302


def test_every_process_signs_with_the_same_key(people: Engine) -> None:
    first, second = create_app(people), create_app(open_engine(people.settings))
    assert first.secret_key == second.secret_key
    assert len(str(first.secret_key)) >= 32


class TestDemo:
    """One click, no password: only when the server was started as a demo, and only for the demo's own people."""

    @pytest.fixture
    def demo(self, people: Engine) -> FlaskClient:
        return create_app(open_engine(replace(people.settings, demo=True))).test_client()

    def test_the_page_offers_the_roles(self, demo: FlaskClient) -> None:
        page = demo.get("/login").get_data(as_text=True)
        assert "李建国" in page and 'value="li"' in page
        assert "赵敏" not in page

    def test_one_click_is_enough(self, demo: FlaskClient) -> None:
        assert demo.post("/login/demo", data={"username": "li"}).status_code == 302
        assert "李建国" in demo.get("/account").get_data(as_text=True)

    def test_a_person_with_a_password_needs_it(self, demo: FlaskClient) -> None:
        assert demo.post("/login/demo", data={"username": "zhao"}).status_code == 404

    def test_without_the_demo_nobody_gets_in_like_this(self, client: FlaskClient) -> None:
        assert "演示角色" not in client.get("/login").get_data(as_text=True)
        assert client.post("/login/demo", data={"username": "li"}).status_code == 404


class TestAccount:
    """The own password and the own sessions."""

    def _change(self, client: FlaskClient, **fields: str) -> tuple[int, str]:
        new = "another long 2023"
        data = {"old": PASSWORD, "new": new, "again": new} | fields
        answer = client.post("/account/password", data=data, follow_redirects=True)
        return answer.status_code, answer.get_data(as_text=True)

    def test_a_new_password_ends_the_other_sessions(self, app: Flask) -> None:
        here, elsewhere = log_in(app, "zhao"), log_in(app, "zhao")
        status, page = self._change(here)
        assert (status, "密码已修改" in page) == (200, True)
        assert here.get("/account").status_code == 200
        assert elsewhere.get("/account").status_code == 302
        assert _log_in(app.test_client(), password="another long 2023") == 302

    @pytest.mark.parametrize(
        ("fields", "status", "words"),
        [
            ({"old": "wrong"}, 401, "不正确"),
            ({"again": "something else"}, 422, "不一致"),
            ({"new": "short", "again": "short"}, 422, "至少"),
        ],
    )
    def test_a_refused_change_says_why(self, app: Flask, fields: dict[str, str], status: int, words: str) -> None:
        got, page = self._change(log_in(app, "zhao"), **fields)
        assert (got, words in page) == (status, True)

    def test_a_session_elsewhere_can_be_ended(self, app: Flask) -> None:
        here, elsewhere = log_in(app, "zhao"), log_in(app, "zhao")
        digest = sessions.digest_of(elsewhere.get_cookie(COOKIE).value)  # type: ignore[union-attr]  # log_in sets it
        here.post(f"/account/sessions/{digest}/revoke")
        assert elsewhere.get("/account").status_code == 302

    def test_another_persons_session_cannot(self, app: Flask) -> None:
        mine, theirs = log_in(app, "zhao"), log_in(app, "li")
        digest = sessions.digest_of(theirs.get_cookie(COOKIE).value)  # type: ignore[union-attr]  # log_in sets it
        mine.post(f"/account/sessions/{digest}/revoke")
        assert theirs.get("/account").status_code == 200
