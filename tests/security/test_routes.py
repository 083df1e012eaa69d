"""Every address of the application, one by one: what it answers a stranger, and what it does for a page of another site."""

from __future__ import annotations

import pytest
from flask import Flask

from engine import Engine
from handlers.directory import service as directory
from tests.security.walk import SAFE, asks
from tests.webapp.conftest import log_in
from webapp import create_app

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

OPEN = {
    "GET /static/<path:filename>",
    "GET /health",
    "GET /ready",
    "GET /login",
    "POST /login",
    "POST /login/demo",
    "POST /logout",
    "POST /language/<code>",
    "GET /verify",
    "GET /verify/<code>",
    "POST /verify/<code>",
    "GET /v2/openapi.json",
    "GET /v2/topology",
    "GET /v2/status",
    "GET /v2/license",
    "GET /v2/document-links/<ticket>",
    "GET /engine-rest/openapi.json",
    "GET /engine-rest/version",
    "GET /.well-known/camunda-automation-platform/webapps",
}
"""What needs no log-in: signing in and out, checking a paper that one holds, whether the server lives, what clients ask first, and a
link to one file that somebody with access has signed."""


@pytest.fixture
def site(engine: Engine) -> Flask:
    """The application with an administrator, who could do anything."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
        directory.create_demo_user(session, "root", "管理员", "admin")
    return create_app(engine)


def test_a_stranger_is_asked_to_log_in_everywhere_but_where_it_is_said(site: Flask) -> None:
    client = site.test_client()
    answered = set()
    for ask in asks(site):
        answer = client.open(ask.address, method=ask.method)
        asked_to_log_in = answer.status_code == 302 and answer.location.startswith("/login?next=")
        if not asked_to_log_in and answer.status_code != 401:
            answered.add(ask.name)
    assert answered == OPEN - {"POST /login"}, "which answers 401 to a wrong password"


def test_a_stranger_with_a_wrong_key_is_refused_by_every_operation(site: Flask) -> None:
    """What is wrong is never taken for none, which in the demo is somebody."""
    client = site.test_client()
    for header in ("Bearer lb_wrong", "Bearer ", "Basic !", "Digest x"):
        for ask in asks(site):
            if ask.address.startswith(("/v2/", "/engine-rest/")) and ask.name not in OPEN:
                assert client.open(ask.address, method=ask.method, headers={"Authorization": header}).status_code == 401, ask.name


ELSEWHERE = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"})


def test_nothing_is_done_for_a_page_of_another_site(site: Flask) -> None:
    """The browser says where a request comes from; forms need no token. Log-in and log-out, too, are nobody else's to send."""
    client = log_in(site, "root")
    changing = [ask for ask in asks(site) if ask.method not in SAFE]
    assert len(changing) > 80, "the walk found the addresses"
    for ask in changing:
        for headers in ELSEWHERE:
            answer = client.open(ask.address, method=ask.method, headers={**headers, "Accept": "application/json"})
            assert answer.status_code == 403 and "来自其他网站" in answer.text, (ask.name, headers)
    assert client.get("/account").status_code == 200, "still logged in"
