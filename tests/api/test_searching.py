"""Searching over /v2: every field that the OpenAPI offers can be asked and sorted by, and the rarer ones mean what Camunda says."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine
from engine.store.error_hash import error_hash
from engine.store.text_hash import hashed_key
from tests.api.conftest import Caller
from tests.api.test_deployments import WHOLE

DIAGRAMS = Path(__file__).parents[1] / "engine" / "diagrams"
TAKE = {"timeout": 60_000, "maxJobsToActivate": 10, "requestTimeout": -1}


def test_every_field_can_be_asked_and_sorted_by(ada: Caller) -> None:
    ada.deploy(*WHOLE)
    ada.start("approval", {"amount": 1})
    document = ada.get("/v2/openapi.json")
    searches = [path for path in document["paths"] if path.endswith("/search") and "{" not in path]
    assert len(searches) >= 10
    for path in searches:
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        search = _resolved(document, schema)["properties"]
        fields = _resolved(document, search["sort"]["anyOf"][0]["items"])["properties"]["field"]["enum"]
        for order in ("ASC", "DESC"):
            by_all = {"sort": [{"field": field, "order": order} for field in fields]}
            page = ada.post(path, by_all | {"page": {"limit": 2}})["page"]
            if page["endCursor"]:
                ada.post(path, by_all | {"page": {"after": page["endCursor"]}})
        asked = _resolved(document, search["filter"]["anyOf"][0])["properties"]
        ways = {field: _values(document, part) for field, part in asked.items() if field != "batchOperationId"}
        for number in range(max(len(values) for values in ways.values())):
            ada.post(path, {"filter": {field: values[number] for field, values in ways.items() if number < len(values)}})


def _resolved(document: Any, schema: Any) -> Any:
    """What a schema that only refers says itself."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _values(document: Any, part: Any) -> list[Any]:
    """Something that fits each way of asking for a field."""
    found: list[Any] = []
    for choice in part.get("anyOf", [part]):
        schema = _resolved(document, choice)
        if "enum" in schema:
            found.append(schema["enum"][0])
        elif schema.get("pattern"):
            found.append("1")
        elif schema.get("format") == "date-time":
            found.append("2022-08-01T00:00:00Z")
        elif "$exists" in schema.get("properties", {}):
            found += [{"$exists": True}, {"$exists": False}]
        elif schema.get("type") in {"string", "integer", "boolean"}:
            found.append({"string": "x", "integer": 1, "boolean": True}[schema["type"]])
    return found


def test_instances_are_found_by_their_elements_errors_and_retries(ana: Caller, ada: Caller) -> None:
    ana.deploy("worker.bpmn", *WHOLE)
    broken, waiting, other = ana.start("worker"), ana.start("worker"), ana.start("approval")
    jobs = ada.post("/v2/jobs/activation", TAKE | {"type": "platform.code"})["jobs"]
    by_instance = {job["processInstanceKey"]: job["jobKey"] for job in jobs}
    ada.post(f"/v2/jobs/{by_instance[broken]}/failure", {"retries": 0, "errorMessage": "平台没有应答"}, 204)
    ada.post(f"/v2/jobs/{by_instance[waiting]}/failure", {"retries": 3, "errorMessage": "稍后再试"}, 204)

    def keys(**filters: Any) -> list[str]:
        return [found["processInstanceKey"] for found in ana.found("process-instances", **filters)]

    assert keys(elementId="code") == [broken, waiting] and keys(elementId="review") == [other]
    assert keys(elementId="start", elementInstanceState="ACTIVE") == []  # one passage fulfils both
    assert keys(elementId="code", hasElementInstanceIncident=True) == [broken]
    assert keys(hasRetriesLeft=True) == [waiting] and keys(hasRetriesLeft=False) == [broken, other]
    assert keys(errorMessage={"$like": "平台*"}) == [broken] and keys(errorMessage="没有") == []
    assert keys(incidentErrorHashCode=error_hash("平台没有应答")) == [broken]
    assert keys(incidentErrorHashCode={"$neq": error_hash("平台没有应答")}) == []
    assert keys(**{"$or": [{"hasRetriesLeft": True}, {"elementId": "review"}]}) == [waiting, other]
    problem = ana.post("/v2/process-instances/search", {"filter": {"batchOperationKey": "1", "batchOperationId": "1"}}, 400)
    assert "batchOperationId" in problem["detail"]


def test_the_hash_of_an_error_is_that_of_java() -> None:
    assert (error_hash(""), error_hash("hello"), error_hash("平台没有应答")) == (0, 99162322, -41121499)


