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


@pytest.mark.parametrize("username", ["li", "muge"])
def test_only_analysts_and_administrators_deploy(people: Engine, caller: Callable[[str], Caller], username: str) -> None:
    before = counts(people)
    problem = caller(username).deploy("worker.bpmn", status=403)
    assert problem["title"] == "Forbidden"
    assert counts(people) == before
