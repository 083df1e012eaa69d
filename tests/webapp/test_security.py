"""Cross-site requests, headers, sizes and error pages, on a small application with the real protection."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from engine.errors import Conflict, Forbidden, FormInvalid, NotFound
from webapp import SMALL_BODY_BYTES, languages, rendering, security

REFUSALS = {
    "not-found": NotFound(what="任务", key=7),
    "forbidden": Forbidden(reason="这项任务属于其他部门"),
    "conflict": Conflict(reason="任务已办结"),
    "form": FormInvalid({"review.opinion": ["审查意见：必填。"]}),
}


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("webapp", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = SMALL_BODY_BYTES
    for part in (languages, security, rendering):
        part.install(app)
    app.jinja_env.globals.update(places=list, endpoint_exists=lambda name: False)
    app.add_url_rule("/ok", view_func=lambda: f"len {len(request.get_data())}", methods=["GET", "POST"], endpoint="ok")

    def refuse(name: str) -> str:
        raise REFUSALS[name]

    def crash() -> str:
        raise RuntimeError("secret detail")

    app.add_url_rule("/refuse/<name>", view_func=refuse, methods=["GET", "POST"])
    app.add_url_rule("/v2/refuse/<name>", view_func=refuse, methods=["GET", "POST"], endpoint="api")
    app.add_url_rule("/crash", view_func=crash)
    return app.test_client()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8081"}, 403),
        ({}, 200),
    ],
)
def test_a_changing_request_of_another_site_is_refused(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/ok", headers=headers).status_code == status


def test_reading_from_another_site_is_allowed(client: FlaskClient) -> None:
    assert client.get("/ok", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_the_browsers_word_wins_over_the_origin(client: FlaskClient) -> None:
    assert client.post("/ok", headers={"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}).status_code == 403


def test_headers_forbid_inline_script_framing_and_sniffing(client: FlaskClient) -> None:
    first, second = client.get("/ok"), client.get("/ok")
    policy = first.headers["Content-Security-Policy"]
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in script and "'nonce-" in script
    assert policy != second.headers["Content-Security-Policy"], "a nonce is used once"
    assert "frame-ancestors 'none'" in policy
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert first.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("name", "status"), [("not-found", 404), ("forbidden", 403), ("conflict", 409), ("form", 422)])
def test_a_refusal_is_a_clear_page_with_the_right_status(client: FlaskClient, name: str, status: int) -> None:
    answer = client.get(f"/refuse/{name}")
    assert answer.status_code == status
    assert "text/html" in answer.content_type
    page = answer.get_data(as_text=True)
    assert REFUSALS[name].message() in page
    assert "<html" in page and "Traceback" not in page


def test_a_fragment_gets_a_fragment(client: FlaskClient) -> None:
    answer = client.get("/refuse/conflict", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "<html" not in answer.get_data(as_text=True)
    assert "任务已办结" in answer.get_data(as_text=True)


def test_a_script_gets_problem_json_with_the_fields(client: FlaskClient) -> None:
    answer = client.post("/refuse/form", json={})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert body["errors"] == {"review.opinion": ["审查意见：必填。"]}
    assert body["code"] == "form_invalid"


def test_the_api_gets_the_title_that_camunda_modeler_looks_for(client: FlaskClient) -> None:
    assert client.get("/v2/refuse/not-found").get_json()["title"] == "Not Found"
    assert client.get("/v2/refuse/forbidden").get_json()["title"] == "Forbidden"


def test_an_unknown_address_is_a_clear_page(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "没有找到这个页面" in answer.get_data(as_text=True)


def test_a_body_that_is_too_large_is_413(client: FlaskClient) -> None:
    answer = client.post("/ok", data=b"x" * (SMALL_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert "太大" in answer.get_data(as_text=True)


def test_a_crash_is_a_clear_page_without_details(client: FlaskClient) -> None:
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get("/crash")
    assert answer.status_code == 500
    assert "secret detail" not in answer.get_data(as_text=True)
    assert "系统出了故障" in answer.get_data(as_text=True)


def test_what_people_typed_is_escaped(client: FlaskClient) -> None:
    REFUSALS["script"] = Conflict(reason="<script>alert(1)</script>")
    page = client.get("/refuse/script").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_english_is_chosen_with_a_cookie(client: FlaskClient) -> None:
    client.set_cookie(languages.COOKIE, "en")
    page = client.get("/nowhere").get_data(as_text=True)
    assert 'lang="en"' in page
    assert "Page not found" in page


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "/\t/evil.example",
        "/\x00/evil",
    ],
)
def test_nobody_is_sent_to_another_site(target: str) -> None:
    assert languages.local_path(target) == "/"


def test_a_path_of_this_site_is_kept() -> None:
    assert languages.local_path("/tasks?box=unit&q=学校") == "/tasks?box=unit&q=学校"