def test_elements_are_sorted_by_name_and_kind(ana: Caller) -> None:
    ana.deploy(*WHOLE)
    ana.start("approval")

    def sorted_by(field: str) -> list[str]:
        sort = [{"field": field, "order": "ASC"}]
        first = ana.post("/v2/element-instances/search", {"sort": sort, "page": {"limit": 1}})
        rest = ana.post("/v2/element-instances/search", {"sort": sort, "page": {"after": first["page"]["endCursor"]}})
        return [found["elementId"] for found in first["items"] + rest["items"]]

    names = {found["elementId"]: found["elementName"] for found in ana.found("element-instances")}
    assert sorted_by("elementName") == sorted(names, key=lambda element: names[element])
    assert sorted_by("type") == ["start", "review"]


def test_a_variable_is_found_by_its_key(ana: Caller, li: Caller) -> None:
    ana.deploy(*WHOLE)
    key = ana.start("approval", {"amount": 20000, "unit": "教育局"})
    every = ana.found("variables")
    for variable in every:
        assert [variable] == ana.found("variables", variableKey=variable["variableKey"])
        whole = {name: value for name, value in variable.items() if name != "isTruncated"}
        assert ana.get(f"/v2/variables/{variable['variableKey']}") == whole
    amount = next(variable for variable in every if variable["name"] == "amount")
    assert amount["variableKey"] == str(hashed_key(int(key), "0:amount"))
    ordered = ana.post("/v2/variables/search", {"sort": [{"field": "variableKey"}]})["items"]
    assert [int(v["variableKey"]) for v in ordered] == sorted(int(v["variableKey"]) for v in every)
    assert li.call("GET", f"/v2/variables/{amount['variableKey']}").status_code == 403


def test_start_events_wait_for_messages_too(ana: Caller, engine: Engine) -> None:
    diagram = (Path(__file__).parent / "files" / "waiting.bpmn").read_text(encoding="utf-8")
    started = diagram.replace('<bpmn:startEvent id="start">', '<bpmn:startEvent id="start" name="报告">', 1)
    assert ana.found("message-subscriptions", messageSubscriptionType="START_EVENT") == []
    upload(ana, "started.bpmn", _with_message_start(started))
    (waiting,) = ana.found("message-subscriptions", messageSubscriptionType="START_EVENT")
    assert (waiting["messageName"], waiting["processInstanceKey"], waiting["correlationKey"]) == ("来件", None, None)
    assert [waiting] == ana.found("message-subscriptions", messageSubscriptionKey=waiting["messageSubscriptionKey"])


def upload(caller: Caller, name: str, content: str) -> None:
    answer = caller.call("POST", "/v2/deployments", data={"resources": [(_file(content), name)]})
    assert answer.status_code == 200, answer.get_data(as_text=True)


def _file(content: str) -> Any:
    return io.BytesIO(content.encode())


def _with_message_start(diagram: str) -> str:
    event = '<bpmn:messageEventDefinition id="med_start" messageRef="arrived" />'
    start = diagram.index("<bpmn:startEvent")
    end = diagram.index("</bpmn:startEvent>", start)
    diagram = diagram[:end] + event + diagram[end:]
    return diagram.replace("</bpmn:process>", '</bpmn:process><bpmn:message id="arrived" name="来件" />', 1)


def test_what_a_task_sees_and_what_hides_what(ana: Caller, li: Caller, ada: Caller, caller: Callable[[str], Caller]) -> None:
    ana.deploy(*WHOLE)
    ana.start("approval", {"amount": 1, "unit": "教育局"})
    (task,) = li.found("user-tasks")
    here = f"/v2/user-tasks/{task['userTaskKey']}"
    ada.call("PUT", f"/v2/element-instances/{task['userTaskKey']}/variables", {"variables": {"amount": 2}, "local": True})
    every = li.post(f"{here}/variables/search", {"filter": {"name": "amount"}, "sort": [{"field": "value"}]})["items"]
    assert [(one["value"], one["scopeKey"]) for one in every] == [("1", task["processInstanceKey"]), ("2", task["userTaskKey"])]
    seen = {one["name"]: one["value"] for one in li.post(f"{here}/effective-variables/search")["items"]}
    assert seen["amount"] == "2" and seen["unit"] == '"教育局"'
    caller("wang").post(f"{here}/variables/search", {}, 404)
    caller("muge").post(f"{here}/effective-variables/search", {}, 403)


