"""Behind reverse proxies (LIANBAN_TRUSTED_PROXIES): who came from where, and whether over https, is what the trusted ones say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from engine import Engine, open_engine
from tests.snapshots import Snapshots
from tests.webapp.conftest import PASSWORD, add_people
from webapp import create_app, sessions

MADE_UP, VISITOR, INNER_PROXY = "6.6.6.6", "203.0.113.9", "10.0.0.5"


@pytest.fixture(params=[0, 1, 2])
def engine(request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    with snapshots.opened("sqlite", request, tmp_path, add_people, open_engine, trusted_proxies=request.param) as (opened, _nothing):
        yield opened


def log_in(engine: Engine, **headers: str) -> tuple[TestResponse, str]:
    """Log in through the form with these headers -> the answer, and the address that was written down."""
    app = create_app(engine)
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = app.test_client().post("/login", data={"username": "zhao", "password": PASSWORD}, headers=said)
    with app.app_context(), engine.reading() as session:
        (row,) = sessions.sessions_of(session, "zhao")
        return answer, row.address


def test_the_address_is_the_one_that_the_outermost_trusted_proxy_saw(engine: Engine) -> None:
    expected = {0: "127.0.0.1", 1: INNER_PROXY, 2: VISITOR}[engine.settings.trusted_proxies]
    _answer, address = log_in(engine, X_Forwarded_For=f"{MADE_UP}, {VISITOR}, {INNER_PROXY}")
    assert address == expected


def test_cookies_are_for_https_only_when_the_trusted_proxy_says_that_it_is(engine: Engine) -> None:
    answer, _address = log_in(engine, X_Forwarded_Proto="https, https", X_Forwarded_For=f"{VISITOR}, {INNER_PROXY}")
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    assert all(("Secure" in cookie) is (engine.settings.trusted_proxies > 0) for cookie in cookies)


def test_over_http_they_work_without(engine: Engine) -> None:
    answer, _address = log_in(engine, X_Forwarded_Proto="http, http", X_Forwarded_For=f"{VISITOR}, {INNER_PROXY}")
    assert answer.status_code == 302
    assert not any("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_a_made_up_host_is_never_believed(engine: Engine) -> None:
    page = (
        create_app(engine)
        .test_client()
        .post(
            "/login",
            data={"username": "zhao", "password": PASSWORD},
            headers={"X-Forwarded-Host": "evil.example", "Origin": "http://evil.example"},
        )
    )
    assert page.status_code == 403
