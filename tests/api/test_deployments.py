"""POST /v2/deployments: what Camunda Modeler sends and reads, versions, and refusals that say what and where."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import Engine
from engine.store import models as m
from tests.api.conftest import FILES, Caller

WHOLE = ("立项核准.bpmn", "审查意见.form", "层级.dmn")


def items(answer: Any, kind: str) -> list[Any]:
    return [item[kind] for item in answer["deployments"] if item[kind] is not None]


def counts(engine: Engine) -> list[int]:
    tables = (m.deployment, m.resource, m.process_definition, m.decision_definition, m.form_definition, m.audit_event)
    with engine.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def upload(caller: Caller, *files: tuple[bytes, str], **fields: Any) -> Any:
    return caller.call("POST", "/v2/deployments", data={"resources": [(io.BytesIO(c), n) for c, n in files], **fields})


def test_files_with_chinese_names_are_deployed_together(ana: Caller) -> None:
    answer = ana.deploy(*WHOLE)
    assert answer["deploymentKey"].isdecimal() and answer["tenantId"] == "<default>"
    (process,) = items(answer, "processDefinition")
    assert (process["processDefinitionId"], process["processDefinitionVersion"], process["resourceName"]) == (
        "approval",
        1,
        "立项核准.bpmn",
    )
    assert [form["formId"] for form in items(answer, "form")] == ["api_review"]
    assert {d["decisionDefinitionId"] for d in items(answer, "decisionDefinition")} == {"api_level", "api_large"}
    (graph,) = items(answer, "decisionRequirements")
    assert {d["decisionRequirementsKey"] for d in items(answer, "decisionDefinition")} == {graph["decisionRequirementsKey"]}
    assert (graph["decisionRequirementsId"], graph["resourceName"], graph["version"]) == ("api_levels", "层级.dmn", 1)


def test_the_same_content_is_no_new_version_and_a_changed_form_alone_is_one_of_its_own(ana: Caller) -> None:
    first = ana.deploy(*WHOLE)
    again = ana.deploy(*WHOLE)
    assert again["deployments"] == first["deployments"]
    changed = (FILES / "审查意见.form").read_bytes().replace("审查结论".encode(), "审查意见".encode())
    rest = [((FILES / name).read_bytes(), name) for name in WHOLE if not name.endswith(".form")]
    answer = upload(ana, *rest, (changed, "审查意见.form")).get_json()
    assert items(answer, "form")[0]["version"] == 2
    assert items(answer, "processDefinition") == items(first, "processDefinition")
    assert items(answer, "decisionDefinition") == items(first, "decisionDefinition")


def test_a_refusal_names_file_line_element_and_what_is_wrong_in_both_languages(people: Engine, ana: Caller) -> None:
    before = counts(people)
    problem = ana.deploy("broken.bpmn", "worker.bpmn", status=400)
    assert problem["title"] == "Bad Request" and problem["status"] == 400 and problem["code"] == "deployment_refused"
    (finding,) = problem["findings"]
    assert (finding["resourceName"], finding["elementId"], finding["elementName"]) == ("broken.bpmn", "sum", "合计费用")
    assert finding["line"] > 0
    for text in ("broken.bpmn", "sum", "合计费用", finding["message"], finding["messageEn"]):
        assert text in problem["detail"]
    assert counts(people) == before


@pytest.mark.parametrize("username", ["li", "muge", "ada"])
def test_only_analysts_deploy(people: Engine, caller: Callable[[str], Caller], username: str) -> None:
    before = counts(people)
    problem = caller(username).deploy("worker.bpmn", status=403)
    assert problem["title"] == "Forbidden"
    assert counts(people) == before


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
