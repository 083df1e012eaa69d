"""Changing what runs: modification, migration to another version, suspension; variables of a scope."""

from __future__ import annotations

from typing import Literal

from flask import request
from pydantic import Field

from engine import commands
from engine.bpmn.migration import Instructions
from webapp.api.types import Body, Key, LongText, Name, OperationReference, Variables
from webapp.api.v2 import v2
from webapp.context import actor, engine

MAX_INSTRUCTIONS = 200
REASON = "REST API"


class VariableInstruction(Body):
    """Variables to create first, in the scope of an element (none: the process instance)."""

    variables: Variables
    scope_id: str | None = Field(None, max_length=300)


class ActivateInstruction(Body):
    """Put a token on an element."""

    element_id: Name
    ancestor_element_instance_key: Key | Literal["-1"] | None = None
    variable_instructions: list[VariableInstruction] | None = Field(None, max_length=MAX_INSTRUCTIONS)


class SourceElement(Body):
    """Which element instances to move: all of an element, or one by its key."""

    source_type: Literal["byId", "byKey"]
    source_element_id: Name | None = None
    source_element_instance_key: Key | None = None


class AncestorScope(Body):
    """Into which surroundings to move."""

    ancestor_scope_type: Literal["direct", "inferred", "sourceParent"]
    ancestor_element_instance_key: Key | Literal["-1"] | None = None


class MoveInstruction(Body):
    """End tokens at one element and put them on another."""

    source_element_instruction: SourceElement
    target_element_id: Name
    ancestor_scope_instruction: AncestorScope | None = None
    variable_instructions: list[VariableInstruction] | None = Field(None, max_length=MAX_INSTRUCTIONS)


class TerminateInstruction(Body):
    """End all element instances of an element, or one by its key."""

    element_id: Name | None = None
    element_instance_key: Key | None = None


class ModifyInstance(Body):
    """What to change, all of it or nothing."""

    operation_reference: OperationReference | None = None
    activate_instructions: list[ActivateInstruction] | None = Field(None, max_length=MAX_INSTRUCTIONS)
    move_instructions: list[MoveInstruction] | None = Field(None, max_length=MAX_INSTRUCTIONS)
    terminate_instructions: list[TerminateInstruction] | None = Field(None, max_length=MAX_INSTRUCTIONS)


@v2.operation(
    "POST", "/process-instances/<key:process_instance_key>/modification", tag="processInstance", body=ModifyInstance, answers={204: None}
)
def modify_process_instance(process_instance_key: int, body: ModifyInstance) -> None:
    """修改运行中的流程实例：激活、移动、终止 / modify an instance. 需要“流程运维”或“流程部署”权限。"""
    # the model has checked the shape; the command reads Camunda's body itself, keys as text
    change = commands.read_modification(process_instance_key, request.get_json())
    with engine().unit_of_work() as session:
        commands.modify_instance(session, actor(), process_instance_key, change, reason=REASON)


class MappingInstruction(Body):
    """Tokens at this element go on at that one."""

    source_element_id: Name
    target_element_id: Name


class MigrateInstance(Body):
    """The version to move to, and which elements correspond; the same ids correspond without being named."""

    target_process_definition_key: Key
    mapping_instructions: list[MappingInstruction] = Field(max_length=1000)
    operation_reference: OperationReference | None = None


@v2.operation(
    "POST", "/process-instances/<key:process_instance_key>/migration", tag="processInstance", body=MigrateInstance, answers={204: None}
)
def migrate_process_instance(process_instance_key: int, body: MigrateInstance) -> None:
    """把流程实例迁移到另一版本 / migrate an instance to another version. 需要“流程运维”权限。"""
    mapping = {one.source_element_id: one.target_element_id for one in body.mapping_instructions}
    with engine().unit_of_work() as session:
        target = body.target_process_definition_key
        commands.migrate_instance(session, actor(), process_instance_key, target, Instructions(mapping=mapping))


class Suspension(Body):
    """Why; shown to people."""

    reason: LongText | None = None
    operation_reference: OperationReference | None = None


@v2.operation(
    "POST",
    "/process-instances/<key:process_instance_key>/suspension",
    tag="processInstance",
    body=Suspension,
    body_optional=True,
    answers={204: None},
)
def suspend_process_instance(process_instance_key: int, body: Suspension) -> None:
    """暂停流程 / suspend the root of the instance: nothing goes on until it is resumed. 需要“流程运维”权限。"""
    with engine().unit_of_work() as session:
        commands.suspend_instance(session, actor(), process_instance_key, body.reason or REASON)


@v2.operation(
    "POST",
    "/process-instances/<key:process_instance_key>/resumption",
    tag="processInstance",
    body=Suspension,
    body_optional=True,
    answers={204: None},
)
def resume_process_instance(process_instance_key: int, body: Suspension) -> None:
    """恢复流程 / resume a suspended instance. 需要“流程运维”权限。"""
    with engine().unit_of_work() as session:
        commands.resume_instance(session, actor(), process_instance_key, body.reason or "")


class AdHocElement(Body):
    """An element to begin, and variables of its own."""

    element_id: Name
    variables: Variables | None = None


class ActivateAdHoc(Body):
    """Which elements, all or none. `cancelRemainingInstances`: what runs inside is ended first."""

    elements: list[AdHocElement] = Field(min_length=1, max_length=MAX_INSTRUCTIONS)
    cancel_remaining_instances: bool | None = None


@v2.operation(
    "POST",
    "/element-instances/ad-hoc-activities/<key:ad_hoc_sub_process_instance_key>/activation",
    tag="adHocSubProcess",
    body=ActivateAdHoc,
    answers={204: None},
)
def activate_ad_hoc_sub_process_activities(ad_hoc_sub_process_instance_key: int, body: ActivateAdHoc) -> None:
    """在打开的临时子流程中启动任务 / activate elements inside an open ad-hoc subprocess. 需要“流程运维”权限。"""
    elements = {one.element_id: one.variables or {} for one in body.elements}
    with engine().unit_of_work() as session:
        cancel = bool(body.cancel_remaining_instances)
        commands.activate_ad_hoc(session, actor(), ad_hoc_sub_process_instance_key, elements, cancel_remaining=cancel)


class SetVariables(Body):
    """Values by name. `local`: in this very scope instead of the nearest that has the variable."""

    variables: Variables
    local: bool | None = None
    operation_reference: OperationReference | None = None


@v2.operation(
    "PUT", "/element-instances/<key:element_instance_key>/variables", tag="elementInstance", body=SetVariables, answers={204: None}
)
def create_element_instance_variables(element_instance_key: int, body: SetVariables) -> None:
    """设置变量 / set variables of an instance or an element instance. 需要“流程运维”或“流程部署”权限。"""
    with engine().unit_of_work() as session:
        commands.set_variables(session, actor(), element_instance_key, body.variables, local=bool(body.local))
