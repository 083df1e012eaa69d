"""Every client that people have runs unmodified against a real `lianban serve`: Camunda's own for 8 and for 7, in JavaScript and Python."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import camunda_orchestration_sdk as sdk
import pytest
from camunda.client.external_task_client import ExternalTaskClient
from camunda_orchestration_sdk import CamundaAsyncClient, CamundaClient, errors
from camunda_orchestration_sdk.runtime.job_worker import WorkerConfig
from camunda_orchestration_sdk.types import File

from tests.api.conftest import FILES, PASSWORD
from tests.api.served import Served, served
from tests.api.test_deployments import WHOLE
from webapp.cli.content import OWN_FOLDERS, SUFFIXES

CLIENTS = Path(__file__).parent / "clients"
MODULES = Path(__file__).parents[2] / "webapp"
PATHS = [str(FILES / name) for name in WHOLE]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), demo=True) as running:
        yield running


def node(script: str, **told: Any) -> Any:
    """What the script prints, as JSON. It is read from stdin, so that its imports are looked for among the web shell's modules."""
    environment = os.environ | {"LIANBAN_TEST": json.dumps(told), "NODE_NO_WARNINGS": "1"}
    source = (CLIENTS / script).read_text(encoding="utf-8")
    command = ["node", "--input-type=module", "-"]
    done = subprocess.run(command, input=source, cwd=MODULES, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def test_the_modelers_own_client_deploys_starts_and_reads_what_is_wrong(server: Served) -> None:
    told = {"url": server.root, "files": PATHS, "broken": str(FILES / "broken.bpmn")}
    answer = node("modeler.mjs", **told, username="liuyang", password=PASSWORD)
    assert answer["gatewayVersion"] == "8.9.0"
    assert [process["resourceName"] for process in answer["processes"]] == ["立项核准.bpmn"]
    assert [form["formId"] for form in answer["forms"]] == ["api_review"] and len(answer["decisions"]) == 2
    assert answer["versionsAgain"] == [1, 1]
    assert answer["started"].isdecimal()
    assert "合计费用" in answer["broken"] and "sum" in answer["broken"] and "Response code 400" in answer["broken"]
    assert "404" in answer["unknown"] and "Not Found" in answer["unknown"]
    assert "401" in answer["wrong"] and "Unauthorized" in answer["wrong"]
    demo = node("modeler.mjs", **told)  # the preset connection "c8run (local)": no authentication
    assert (demo["gatewayVersion"], demo["versionsAgain"]) == ("8.9.0", [1, 1])


def test_the_orchestration_cluster_client_finds_every_answer_as_its_schemas_say(server: Served) -> None:
    told = {"url": f"{server.root}/v2", "files": PATHS, "worker": str(FILES / "worker.bpmn"), "waiting": str(FILES / "waiting.bpmn")}
    log = node("orchestration.mjs", token=server.token, **told)
    assert (log["topology"], log["me"], log["task"], log["form"]) == ("8.9.0", "ada", "审查材料", "api_review")
    assert (log["job"], log["incident"], log["correlated"]) == ([7, "自治区平台"], "平台没有应答", True)
    assert (log["instance"], log["cancelled"]) == ("COMPLETED", "TERMINATED")
    assert (log["decision"], log["expression"], log["variables"]) == ('"州"', 2, ["1"])
    assert "INTERMEDIATE_CATCH_EVENT" in log["elements"] and log["xml"] is True
    assert log["moved"] == "COMPLETED"


def test_the_javascript_client_of_camunda_7_works_on_external_tasks(server: Served) -> None:
    _start_workers(server, 3)
    seen = node("external_tasks.mjs", url=f"{server.root}/engine-rest", token=server.token, count=3)
    assert sorted(entry["number"] for entry in seen) == [0, 1, 2]
    assert {entry["activity"] for entry in seen} == {"code"}


def test_the_python_client_of_camunda_7_works_on_external_tasks(server: Served) -> None:
    _start_workers(server, 2)
    config = {"auth_bearer": {"access_token": server.token}, "maxTasks": 5, "lockDuration": 60_000, "asyncResponseTimeout": 5_000}
    client = ExternalTaskClient("python", f"{server.root}/engine-rest", config)
    first, second = sorted(client.fetch_and_lock("platform.code"), key=lambda task: int(task["variables"]["number"]["value"]))
    assert first["variables"]["number"] == {"type": "Integer", "value": 0, "valueInfo": {}}
    assert client.complete(first["id"], {"code": "2022-01"})
    assert client.failure(second["id"], "平台没有应答", "details", 2, 0)
    (again,) = client.fetch_and_lock("platform.code")
    assert (again["id"], again["errorMessage"], again["retries"]) == (second["id"], "平台没有应答", 2)
    assert client.bpmn_failure(second["id"], "REFUSED", "材料不全", {"why": "x"})
    with pytest.raises(Exception, match=r"404|已结束|ended"):
        client.complete(second["id"], {})


def test_the_python_client_of_camunda_8_drives_a_case(server: Served) -> None:
    with _client(server) as camunda:
        assert camunda.get_topology().gateway_version == "8.9.0"
        deployed = camunda.deploy_resources_from_files([*PATHS, FILES / "waiting.bpmn"])
        assert {process.resource_name for process in deployed.processes} == {"立项核准.bpmn", "waiting.bpmn"}
        started = camunda.create_process_instance(data=sdk.ProcessCreationById(process_definition_id="approval"))
        wanted = sdk.UserTaskSearchQuery.from_dict({"filter": {"processInstanceKey": started.process_instance_key}})
        (task,) = camunda.search_user_tasks(data=wanted).items
        assert (task.name, task.candidate_groups) == ("审查材料", ["ZRZYJ.handler"])
        camunda.assign_user_task(task.user_task_key, data=sdk.UserTaskAssignmentRequest(assignee="zhang"))
        form = sdk.UserTaskCompletionRequest.from_dict({"variables": {"result": "同意", "amount": 1}})
        camunda.complete_user_task(task.user_task_key, data=form)
        found = camunda.search_variables(data=sdk.VariableSearchQuery.from_dict({"filter": {"name": "level"}})).items
        assert '"市"' in {variable.value for variable in found}
        nothing = sdk.IncidentSearchQuery.from_dict({"filter": {"processInstanceKey": started.process_instance_key}})
        assert camunda.search_incidents(data=nothing).items == []
        variables = {"name": "开工报告", "correlationKey": "python"}
        assert camunda.publish_message(data=sdk.MessagePublicationRequest.from_dict(variables)).message_key
        assert camunda.broadcast_signal(data=sdk.SignalBroadcastRequest(signal_name="放假结束")).signal_key
        letter = File(payload=io.BytesIO("批复".encode()), file_name="批复.txt", mime_type="text/plain")
        metadata = sdk.DocumentMetadata.from_dict({"customProperties": {"item": "A01"}})
        document = camunda.create_document(data=sdk.CreateDocumentData(file=letter, metadata=metadata))
        assert (document.metadata.file_name, document.metadata.size, document.metadata.content_type) == ("批复.txt", 6, "text/plain")
        assert document.metadata.custom_properties.additional_properties == {"item": "A01"}
        camunda.delete_document(document.document_id)
        with pytest.raises(errors.ApiError, match="404"):
            camunda.correlate_message(data=sdk.MessageCorrelationRequest.from_dict(variables))


def test_the_repositorys_own_files_deploy_as_one_process_application(server: Served) -> None:
    own = [path for folder in OWN_FOLDERS for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES and "examples" not in path.parts]
    with CamundaClient(configuration=_settings(server) | {"CAMUNDA_BASIC_AUTH_USERNAME": "liuyang"}) as analyst:
        first, again = (analyst.deploy_resources_from_files(list(own)) for _ in range(2))
        assert len(first.processes) + len(first.forms) + len(first.decision_requirements) >= len(own) > 50
        assert first.to_dict()["deployments"] == again.to_dict()["deployments"]
        form = next(path for path in own if path.suffix == ".form")
        edited = form.read_bytes().replace(b"{", b"{ ", 1)
        data = sdk.CreateDeploymentData(resources=[File(payload=io.BytesIO(edited), file_name=form.name)])
        (changed,) = analyst.create_deployment(data=data).deployments
        assert changed.form is not None and changed.form.version == 2


def test_a_job_worker_of_the_python_client_takes_every_job(server: Served) -> None:
    _start_workers(server, 3)
    asyncio.run(_work(server, 3))


async def _work(server: Served, count: int) -> None:
    done: list[str] = []
    finished = asyncio.Event()

    async def handle(job: Any) -> dict[str, Any]:
        done.append(job.job_key)
        if len(done) == count:
            asyncio.get_running_loop().call_later(1, finished.set)  # after the last completion was sent
        return {"code": f"2022-{len(done)}"}

    async with CamundaAsyncClient(configuration=_settings(server)) as camunda:
        config = WorkerConfig(job_type="platform.code", job_timeout_milliseconds=60_000, request_timeout_milliseconds=2_000)
        worker = camunda.create_job_worker(config, handle, execution_strategy="async")
        await asyncio.wait_for(finished.wait(), timeout=60)
        worker.stop()
    with _client(server) as camunda_again:
        wanted = sdk.JobSearchQuery.from_dict({"filter": {"jobKey": {"$in": done}}})
        assert {job.state.value for job in camunda_again.search_jobs(data=wanted).items} == {"COMPLETED"}
    assert len(set(done)) == count


def _settings(server: Served) -> Any:
    return {
        "CAMUNDA_REST_ADDRESS": f"{server.root}/v2",
        "CAMUNDA_AUTH_STRATEGY": "BASIC",
        "CAMUNDA_BASIC_AUTH_USERNAME": "zhang",
        "CAMUNDA_BASIC_AUTH_PASSWORD": PASSWORD,
        "CAMUNDA_SDK_LOG_LEVEL": "error",
    }


def _client(server: Served) -> CamundaClient:
    return CamundaClient(configuration=_settings(server))


def _start_workers(server: Served, count: int) -> None:
    """Deploy the worker's process and start it; nobody's job of an earlier test is left."""
    with _client(server) as camunda:
        if not camunda.search_process_definitions(data=_of_worker()).items:
            with CamundaClient(configuration=_settings(server) | {"CAMUNDA_BASIC_AUTH_USERNAME": "liuyang"}) as analyst:
                analyst.deploy_resources_from_files([FILES / "worker.bpmn"])
        for number in range(count):
            variables = sdk.ProcessCreationById.from_dict({"processDefinitionId": "worker", "variables": {"number": number}})
            camunda.create_process_instance(data=variables)


def _of_worker() -> Any:
    return sdk.ProcessDefinitionSearchQuery.from_dict({"filter": {"processDefinitionId": "worker"}})
