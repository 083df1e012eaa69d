"""Version, deployment and start, as Camunda Modeler calls them for Camunda 7 diagrams."""

from __future__ import annotations

from typing import Any

from flask import request
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from engine import clock, commands
from engine.commands import Deployed
from engine.policy import require
from engine.store import definitions
from engine.store.search import PageRequest, search
from engine.store.search_definitions import DEPLOYMENTS
from webapp.api.engine_rest import VERSION, engine_rest
from webapp.api.engine_rest.values import TypedValue, instant, plain
from webapp.api.types import Body, Json, ShortText
from webapp.api.v2.definitions import staff_only
from webapp.api.v2.deployments import MAX_DEPLOYMENT_BYTES, PartsInvalid, read_files
from webapp.context import actor, engine

FIELDS = frozenset(
    {"deployment-name", "deployment-source", "enable-duplicate-filtering", "deploy-changed-only", "tenant-id", "deployment-activation-time"}
)


class Version(TypedDict):
    """The version whose API this is."""

    version: str


@engine_rest.operation("GET", "/version", tag="version", answers={200: Version}, open=True)
def get_version() -> Any:
    """版本 / the version."""
    return {"version": VERSION}


class ListOptions(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    first: int = Field(0, alias="firstResult", ge=0, le=1_000_000)
    limit: int = Field(100, alias="maxResults", ge=0, le=1000)


class DeploymentItem(TypedDict):
    """A deployment."""

    id: str
    name: str | None
    source: str | None
    deploymentTime: str | None
    tenantId: str | None


@engine_rest.operation("GET", "/deployment", tag="deployment", query=ListOptions, answers={200: list[DeploymentItem]})
def list_deployments(query: ListOptions) -> Any:
    """部署列表；Modeler 用它检查连接 / deployments; the Modeler checks its connection with it."""
    staff_only(actor())
    with engine().reading() as session:
        rows = search(session, DEPLOYMENTS, page=PageRequest(query.limit, query.first)).rows
    return [_deployment(row.key, row.name, row.deployed_at) for row in rows]


def _deployment(key: int, name: str, at: Any) -> dict[str, Any]:
    return {"id": str(key), "name": name or None, "source": None, "deploymentTime": instant(at), "tenantId": None}


class CreatedDeployment(DeploymentItem):
    """What was deployed, by id."""

    links: list[Json]
    deployedProcessDefinitions: dict[str, Json] | None
    deployedDecisionDefinitions: dict[str, Json] | None
    deployedDecisionRequirementsDefinitions: dict[str, Json] | None
    deployedCaseDefinitions: dict[str, Json] | None


PARTS = {"type": "object", "properties": {name: {"type": "string"} for name in sorted(FIELDS)}, "additionalProperties": True}


@engine_rest.operation("POST", "/deployment/create", tag="deployment", files=PARTS, answers={200: CreatedDeployment})
def create_deployment() -> Any:
    """部署 / deploy: every file is a part of its own, named like the file. 需要“流程部署”权限。"""
    require(actor(), "deploy")
    files = _files()
    name = request.form.get("deployment-name", "")[:200]
    with engine().unit_of_work() as session:
        deployment = commands.deploy(session, actor(), files, name=name)
    processes = {str(item.key): _process(item, deployment.key) for item in deployment.of_kind("process") if item.new}
    decisions = {str(item.key): _decision(item, deployment.key) for item in deployment.of_kind("decision") if item.new}
    return _deployment(deployment.key, name, clock.now()) | {
        "links": [],
        "deployedProcessDefinitions": processes or None,
        "deployedDecisionDefinitions": decisions or None,
        "deployedDecisionRequirementsDefinitions": None,
        "deployedCaseDefinitions": None,
    }


def _files() -> list[tuple[str, bytes]]:
    request.max_content_length = MAX_DEPLOYMENT_BYTES
    if request.mimetype != "multipart/form-data":
        raise PartsInvalid(reason=f"content type {request.mimetype or 'missing'}")
    unknown = sorted(str(name) for name in set(request.form) - FIELDS)
    if unknown:
        raise PartsInvalid(reason=f"未知字段 unknown field {', '.join(unknown)[:200]}")
    return read_files([part for _name, part in request.files.items(multi=True)])


def _process(item: Deployed, deployment: int) -> dict[str, Any]:
    return _definition(item, deployment) | {"suspended": False, "startableInTasklist": True, "diagram": None, "description": None}


def _decision(item: Deployed, deployment: int) -> dict[str, Any]:
    return _definition(item, deployment) | {"decisionRequirementsDefinitionKey": item.drg_id or None}


def _definition(item: Deployed, deployment: int) -> dict[str, Any]:
    return {
        "id": str(item.key),
        "key": item.id,
        "name": item.name,
        "version": item.version,
        "resource": item.resource_name,
        "deploymentId": str(deployment),
        "category": None,
        "tenantId": None,
        "versionTag": None,
        "historyTimeToLive": None,
    }


class StartProcess(Body):
    """The new instance's business key and typed variables."""

    business_key: ShortText | None = Field(None, max_length=100)
    variables: dict[str, TypedValue] | None = None
    with_variables_in_return: bool | None = None


class StartedInstance(TypedDict):
    """The started instance."""

    id: str
    definitionId: str
    definitionKey: str
    businessKey: str | None
    caseInstanceId: str | None
    ended: bool
    suspended: bool
    tenantId: str | None
    links: list[Json]


@engine_rest.operation(
    "POST",
    "/process-definition/<key:definition>/start",
    tag="processDefinition",
    body=StartProcess,
    body_optional=True,
    answers={200: StartedInstance},
)
def start_process(definition: int, body: StartProcess) -> Any:
    """按定义启动流程 / start a version of a process. 需要“流程部署”或“流程运维”权限。"""
    require(actor(), "deploy", "operate")
    with engine().reading() as session:
        row = definitions.by_key(session, "process", definition)
    return _start(row, body)


@engine_rest.operation(
    "POST",
    "/process-definition/key/<process_key>/start",
    tag="processDefinition",
    body=StartProcess,
    body_optional=True,
    answers={200: StartedInstance},
)
def start_process_by_key(process_key: str, body: StartProcess) -> Any:
    """按流程标识启动最新版本 / start the latest version of a process. 需要“流程部署”或“流程运维”权限。"""
    require(actor(), "deploy", "operate")
    with engine().reading() as session:
        row = definitions.version_of_process(session, process_key)
    return _start(row, body)


def _start(row: Any, body: StartProcess) -> dict[str, Any]:
    variables = plain(body.variables)
    with engine().unit_of_work() as session:
        key = commands.start_instance(session, actor(), row.process_id, variables, business_id=body.business_key, version=row.version)
    return {
        "id": str(key),
        "definitionId": str(row.key),
        "definitionKey": row.process_id,
        "businessKey": body.business_key,
        "caseInstanceId": None,
        "ended": False,
        "suspended": False,
        "tenantId": None,
        "links": [],
    }
