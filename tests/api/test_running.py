"""Starting, watching, working on and ending instances over /v2, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import Engine, commands
from engine.policy import SYSTEM
from tests.api.conftest import FILES, Caller
from tests.api.test_deployments import WHOLE, upload


def test_a_task_from_start_to_end(ana: Caller, li: Caller, ada: Caller, caller: Callable[[str], Caller]) -> None:
    ana.deploy(*WHOLE)
    key = ana.start("approval", {"amount": 20000, "unit": "教育局"}, businessId="2022-001")
    (task,) = li.found("user-tasks", state="CREATED", candidateGroup="ZRZYJ.handler")
    assert (task["name"], task["processInstanceKey"], task["customHeaders"]) == ("审查材料", key, {"item": "A01"})
    assert task["dueDate"] == "2030-01-02T03:04:05.000Z"
    assert li.get(f"/v2/user-tasks/{task['userTaskKey']}") == task
    form = li.get(f"/v2/user-tasks/{task['userTaskKey']}/form")
    assert form["formId"] == "api_review" and "审查结论" in form["schema"]
    assert caller("wang").found("user-tasks") == []
    assert caller("wang").call("GET", f"/v2/user-tasks/{task['userTaskKey']}").status_code == 404
    here = f"/v2/user-tasks/{task['userTaskKey']}"
    caller("wang").post(f"{here}/completion", {"variables": {"result": "同意"}}, 403)
    li.post(f"{here}/assignment", {"assignee": "li"}, 204)
    li.post(f"{here}/assignment", {"assignee": "wang"}, 403)
    li.call("DELETE", f"{here}/assignee")
    ada.post(f"{here}/assignment", {"assignee": "nobody"}, 404)
    ada.post(f"{here}/assignment", {"assignee": "wang"}, 204)
    ada.post(f"{here}/assignment", {"assignee": "li", "allowOverride": False}, 409)
    ada.post(f"{here}/assignment", {"assignee": "li", "allowOverride": True}, 204)
    change = {"changeset": {"dueDate": "2031-01-01T00:00:00Z", "priority": 80, "candidateUsers": ["li"]}}
    assert ada.call("PATCH", here, change).status_code == 204
    assert li.get(here) == task | {"assignee": "li", "dueDate": "2031-01-01T00:00:00.000Z", "priority": 80, "candidateUsers": ["li"]}
    problem = li.post(f"{here}/completion", {"variables": {"amount": "many"}}, 400)
    assert set(problem["errors"]) == {"result", "amount"}
    li.post(f"{here}/completion", {"variables": {"result": "同意", "amount": 20000}}, 204)
    assert li.post(f"{here}/completion", {"variables": {"result": "同意"}}, 409)["title"] == "Conflict"
    instance = ana.get(f"/v2/process-instances/{key}")
    assert (instance["state"], instance["businessId"], instance["processDefinitionName"]) == ("COMPLETED", "2022-001", "立项核准")
    values = {v["name"]: v["value"] for v in ana.found("variables", processInstanceKey=key)}
    assert values["level"] == '"州"' and values["unit"] == '"教育局"'


def test_elements_flows_and_statistics_of_an_instance(ana: Caller, li: Caller) -> None:
    ana.deploy(*WHOLE)
    key = ana.start("approval")
    elements = {e["elementId"]: e for e in ana.found("element-instances", processInstanceKey=key)}
    assert {name: (e["type"], e["state"]) for name, e in elements.items()} == {
        "start": ("START_EVENT", "COMPLETED"),
        "review": ("USER_TASK", "ACTIVE"),
    }
    assert elements["review"]["endDate"] is None and elements["review"]["elementName"] == "审查材料"
    assert [e["elementId"] for e in ana.found("element-instances", type="USER_TASK")] == ["review"]
    assert [e["elementId"] for e in ana.found("element-instances", elementName={"$like": "审?材料"})] == ["review"]
    assert ana.get(f"/v2/element-instances/{elements['review']['elementInstanceKey']}") == elements["review"]
    flows = ana.get(f"/v2/process-instances/{key}/sequence-flows")["items"]
    assert [flow["elementId"] for flow in flows] == ["f1"]
    statistics = {s["elementId"]: s for s in ana.get(f"/v2/process-instances/{key}/statistics/element-instances")["items"]}
    assert statistics["review"] == {"elementId": "review", "active": 1, "canceled": 0, "incidents": 0, "completed": 0}
    assert li.found("element-instances") == [] and li.found("process-instances") == []


def test_a_worker_completes_fails_and_throws(ana: Caller, ada: Caller) -> None:
    ana.deploy("worker.bpmn")
    keys = [ana.start("worker", {"number": number}) for number in range(3)]
    take = {"type": "platform.code", "worker": "平台", "timeout": 60_000, "maxJobsToActivate": 10, "requestTimeout": -1}
    jobs = ada.post("/v2/jobs/activation", take)["jobs"]
    assert [job["processInstanceKey"] for job in jobs] == keys
    assert jobs[0]["variables"] == {"number": 0} and jobs[0]["customHeaders"] == {"platform": "自治区平台"} and jobs[0]["retries"] == 2
    assert ada.post("/v2/jobs/activation", take)["jobs"] == []
    ana.post("/v2/jobs/activation", take, 403)
    done, failed, refused = (job["jobKey"] for job in jobs)
    assert ada.call("PATCH", f"/v2/jobs/{done}", {"changeset": {"retries": 5, "timeout": 90_000}}).status_code == 204
    ada.post(f"/v2/jobs/{done}/completion", {"variables": {"code": "2022-650000-01"}}, 204)
    ada.post(f"/v2/jobs/{done}/completion", {}, 409)
    ada.post(f"/v2/jobs/{failed}/failure", {"retries": 1, "errorMessage": "平台没有应答"}, 204)
    (again,) = ada.post("/v2/jobs/activation", take | {"fetchVariable": ["nothing"]})["jobs"]
    assert (again["jobKey"], again["variables"], again["retries"]) == (failed, {}, 1)
    ada.post(f"/v2/jobs/{failed}/failure", {"retries": 0, "errorMessage": "平台没有应答"}, 204)
    (incident,) = ada.found("incidents", state="ACTIVE")
    assert (incident["errorType"], incident["errorMessage"], incident["jobKey"]) == ("JOB_NO_RETRIES", "平台没有应答", failed)
    assert ada.post(f"/v2/process-instances/{keys[1]}/incidents/search")["items"] == [incident]
    assert ana.found("process-instances", hasIncident=True)[0]["processInstanceKey"] == keys[1]
    ana.post(f"/v2/incidents/{incident['incidentKey']}/resolution", {}, 403)
    ada.post(f"/v2/incidents/{incident['incidentKey']}/resolution", {}, 204)
    ada.post(f"/v2/incidents/{incident['incidentKey']}/resolution", {}, 409)
    ada.post(f"/v2/jobs/{refused}/error", {"errorCode": "REFUSED", "errorMessage": "材料不全"}, 204)
    states = {job["jobKey"]: job["state"] for job in ada.found("jobs", type="platform.code")}
    again = next(job for job in states if job not in {done, failed, refused})
    assert states == {done: "COMPLETED", failed: "CANCELED", refused: "ERROR_THROWN", again: "CREATED"}
    assert [e["state"] for e in ana.found("element-instances", elementId="end_refused")] == ["COMPLETED"]
    ada.post("/v2/jobs/999/completion", {}, 404)


def test_messages_reach_who_waits_now_or_later_and_signals_everybody(ana: Caller, ada: Caller) -> None:
    ana.deploy("waiting.bpmn")
    key = ana.start("waiting", {"project": "p1"})
    (waiting,) = ana.found("message-subscriptions", messageName="开工报告")
    assert (waiting["correlationKey"], waiting["processInstanceKey"], waiting["elementId"]) == ("p1", key, "wait")
    message = {"name": "开工报告", "correlationKey": "p2", "variables": {"date": "2022-09-01"}}
    assert ada.post("/v2/messages/correlation", message, 404)["title"] == "Not Found"
    ana.post("/v2/messages/publication", message, 403)
    ada.post("/v2/messages/publication", message | {"timeToLive": 60_000, "messageId": "m1"})
    ada.post("/v2/messages/publication", message | {"timeToLive": 60_000, "messageId": "m1"}, 409)
    later = ana.start("waiting", {"project": "p2"})
    assert ana.found("message-subscriptions", processInstanceKey=later) == []
    taken = ada.post("/v2/messages/correlation", message | {"correlationKey": "p1"})
    assert taken["processInstanceKey"] == key
    ada.post("/v2/signals/broadcast", {"signalName": "放假结束"})
    assert {i["state"] for i in ana.found("process-instances")} == {"COMPLETED"}


def test_start_by_key_version_and_tag_and_wait_for_the_result(ana: Caller, ada: Caller, li: Caller) -> None:
    process = ana.deploy("worker.bpmn")["deployments"][0]["processDefinition"]
    by_key = ana.post("/v2/process-instances", {"processDefinitionKey": process["processDefinitionKey"]})
    assert (by_key["processDefinitionVersion"], by_key["variables"], by_key["tags"]) == (1, {}, [])
    ana.post("/v2/process-instances", {"processDefinitionId": "worker", "processDefinitionVersion": 1})
    ana.post("/v2/process-instances", {"processDefinitionId": "worker", "processDefinitionVersion": 7}, 404)
    ana.post("/v2/process-instances", {"processDefinitionId": "none"}, 404)
    ana.post("/v2/process-instances", {}, 400)
    li.post("/v2/process-instances", {"processDefinitionId": "worker"}, 403)
    slow = ana.post("/v2/process-instances", {"processDefinitionId": "worker", "awaitCompletion": True, "requestTimeout": 1}, 504)
    assert slow["code"] == "deadline_exceeded"


def test_cancel(ana: Caller, ada: Caller) -> None:
    ana.deploy("worker.bpmn")
    key = ana.start("worker")
    ana.post(f"/v2/process-instances/{key}/cancellation", {}, 403)
    ada.post(f"/v2/process-instances/{key}/cancellation", {"operationReference": 7}, 204)
    ada.post(f"/v2/process-instances/{key}/cancellation", None, 409)
    ada.post("/v2/process-instances/999/cancellation", None, 404)
    assert ana.get(f"/v2/process-instances/{key}")["state"] == "TERMINATED"


def test_applicants_see_their_own_instances_and_nothing_inside(people: Engine, ana: Caller, caller: Callable[[str], Caller]) -> None:
    ana.deploy("worker.bpmn")
    ana.start("worker")
    with people.unit_of_work() as session:
        own = commands.start_instance(session, SYSTEM, "worker", {"secret": 1}, owner="muge")
    muge = caller("muge")
    assert [i["processInstanceKey"] for i in muge.found("process-instances")] == [str(own)]
    assert {e["processInstanceKey"] for e in muge.found("element-instances")} == {str(own)}
    for what in ("variables", "incidents", "jobs", "message-subscriptions", "process-definitions", "decision-definitions"):
        muge.post(f"/v2/{what}/search", {}, 403)
    muge.post("/v2/decision-definitions/evaluation", {"decisionDefinitionId": "x"}, 403)
    muge.post("/v2/expression/evaluation", {"expression": "1"}, 403)


def test_decisions_and_expressions(ana: Caller) -> None:
    ana.deploy(*WHOLE)
    answer = ana.post("/v2/decision-definitions/evaluation", {"decisionDefinitionId": "api_level", "variables": {"amount": 5}})
    assert answer["output"] == '"市"' and answer["decisionRequirementsId"] == "api_levels"
    assert [d["decisionDefinitionId"] for d in answer["evaluatedDecisions"]] == ["api_large", "api_level"]
    assert answer["evaluatedDecisions"][1]["matchedRules"][0]["ruleId"] == "rule_city"
    definition = ana.found("decision-definitions", decisionDefinitionId="api_level")[0]
    assert (definition["decisionRequirementsVersion"], definition["decisionRequirementsName"]) == (1, "核准层级")
    assert ana.call("GET", f"/v2/decision-definitions/{definition['decisionDefinitionKey']}/xml").mimetype == "text/xml"
    answer = ana.post("/v2/expression/evaluation", {"expression": "=a + 1", "variables": {"a": 2}})
    assert (answer["result"], answer["warnings"]) == (3, [])
    assert ana.post("/v2/expression/evaluation", {"expression": "a +"}, 400)["code"] == "expression_error"


def test_definitions(ana: Caller) -> None:
    ana.deploy(*WHOLE)
    ana.deploy("worker.bpmn")
    found: list[dict[str, Any]] = ana.found("process-definitions", isLatestVersion=True, name={"$like": "*核准"})
    (definition,) = found
    assert definition["processDefinitionId"] == "approval" and definition["hasStartForm"] is False
    here = f"/v2/process-definitions/{definition['processDefinitionKey']}"
    assert ana.get(here) == definition
    assert "立项核准" in ana.call("GET", f"{here}/xml").get_data(as_text=True)
    assert ana.call("GET", f"{here}/form").status_code == 204
    assert ana.found("process-definitions", hasStartForm=True) == []
    assert len(ana.found("process-definitions", hasStartForm=False)) == 2


def test_pages_sort_and_alternatives(ana: Caller) -> None:
    ana.deploy("worker.bpmn")
    keys = [ana.start("worker", businessId=f"b{number}") for number in range(5)]
    search = {"sort": [{"field": "businessId", "order": "DESC"}], "page": {"limit": 2}}
    first = ana.post("/v2/process-instances/search", search)
    assert [i["businessId"] for i in first["items"]] == ["b4", "b3"] and first["page"]["totalItems"] == 5
    second = ana.post("/v2/process-instances/search", search | {"page": {"limit": 2, "after": first["page"]["endCursor"]}})
    assert [i["businessId"] for i in second["items"]] == ["b2", "b1"]
    either = {"$or": [{"businessId": "b0"}, {"processInstanceKey": {"$in": [keys[2], "9" * 25]}}], "state": {"$neq": "COMPLETED"}}
    assert [i["businessId"] for i in ana.found("process-instances", **either)] == ["b0", "b2"]
    assert ana.post("/v2/process-instances/search", {"page": {"after": "x"}}, 400)["code"] == "cursor_invalid"


def test_modify_migrate_suspend_and_set_variables(ana: Caller, ada: Caller) -> None:
    first = ana.deploy("worker.bpmn")["deployments"][0]["processDefinition"]
    key = ana.start("worker", {"number": 1})
    here = f"/v2/process-instances/{key}"
    (code,) = ana.found("element-instances", processInstanceKey=key, state="ACTIVE")
    ana.call("PUT", f"/v2/element-instances/{code['elementInstanceKey']}/variables", {"variables": {"note": "急"}, "local": True})
    answer = ana.call("PUT", f"/v2/element-instances/{key}/variables", {"variables": {"number": 2, "新": None}})
    assert answer.status_code == 204
    values = {(v["scopeKey"], v["name"]): v["value"] for v in ana.found("variables", processInstanceKey=key)}
    assert values[key, "number"] == "2" and values[code["elementInstanceKey"], "note"] == '"急"'
    ada.post(f"{here}/suspension", {"reason": "等待批复"}, 204)
    assert ana.get(here)["state"] == "SUSPENDED"
    assert [i["processInstanceKey"] for i in ana.found("process-instances", state="SUSPENDED")] == [key]
    ada.post(f"{here}/resumption", {}, 204)
    move = {"sourceElementInstruction": {"sourceType": "byId", "sourceElementId": "code"}, "targetElementId": "end_refused"}
    ana.post(f"{here}/modification", {"moveInstructions": [move | {"targetElementId": "nothing"}]}, 404)
    ana.post(f"{here}/modification", {}, 400)
    changed = (FILES / "worker.bpmn").read_bytes().replace("平台赋码".encode(), "自治区平台赋码".encode())
    second = upload(ana, (changed, "worker.bpmn")).get_json()["deployments"][0]["processDefinition"]
    assert second["processDefinitionVersion"] == 2
    to = {"targetProcessDefinitionKey": second["processDefinitionKey"], "mappingInstructions": []}
    ada.post(f"{here}/migration", to, 204)
    ada.post(f"{here}/migration", to, 409)
    assert ana.get(here)["processDefinitionVersion"] == 2 != first["processDefinitionVersion"]
    ana.post(f"{here}/modification", {"moveInstructions": [move]}, 204)
    assert ana.get(here)["state"] == "COMPLETED"


def test_start_in_the_middle_of_a_diagram(ana: Caller) -> None:
    ana.deploy(*WHOLE)
    key = ana.start("approval", {"amount": 5}, startInstructions=[{"elementId": "level"}])
    assert ana.get(f"/v2/process-instances/{key}")["state"] == "COMPLETED"
    assert [e["elementId"] for e in ana.found("element-instances", processInstanceKey=key)] == ["level", "end"]
    for wrong, status in (("nothing", 404), ("start", 400)):
        body = {"processDefinitionId": "approval", "startInstructions": [{"elementId": wrong}]}
        ana.post("/v2/process-instances", body, status)
    assert len(ana.found("process-instances")) == 1
    whole = ana.post(
        "/v2/process-instances",
        {
            "processDefinitionId": "approval",
            "variables": {"amount": 20000},
            "startInstructions": [{"elementId": "level"}],
            "awaitCompletion": True,
            "fetchVariables": ["level"],
        },
    )
    assert whole["variables"] == {"level": "州"}


def test_stop_after_an_element(ana: Caller) -> None:
    """What Camunda Modeler's task testing asks for: one element alone."""
    ana.deploy(*WHOLE)
    stop = {"type": "TERMINATE_PROCESS_INSTANCE", "afterElementId": "level"}
    key = ana.start("approval", {"amount": 5}, startInstructions=[{"elementId": "level"}], runtimeInstructions=[stop])
    assert ana.get(f"/v2/process-instances/{key}")["state"] == "TERMINATED"
    assert [e["elementId"] for e in ana.found("element-instances", processInstanceKey=key)] == ["level"]
    for wrong, status in (({"afterElementId": "nothing"}, 404), ({"type": "WAIT", "afterElementId": "level"}, 400), ({}, 400)):
        ana.post("/v2/process-instances", {"processDefinitionId": "approval", "runtimeInstructions": [wrong]}, status)
    assert len(ana.found("process-instances")) == 1
