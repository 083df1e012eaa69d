"""POST /v2/process-instances: start a process by its id or by a version's key, and wait for its result if wanted."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from engine import commands
from engine.definitions import process_definition
from engine.errors import Conflict, Forbidden, LianbanError, NotFound
from engine.policy import Actor
from engine.store import definitions, reads
from webapp.api.types import (
    TENANT,
    Body,
    Json,
    Key,
    KeyText,
    Milliseconds,
    Name,
    OperationReference,
    ShortText,
    Tenant,
    Variables,
    Whole,
)
from webapp.api.v2 import v2
from webapp.api.waiting import waiting
from webapp.context import actor, engine

DEFAULT_WAIT_SECONDS = 20.0
LATEST = -1


class StillRunning(LianbanError):
    """流程实例 {key} 在时限内没有结束，它会继续运行。

    Process instance {key} did not complete in time; it keeps running.
    """

    code = "deadline_exceeded"
    status = 504


class StartInstruction(Body):
    """Begin at this element instead of at the start event."""

    element_id: Name


class RuntimeInstruction(Body):
    """Terminate the instance when this element has ended; what Camunda Modeler's task testing asks for."""

    type: Literal["TERMINATE_PROCESS_INSTANCE"] | None = None
    after_element_id: Name


class CreateInstance(Body):
    """By `processDefinitionId` (the latest version unless told) or by `processDefinitionKey`."""

    process_definition_id: Name | None = None
    process_definition_key: Key | None = None
    process_definition_version: Whole | None = None
    process_definition_version_tag: Name | None = None
    variables: Variables | None = None
    tenant_id: Tenant | None = None
    operation_reference: OperationReference | None = None
    start_instructions: list[StartInstruction] | None = Field(None, max_length=100)
    runtime_instructions: list[RuntimeInstruction] | None = Field(None, max_length=100)
    await_completion: bool | None = None
    fetch_variables: list[Name] | None = Field(None, max_length=200)
    request_timeout: Milliseconds | None = None
    tags: list[ShortText] | None = Field(None, max_length=20)
    business_id: ShortText | None = Field(None, max_length=100)

    @model_validator(mode="after")
    def one_definition(self) -> Self:
        """By id or by key, not both."""
        if (self.process_definition_id is None) == (self.process_definition_key is None):
            raise ValueError("give processDefinitionId or processDefinitionKey")
        return self


class CreatedInstance(TypedDict):
    """The started instance; `variables` are filled when its completion was awaited."""

    processDefinitionId: str
    processDefinitionVersion: int
    tenantId: str
    variables: dict[str, Json]
    processDefinitionKey: KeyText
    processInstanceKey: KeyText
    tags: list[str]
    businessId: str | None


@v2.operation("POST", "/process-instances", tag="processInstance", body=CreateInstance, answers={200: CreatedInstance, 504: None})
def create_process_instance(body: CreateInstance) -> Any:
    """启动流程 / start a process. 需要“流程部署”或“流程运维”权限。"""
    who = actor()
    if not (who.can("deploy") or who.can("operate")):
        raise Forbidden(reason="需要“流程部署”或“流程运维”权限")
    with engine().unit_of_work() as session:
        definition = _definition(session, body)
        key = _start(session, who, body, definition)
    variables = _result(key, body) if body.await_completion else {}
    return {
        "processDefinitionId": definition.process_id,
        "processDefinitionVersion": definition.version,
        "tenantId": TENANT,
        "variables": variables,
        "processDefinitionKey": str(definition.key),
        "processInstanceKey": str(key),
        "tags": body.tags or [],
        "businessId": body.business_id,
    }


def _definition(session: Session, body: CreateInstance) -> Any:
    """The version to start. Raises NotFound."""
    if body.process_definition_key is not None:
        return definitions.by_key(session, "process", body.process_definition_key)
    process_id = body.process_definition_id or ""
    version = None if body.process_definition_version in {None, LATEST} else body.process_definition_version
    if version is not None or body.process_definition_version_tag is not None:
        return definitions.version_of_process(session, process_id, version, body.process_definition_version_tag)
    newest = definitions.bound_key(session, "process", process_id, "latest", 0)
    if newest is None:
        raise NotFound(what="流程", key=process_id)
    return process_definition(session, newest)


def _start(session: Session, who: Actor, body: CreateInstance, definition: Any) -> int:
    variables, version = body.variables or {}, definition.version
    start_at = [instruction.element_id for instruction in body.start_instructions or ()]
    until = [instruction.after_element_id for instruction in body.runtime_instructions or ()]
    return commands.start_instance(
        session, who, definition.process_id, variables, business_id=body.business_id, version=version, start_at=start_at, until=until
    )


def _result(key: int, body: CreateInstance) -> dict[str, Any]:
    """The variables of the completed instance. Raises StillRunning (504), Conflict when it was terminated."""

    def ended() -> str | None:
        with engine().reading() as session:
            state: str = reads.instance(session, key).state
        return None if state == "ACTIVE" else state

    seconds = (body.request_timeout or 0) / 1000 or DEFAULT_WAIT_SECONDS
    state = waiting().until(ended, seconds)
    if state is None:
        raise StillRunning(key=key)
    if state != "COMPLETED":
        raise Conflict(reason=f"流程实例 {key} 被终止")
    with engine().reading() as session:
        variables = reads.variables(session, key)
    wanted = body.fetch_variables
    return {name: value for name, value in variables.items() if not name.startswith("#") and (not wanted or name in wanted)}
