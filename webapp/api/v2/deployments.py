"""POST /v2/deployments: what Camunda Modeler's rocket sends, one file or a whole process application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request
from typing_extensions import TypedDict
from werkzeug.datastructures import FileStorage

from engine import commands
from engine.commands import Deployed, Deployment
from engine.commands.deploy import MAX_RESOURCE_BYTES
from engine.errors import Invalid
from engine.policy import require
from engine.store.search import Condition, search
from engine.store.search_definitions import DECISION_DEFINITIONS
from webapp.api.types import TENANT, KeyText
from webapp.api.v2 import v2
from webapp.context import actor, engine

MAX_DEPLOYMENT_BYTES = 64 * 1024 * 1024
"""A city's whole process application is a tenth of it."""
FIELDS = frozenset({"tenantId"})


class PartsInvalid(Invalid):
    """部署请求应为 multipart/form-data，文件放在 resources 字段：{reason}

    A deployment is multipart/form-data with the files in the field "resources": {reason}
    """

    code = "invalid_argument"
    status = 400


class ResourceTooLarge(Invalid):
    """文件“{name}”超过 {limit} MB。

    The file "{name}" is larger than {limit} MB.
    """

    code = "resource_too_large"
    status = 413


class DeployedProcess(TypedDict):
    """A version of a process."""

    processDefinitionId: str
    processDefinitionVersion: int
    resourceName: str
    tenantId: str
    processDefinitionKey: KeyText


class DeployedDecision(TypedDict):
    """A version of a decision."""

    decisionDefinitionId: str
    version: int
    name: str
    tenantId: str
    decisionRequirementsId: str
    decisionDefinitionKey: KeyText
    decisionRequirementsKey: KeyText


class DeployedRequirements(TypedDict):
    """A version of a file of decisions."""

    decisionRequirementsId: str
    decisionRequirementsName: str
    version: int
    resourceName: str
    tenantId: str
    decisionRequirementsKey: KeyText


class DeployedForm(TypedDict):
    """A version of a form."""

    formId: str
    version: int
    resourceName: str
    tenantId: str
    formKey: KeyText


class DeployedItem(TypedDict):
    """One thing of a deployment: exactly one of these is not null."""

    processDefinition: DeployedProcess | None
    decisionDefinition: DeployedDecision | None
    decisionRequirements: DeployedRequirements | None
    form: DeployedForm | None
    resource: None


class DeploymentAnswer(TypedDict):
    """What was deployed; unchanged content keeps its version."""

    deploymentKey: KeyText
    tenantId: str
    deployments: list[DeployedItem]


RESOURCES = {
    "type": "object",
    "required": ["resources"],
    "properties": {
        "resources": {"type": "array", "items": {"type": "string", "format": "binary"}, "description": ".bpmn .dmn .form"},
        "tenantId": {"type": "string"},
    },
}


@v2.operation("POST", "/deployments", tag="deployment", files=RESOURCES, answers={200: DeploymentAnswer})
def create_deployment() -> Any:
    """部署一组流程图、决策表和表单 / deploy diagrams, decisions and forms together: all of them or none.

    需要“流程部署”权限。有错误时 400，detail 和 findings 逐条指出文件、元素和行号。
    """
    require(actor(), "deploy")  # before 64 MB are read
    files = _files()
    with engine().unit_of_work() as session:
        deployment = commands.deploy(session, actor(), files, name="REST")
        rows = search(
            session, DECISION_DEFINITIONS, [Condition("decision_definition_key", "in", [d.key for d in deployment.of_kind("decision")])]
        )
        requirements = {row.key: row for row in rows.rows}
    return {"deploymentKey": str(deployment.key), "tenantId": TENANT, "deployments": _items(deployment, requirements)}


def _files() -> list[tuple[str, bytes]]:
    """(name, content) of every uploaded file. Raises PartsInvalid; RequestEntityTooLarge is told as 413."""
    request.max_content_length = MAX_DEPLOYMENT_BYTES
    if request.mimetype != "multipart/form-data":
        raise PartsInvalid(reason=f"content type {request.mimetype or 'missing'}")
    unknown = sorted(str(name) for name in {*request.files, *request.form} - {"resources", *FIELDS})
    if unknown:
        raise PartsInvalid(reason=f"未知字段 unknown field {', '.join(unknown)[:200]}")
    if request.form.get("tenantId", TENANT) not in {TENANT, ""}:
        raise PartsInvalid(reason=f"没有租户 unknown tenant {request.form['tenantId'][:100]}")
    return read_files(request.files.getlist("resources"))


def read_files(parts: Sequence[FileStorage]) -> list[tuple[str, bytes]]:
    """(bare name, content) of uploaded files. Raises PartsInvalid, ResourceTooLarge."""
    found: dict[str, bytes] = {}
    for part in parts:
        name = (part.filename or "").replace("\\", "/").rpartition("/")[2]
        if not name or name in found or "\0" in name or len(name) > 300:
            raise PartsInvalid(reason=f"文件名缺失或重复 a file name is missing or used twice: {name[:100]}")
        found[name] = part.stream.read(MAX_RESOURCE_BYTES + 1)
        if len(found[name]) > MAX_RESOURCE_BYTES:
            raise ResourceTooLarge(name=name, limit=MAX_RESOURCE_BYTES // 1_000_000)
    if not found:
        raise PartsInvalid(reason="没有文件 no file")
    return list(found.items())


def _items(deployment: Deployment, requirements: dict[int, Any]) -> list[DeployedItem]:
    items = [_item("processDefinition", process(item)) for item in deployment.of_kind("process")]
    graphs: dict[int, Any] = {}
    for item in deployment.of_kind("decision"):
        row = requirements[item.key]
        items.append(_item("decisionDefinition", _decision(item, row)))
        graphs.setdefault(row.resource_key, row)
    items += [_item("decisionRequirements", _requirements(row)) for row in graphs.values()]
    items += [_item("form", _form(item)) for item in deployment.of_kind("form")]
    return items


def _item(kind: str, value: Any) -> DeployedItem:
    empty: Any = dict.fromkeys(("processDefinition", "decisionDefinition", "decisionRequirements", "form", "resource"))
    item: DeployedItem = empty | {kind: value}
    return item


def process(item: Deployed) -> DeployedProcess:
    """A deployed process; the Modeler finds it by its file's name."""
    return {
        "processDefinitionId": item.id,
        "processDefinitionVersion": item.version,
        "resourceName": item.resource_name,
        "tenantId": TENANT,
        "processDefinitionKey": str(item.key),
    }


def _decision(item: Deployed, row: Any) -> DeployedDecision:
    return {
        "decisionDefinitionId": item.id,
        "version": item.version,
        "name": item.name,
        "tenantId": TENANT,
        "decisionRequirementsId": row.drg_id,
        "decisionDefinitionKey": str(item.key),
        "decisionRequirementsKey": str(row.resource_key),
    }


def _requirements(row: Any) -> DeployedRequirements:
    return {
        "decisionRequirementsId": row.drg_id,
        "decisionRequirementsName": row.drg_name,
        "version": row.drg_version,
        "resourceName": row.resource_name,
        "tenantId": TENANT,
        "decisionRequirementsKey": str(row.resource_key),
    }


def _form(item: Deployed) -> DeployedForm:
    return {"formId": item.id, "version": item.version, "resourceName": item.resource_name, "tenantId": TENANT, "formKey": str(item.key)}