def test_incidents_of_an_element_instance(ana: Caller, ada: Caller) -> None:
    ana.deploy("worker.bpmn")
    ana.start("worker")
    (job,) = ada.post("/v2/jobs/activation", TAKE | {"type": "platform.code"})["jobs"]
    ada.post(f"/v2/jobs/{job['jobKey']}/failure", {"retries": 0, "errorMessage": "平台没有应答"}, 204)
    (incident,) = ada.found("incidents")
    elements = {found["elementId"]: found["elementInstanceKey"] for found in ada.found("element-instances")}
    assert ada.post(f"/v2/element-instances/{elements['code']}/incidents/search")["items"] == [incident]
    assert ada.post(f"/v2/element-instances/{elements['start']}/incidents/search")["items"] == []
    ada.post("/v2/element-instances/7/incidents/search", {}, 404)


def test_decision_files_and_versions(ana: Caller) -> None:
    ana.deploy(*WHOLE)
    (file,) = ana.post("/v2/decision-requirements/search")["items"]
    assert file["resourceName"].endswith(".dmn")
    here = f"/v2/decision-requirements/{file['decisionRequirementsKey']}"
    assert ana.get(here) == file
    assert "decision" in ana.call("GET", f"{here}/xml").get_data(as_text=True)
    decisions = ana.found("decision-definitions", decisionRequirementsKey=file["decisionRequirementsKey"])
    assert len(decisions) > 1
    for decision in decisions:
        assert ana.get(f"/v2/decision-definitions/{decision['decisionDefinitionKey']}") == decision


def test_conditions_start_processes(ana: Caller, ada: Caller) -> None:
    upload(ana, "other_starts.bpmn", (DIAGRAMS / "other_starts.bpmn").read_text(encoding="utf-8"))
    assert ada.post("/v2/conditionals/evaluation", {"variables": {"level": 5}})["processInstances"] == []
    ana.post("/v2/conditionals/evaluation", {"variables": {"level": 12}}, 403)
    (started,) = ada.post("/v2/conditionals/evaluation", {"variables": {"level": 12}})["processInstances"]
    only = {"variables": {"level": 12}, "processDefinitionKey": started["processDefinitionKey"]}
    assert len(ada.post("/v2/conditionals/evaluation", only)["processInstances"]) == 1
    assert len(ana.found("process-instances", processDefinitionKey=started["processDefinitionKey"])) == 2


def test_elements_of_an_ad_hoc_subprocess_are_activated(ana: Caller, ada: Caller) -> None:
    upload(ana, "ad_hoc.bpmn", (DIAGRAMS / "ad_hoc.bpmn").read_text(encoding="utf-8"))
    ana.start("task_force", {"chosen": ["consult"]})
    (work,) = ana.found("element-instances", type="AD_HOC_SUB_PROCESS")
    here = f"/v2/element-instances/ad-hoc-activities/{work['elementInstanceKey']}/activation"
    ana.post(here, {"elements": [{"elementId": "visit"}]}, 403)
    ada.post(here, {"elements": []}, 400)
    ada.post(here, {"elements": [{"elementId": "visit", "variables": {"place": "奇台"}}]}, 204)
    assert {task["elementId"] for task in ada.found("user-tasks", state="CREATED")} == {"consult", "visit"}
    assert [variable["value"] for variable in ada.found("variables", name="place")] == ['"奇台"']
    ada.post(here, {"elements": [{"elementId": "consult"}], "cancelRemainingInstances": True}, 204)
    assert [task["elementId"] for task in ada.found("user-tasks", state="CREATED")] == ["consult"]
    assert ada.found("element-instances", elementId="work")[0]["state"] == "ACTIVE"


def test_the_job_of_a_task_listener_tells_of_its_task(ana: Caller, ada: Caller) -> None:
    upload(ana, "listened.bpmn", (DIAGRAMS / "listened_task.bpmn").read_text(encoding="utf-8"))
    ana.start("listened")
    (task,) = ada.found("user-tasks")
    ada.post(f"/v2/user-tasks/{task['userTaskKey']}/assignment", {"assignee": "li"}, 204)
    (job,) = ada.post("/v2/jobs/activation", TAKE | {"type": "test.assigning"})["jobs"]
    told = job["userTask"]
    assert (told["assignee"], told["changedAttributes"], told["userTaskKey"]) == ("li", ["assignee"], task["userTaskKey"])
    assert told["candidateGroups"] == ["A.handler"]
    ada.post(f"/v2/jobs/{job['jobKey']}/completion", {"result": {"type": "userTask", "denied": True, "deniedReason": "休假"}}, 204)
    (denied,) = ada.found("jobs", isDenied=True)
    assert (denied["deniedReason"], denied["jobKey"]) == ("休假", job["jobKey"])
    assert ada.found("jobs", deniedReason={"$like": "休*"}) == [denied]
