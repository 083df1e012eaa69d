"""Change where a running instance stands (Camunda 8: process instance modification): one command, one transaction, checked as a whole
before anything happens. The rules of what can be activated stand in engine.bpmn.kernel.placing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from engine.bpmn import Activation, Modification, Move, Termination
from engine.commands.reasons import checked_reason
from engine.commands.root_run import RootRun
from engine.errors import Conflict, Invalid
from engine.policy import Actor, require
from engine.store import audit
from engine.store.models import split_key

MAX_INSTRUCTIONS = 200


def modify_instance(
    session: Session, actor: Actor, instance_key: int, change: Modification, *, reason: str = "", request: str = ""
) -> None:
    """Activate, move and terminate element instances of one process instance; it runs on from there.

    An instance left without any element instance is TERMINATED; a called one cannot be emptied, because its caller would wait for ever.
    The `reason` and the digest of the `request` (audit.has_request) are kept in the audit trail.
    Raises Forbidden (power `operate` or `deploy`), NotFound (instance, element or element instance), Invalid, Conflict, Suspended.
    """
    require(actor, "operate", "deploy")
    said = checked_reason(reason)
    count = len(change.activations) + len(change.moves) + len(change.terminations)
    if not 0 < count <= MAX_INSTRUCTIONS:
        raise Invalid(reason=f"修改指令应为 1 到 {MAX_INSTRUCTIONS} 条")
    run = RootRun.locked(session, actor, instance_key)
    row = run.row(instance_key)
    live = run.instance(instance_key)
    live.modify(change)
    if live.state == "TERMINATED" and row.parent_key is not None:
        raise Conflict(reason="不能终止被调用流程的全部元素：请终止上级流程的调用活动")
    audit.record(
        session,
        actor,
        "instance.modified",
        root_key=row.root_key,
        instance_key=instance_key,
        business_id=row.business_id,
        data={"reason": said, **{name: value for name, value in _summary(change).items() if value}}
        | ({"request": request} if request else {}),
    )
    run.finish()


def read_modification(instance_key: int, body: dict[str, Any]) -> Modification:
    """A Modification from Camunda 8's request body (REST v2, process-instances/{key}/modification; 8.5 to 8.9 names of the sources).

    Keys are those of element instances, as text; ancestor "-1" means none is named. Raises Invalid with the place of the mistake.
    """
    return Modification(
        tuple(_activation(instance_key, each, "elementId") for each in _list(body, "activateInstructions")),
        tuple(_move(instance_key, each) for each in _list(body, "moveInstructions")),
        tuple(_termination(instance_key, each) for each in _list(body, "terminateInstructions")),
    )


def _list(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Invalid(reason=f"{name} 应是对象的列表（a list of objects）")
    return found


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(reason=f"缺少 {name}（missing or not text）")
    return value


def _token(instance_key: int, written: Any, name: str) -> int:
    """The token id of an element instance key of this instance; the instance's own key is 0."""
    if not isinstance(written, (str, int)) or isinstance(written, bool) or not str(written).isdecimal():
        raise Invalid(reason=f"{name} 不是元素实例的编号（not a key）：{written}")
    key = int(written)
    if key == instance_key:
        return 0
    instance, token = split_key(key)
    if instance != instance_key:
        raise Invalid(reason=f"{name} {written} 不属于流程实例 {instance_key}（of another instance）")
    return token


def _activation(instance_key: int, body: dict[str, Any], target: str) -> Activation:
    ancestor = body.get("ancestorElementInstanceKey")
    scope = body.get("ancestorScopeInstruction")
    if isinstance(scope, dict) and scope.get("ancestorScopeType") == "direct":
        ancestor = scope.get("ancestorElementInstanceKey")
    token = None if ancestor in (None, "-1", -1) else _token(instance_key, ancestor, "ancestorElementInstanceKey")
    variables: dict[str, dict[str, Any]] = {}
    for each in _list(body, "variableInstructions"):
        values = each.get("variables")
        if not isinstance(values, dict):
            raise Invalid(reason="variableInstructions.variables 应是对象（an object）")
        variables.setdefault(each.get("scopeId") or "", {}).update(values)
    return Activation(_text(body, target), token, variables)


def _move(instance_key: int, body: dict[str, Any]) -> Move:
    source = body.get("sourceElementInstruction")
    source = source if isinstance(source, dict) else body
    activation = _activation(instance_key, body, "targetElementId")
    key = source.get("sourceElementInstanceKey")
    if key is not None:
        return Move(activation, source_token=_token(instance_key, key, "sourceElementInstanceKey"))
    return Move(activation, source_element=_text(source, "sourceElementId"))


def _termination(instance_key: int, body: dict[str, Any]) -> Termination:
    if body.get("elementInstanceKey") is not None:
        return Termination(token=_token(instance_key, body["elementInstanceKey"], "elementInstanceKey"))
    return Termination(element_id=_text(body, "elementId"))


def _summary(change: Modification) -> dict[str, list[Any]]:
    """What the audit trail keeps: element ids and names of variables, not their values."""
    moves = [{"from": each.source_element or str(each.source_token), "to": each.activation.element_id} for each in change.moves]
    written = {name for each in change.activations for values in each.variables.values() for name in values}
    return {
        "activated": [each.element_id for each in change.activations],
        "moved": moves,
        "terminated": [{name: value for name, value in asdict(each).items() if value is not None} for each in change.terminations],
        "variables": sorted(written),
    }
