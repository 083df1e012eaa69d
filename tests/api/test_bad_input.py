"""Bad input of every kind on every door: the right status, a problem body that says what and where, and nothing changed.

All of it is refused before the database matters, so one SQLite database serves the module.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, open_engine
from engine.settings import Settings
from handlers.directory import tokens
from tests.api.conftest import FILES, Caller, add_people
from tests.api.test_deployments import counts, upload
from webapp import create_app


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("bad_input")
    engine = open_engine(Settings(database_url=f"sqlite:///{folder / 'lianban.db'}", jobs="inline", files_dir=Path(folder, "files")))
    engine.create_schema()
    add_people(engine)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def ana(people: Engine) -> Caller:
    with people.unit_of_work() as session:
        token = tokens.add_token(session, "ana", "test")
    return Caller(create_app(people).test_client(), f"Bearer {token}")


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"unknown": 1}},
        {"filter": {"state": "RUNNING"}},
        {"filter": {"processInstanceKey": 5}},
        {"filter": {"processInstanceKey": "5x"}},
        {"filter": {"hasIncident": "yes"}},
        {"filter": {"startDate": "yesterday"}},
        {"filter": {"startDate": "2022-01-01T00:00:00"}},
        {"filter": {"startDate": "0001-01-01T00:00:00+14:00"}},
        {"sort": [{"field": "nothing"}]},
        {"page": {"limit": 0}},
        {"page": {"limit": 5, "from": 1, "after": "x"}},
        {"page": {"limit": "5"}},
        [],
        "text",
        None,
    ],
)
def test_a_search_that_makes_no_sense_is_told_where(ana: Caller, body: Any) -> None:
    answer = ana.call("POST", "/v2/process-instances/search", data=json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.get_json()["detail"].startswith("请求内容不符合接口定义")


UNREADABLE: dict[str, bytes] = {
    "malformed": b'{"filter": ',
    "not UTF-8": b'{"filter": "\xff"}',
    "NaN": b'{"variables": {"a": NaN}, "processDefinitionId": "x"}',
    "infinity": b'{"variables": {"a": 1e999}, "processDefinitionId": "x"}',
    "too large a number": b'{"variables": {"a": 123456789012345678901234567890}, "processDefinitionId": "x"}',
    "NUL": b'{"variables": {"a": "\\u0000"}, "processDefinitionId": "x"}',
    "half a character": b'{"variables": {"a": "\\ud800"}, "processDefinitionId": "x"}',
    "deep": b'{"variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b'}, "processDefinitionId": "x"}',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_json_that_nobody_can_store_is_refused(people: Engine, ana: Caller, name: str) -> None:
    before = counts(people)
    answer = ana.call("POST", "/v2/process-instances", data=UNREADABLE[name], content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert counts(people) == before


def test_a_body_beyond_2_mb_is_too_large(ana: Caller) -> None:
    body = json.dumps({"processDefinitionId": "x", "variables": {"a": "x" * 3_000_000}})
    answer = ana.call("POST", "/v2/process-instances", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["status"]) == (413, 413)


def test_another_content_type_is_refused(ana: Caller) -> None:
    answer = ana.call("POST", "/v2/process-instances", data="a=1", content_type="text/plain")
    assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/user-tasks/99999999999999999999", 404),
        ("GET", "/v2/user-tasks/-1", 404),
        ("GET", "/v2/user-tasks/9223372036854775807", 404),
        ("GET", "/v2/process-instances/1%00", 400),
        ("DELETE", "/v2/topology", 405),
        ("GET", "/v2/deployments", 405),
    ],
)
def test_unknown_addresses_and_methods_are_problems_too(ana: Caller, method: str, path: str, status: int) -> None:
    answer = ana.call(method, path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["status"] == status


BILLION_LAUGHS = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><d>&b;</d>'
EXTERNAL_ENTITY = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d>&a;</d>'
WORKER = (FILES / "worker.bpmn").read_bytes()
UNKNOWN_NAMESPACE = WORKER.replace(b"http://www.omg.org/spec/BPMN/20100524/MODEL", b"http://example.com/none")
HOSTILE: dict[str, list[tuple[bytes, str]]] = {
    "malformed": [(WORKER[:-30], "a.bpmn")],
    "no XML": [(b"\x00\x01\xff", "a.bpmn")],
    "empty": [(b"", "a.bpmn")],
    "entity bomb": [(BILLION_LAUGHS, "a.bpmn")],
    "external entity": [(EXTERNAL_ENTITY, "a.bpmn")],
    "external entity in a decision": [(EXTERNAL_ENTITY, "a.dmn")],
    "unknown namespace": [(UNKNOWN_NAMESPACE, "a.bpmn")],
    "malformed form": [(b'{"id": "x", ', "a.form")],
    "deeply nested form": [(b'{"id": "x", "components": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "a.form")],
    "form of another shape": [(b"[1, 2]", "a.form")],
    "another kind of file": [(b"print(1)", "a.py")],
    "no suffix": [(WORKER, "bpmn")],
    "the same name twice": [(WORKER, "a.bpmn"), (WORKER, "a.bpmn")],
    "one good, one bad": [(WORKER, "a.bpmn"), (b"<x/>", "b.bpmn")],
    "no file": [],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_and_nothing_changes(people: Engine, ana: Caller, name: str) -> None:
    before = counts(people)
    answer = upload(ana, *HOSTILE[name])
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype, problem["status"]) == (400, "application/problem+json", 400)
    assert "/etc/passwd" not in problem["detail"] and "root:" not in problem["detail"]
    assert counts(people) == before


def test_a_file_of_20_mb_is_too_large(people: Engine, ana: Caller) -> None:
    before = counts(people)
    answer = upload(ana, (b"<a>" + b"x" * 20_000_000 + b"</a>", "a.bpmn"))
    assert answer.status_code == 413
    assert "5 MB" in answer.get_json()["detail"]
    assert counts(people) == before


def test_wrong_multipart_is_refused(ana: Caller) -> None:
    for data, content_type in (
        (b"{}", "application/json"),
        (b"", "multipart/form-data"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
        (b"resources=1", "application/x-www-form-urlencoded"),
    ):
        answer = ana.call("POST", "/v2/deployments", data=data, content_type=content_type)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json"), content_type
    assert upload(ana, (WORKER, "a.bpmn"), tenantId="other").status_code == 400
    assert upload(ana, (WORKER, "a.bpmn"), extra="1").status_code == 400


def test_a_diagram_of_ten_thousand_elements_is_refused_with_a_reason(people: Engine, ana: Caller) -> None:
    head, tail = WORKER.split(b"    <bpmn:startEvent", 1)[0], b"  </bpmn:process>\n</bpmn:definitions>\n"
    tasks = [b'<bpmn:startEvent id="n0"/>'] + [b'<bpmn:task id="n%d" name="t"/>' % number for number in range(1, 5000)]
    flows = [b'<bpmn:sequenceFlow id="f%d" sourceRef="n%d" targetRef="n%d"/>' % (n, n, n + 1) for n in range(4999)]
    before = counts(people)
    answer = upload(ana, (head + b"\n".join(tasks + flows) + tail, "large.bpmn"))
    assert (answer.status_code, answer.get_json()["findings"][0]["rule"]) == (400, "diagram-size")
    assert "5000" in answer.get_json()["detail"]
    assert counts(people) == before
