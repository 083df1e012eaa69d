"""Camunda 7's API as its Modeler and its workers use it."""

from __future__ import annotations

import io
from typing import Any

from tests.api.conftest import FILES, Caller


def create(caller: Caller, *names: str, **fields: str) -> Any:
    """POST deployment/create as the Modeler does: every file is a part named like the file."""
    data: dict[str, Any] = {
        "deployment-name": "测试",
        "deployment-source": "Camunda Modeler",
        "enable-duplicate-filtering": "true",
        **fields,
    }
    for name in names:
        data[name] = (io.BytesIO((FILES / name).read_bytes()), name)
    return caller.call("POST", "/engine-rest/deployment/create", data=data)


def post(caller: Caller, path: str, json: Any, status: int) -> Any:
    answer = caller.call("POST", f"/engine-rest/{path}", json)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json(silent=True)


def test_the_modelers_deploy_and_start(ana: Caller) -> None:
    assert ana.get("/engine-rest/version") == {"version": "7.24.0"}
    assert ana.get("/engine-rest/deployment?maxResults=0") == []
    deployed = create(ana, "worker.bpmn").get_json()
    (process,) = deployed["deployedProcessDefinitions"].values()
    assert (process["key"], process["version"], process["resource"], deployed["name"]) == ("worker", 1, "worker.bpmn", "测试")
    assert create(ana, "worker.bpmn").get_json()["deployedProcessDefinitions"] is None
    variables = {"number": {"value": 7, "type": "Integer"}, "list": {"value": "[1, 2]", "type": "json"}, "地址": {"value": "昌吉"}}
    started = post(ana, f"process-definition/{process['id']}/start", {"businessKey": "2022-1", "variables": variables}, 200)
    assert (started["businessKey"], started["definitionKey"]) == ("2022-1", "worker")
    values = {v["name"]: v["value"] for v in ana.found("variables", processInstanceKey=started["id"])}
    assert values == {"number": "7", "list": "[1,2]", "地址": '"昌吉"'}
    post(ana, "process-definition/key/worker/start", {}, 200)
    assert len(ana.get("/engine-rest/deployment")) == 2


def test_a_broken_diagram_is_refused_in_camunda_7s_words(ana: Caller) -> None:
    answer = create(ana, "broken.bpmn")
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype, problem["type"]) == (400, "application/json", "InvalidRequestException")
    assert "合计费用" in problem["message"] and problem["findings"][0]["elementId"] == "sum"
    assert create(ana, "worker.bpmn", surprise="1").status_code == 400
    assert ana.get("/engine-rest/deployment") == []


def test_external_tasks(ana: Caller, ada: Caller) -> None:
    create(ana, "worker.bpmn")
    for number in range(2):
        variables = {"number": {"value": number}, "price": {"value": 0.5}, "large": {"value": 5_000_000_000}, "yes": {"value": True}}
        post(ana, "process-definition/key/worker/start", {"variables": variables, "businessKey": "b"}, 200)
    topic = {"topicName": "platform.code", "lockDuration": 60_000, "includeExtensionProperties": True}
    fetch = {"workerId": "w", "maxTasks": 1, "topics": [topic | {"variables": ["number", "price", "large", "yes"]}]}
    post(ana, "external-task/fetchAndLock", fetch, 403)
    (task,) = post(ada, "external-task/fetchAndLock", fetch, 200)
    assert (task["topicName"], task["workerId"], task["businessKey"], task["activityId"]) == ("platform.code", "w", "b", "code")
    kinds = {name: (value["type"], value["value"]) for name, value in task["variables"].items()}
    assert kinds == {"number": ("Integer", 0), "price": ("Double", 0.5), "large": ("Long", 5_000_000_000), "yes": ("Boolean", True)}
    assert task["lockExpirationTime"].endswith("+0000") and task["extensionProperties"] == {"platform": "自治区平台"}
    here = f"external-task/{task['id']}"
    assert post(ada, f"{here}/complete", {"workerId": "another"}, 400)["type"] == "InvalidRequestException"
    post(ada, f"{here}/extendLock", {"workerId": "w", "newDuration": 90_000}, 204)
    post(ada, f"{here}/unlock", {}, 204)
    (again, other) = post(ada, "external-task/fetchAndLock", fetch | {"maxTasks": 5, "workerId": "v"}, 200)
    assert again["id"] == task["id"]
    post(ada, f"{here}/failure", {"workerId": "v", "errorMessage": "没有应答", "retries": 1, "retryTimeout": 0}, 204)
    (again,) = post(ada, "external-task/fetchAndLock", fetch, 200)
    assert (again["id"], again["retries"], again["errorMessage"]) == (task["id"], 1, "没有应答")
    post(ada, f"{here}/complete", {"workerId": "w", "variables": {"code": {"value": "2022-01", "type": "String"}}}, 204)
    post(ada, f"{here}/complete", {"workerId": "w"}, 409)
    post(ada, f"external-task/{other['id']}/bpmnError", {"workerId": "v", "errorCode": "REFUSED", "errorMessage": "不予赋码"}, 204)
    assert {i["state"] for i in ana.found("process-instances")} == {"COMPLETED"}
    post(ada, "external-task/999/complete", {"workerId": "w"}, 404)
    post(ada, f"{here}/failure", {"workerId": "w", "surprise": 1}, 400)
    bad = {"workerId": "w", "variables": {"a": {"value": "{", "type": "Json"}}}
    post(ada, f"{here}/complete", bad, 400)
