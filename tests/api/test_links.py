"""The addresses that Camunda Modeler opens lead to our pages."""

from __future__ import annotations

from flask import Flask

from tests.webapp.conftest import log_in

PAGES = {
    "/operate/processes?process=approval&version=2&active=true&incidents=true": "/definitions/processes/approval?version=2",
    "/operate/processes/7": "/instances/7",
    "/operate/decisions?name=api_level&version=1": "/definitions/decisions/api_level?version=1",
    "/operate/processes": "/definitions",
    "/operate": "/definitions",
    "/tasklist": "/tasks",
}


def test_the_links_of_the_modeler_open_our_pages(app: Flask) -> None:
    browser = log_in(app, "ana")
    assert {address: browser.get(address).location for address in PAGES} == PAGES


def test_who_is_not_logged_in_logs_in_first(app: Flask) -> None:
    assert app.test_client().get("/operate/processes/7").location.startswith("/login")


def test_camunda_7s_pages_are_ours(app: Flask) -> None:
    links = app.test_client().get("/.well-known/camunda-automation-platform/webapps").get_json()
    assert links["cockpitUrl"].endswith("/operate") and links["tasklistUrl"].endswith("/tasklist")
