"""Modification mode: what can be chosen on the page, what its list of changes means, and what would become of the instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine import commands
from engine.bpmn import ElementInfo, ProcessModel
from engine.errors import Conflict, Invalid
from engine.policy import Actor
from engine.store import audit, reads
from webapp.instance_screen import Node, Picture, bodies, element_name, kind_words, scope_key, tree
from webapp.once import fresh_word

INSTRUCTIONS = ("activateInstructions", "moveInstructions", "terminateInstructions")
"""The lists of Camunda 8's request, as the page sends them."""
MAX_VARIABLES = 200


def build(seen: Picture) -> dict[str, Any]:
    """Everything modify.js needs: the elements with whether a token can be put on them, and the live tokens of each."""
    if seen.row.state != "ACTIVE":
        raise Conflict(reason=_("流程已经结束，不能调整"))
    live: dict[str, list[dict[str, Any]]] = {}
    for node in _all(tree(seen, seen.elements, [])):
        if node.state in ("ACTIVE", "FAILED"):
            live.setdefault(node.element_id, []).append(_token(node))
    elements = [_element(seen.model, info, live.get(info.id, [])) for info in seen.model.elements.values()]
    return {"elements": elements, "instanceKey": str(seen.row.key), "request": fresh_word()}


def _all(nodes: list[Node]) -> list[Node]:
    return [each for node in nodes for each in (node, *_all(node.children))]


def _token(node: Node) -> dict[str, Any]:
    """A live element instance; `body`: of a multi-instance, with its members inside."""
    body = any(child.element_id == node.element_id for child in node.children)
    return {"key": str(node.key), "label": node.label or f"{node.entered_at:%m-%d} #{node.token_id}", "body": body}


def _element(model: ProcessModel, info: ElementInfo, live: list[dict[str, Any]]) -> dict[str, Any]:
    reason = _not_addable(model, info)
    return {
        "id": info.id,
        "name": element_name(info),
        "kind": kind_words(info.kind) if info.name else info.id,
        "parent": info.parent,
        "refused": reason,
        "live": live,
    }


def _not_addable(model: ProcessModel, info: ElementInfo) -> str:
    """Why no token can be put here, as engine.bpmn.kernel.placing will say too; "" when one can."""
    if info.kind in ("startEvent", "boundaryEvent"):
        return str(_("启动事件和边界事件只能由其触发器激活"))
    if info.kind == "subProcess" and any(e.parent == info.id and e.kind == "startEvent" and e.trigger for e in model.elements.values()):
        return str(_("事件子流程只能由其触发器激活"))
    for other in model.elements.values():
        if other.kind == "eventBasedGateway" and any(target == info.id for _flow, target in model.flows.get(other.id, [])):
            return str(_("由事件网关等待，请激活网关"))
    return ""


# ---------------------------------------------------------------------- doing it
def apply(session: Session, actor: Actor, key: int, body: Mapping[str, Any], reason: str, request: str = "") -> None:
    """Write the variables, then activate, move and terminate: one transaction. Raises Invalid for an empty or malformed list of changes,
    and whatever the two commands refuse. Once for each digest of a `request` ("": always)."""
    if request and audit.has_request(session, actor, reads.instance(session, key).root_key, request):
        return
    variables, change = _variables(key, body), commands.read_modification(key, dict(body))
    if not variables and not any(body.get(name) for name in INSTRUCTIONS):
        raise Invalid(reason=_("没有要执行的改动"))
    for where, values in variables.items():
        commands.set_variables(session, actor, where, values, local=True, reason=reason, request=request)
    if any(body.get(name) for name in INSTRUCTIONS):
        commands.modify_instance(session, actor, key, change, reason=reason, request=request)


def _variables(key: int, body: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    written = body.get("variables", [])
    if not isinstance(written, list) or len(written) > MAX_VARIABLES or not all(isinstance(each, dict) for each in written):
        raise Invalid(reason=_("variables 应是不超过 %(n)s 项的列表", n=MAX_VARIABLES))
    found: dict[int, dict[str, Any]] = {}
    for each in written:
        if not isinstance(each.get("name"), str) or "value" not in each:
            raise Invalid(reason=_("每个变量要有 name 和 value"))
        found.setdefault(scope_key(key, str(each.get("scopeKey", key))), {})[each["name"]] = each["value"]
    return found


def standing(session: Session, key: int) -> dict[str, Any]:
    """Where the instance stands in this transaction: its state, the tokens (ids) of each element, open incidents. The body of a
    multi-instance is no token beside its members."""
    history = reads.element_history(session, key)
    around = bodies(history)
    tokens: dict[str, set[int]] = {}
    for each in history:
        if each.state == "ACTIVE" and each.token_id not in around:
            tokens.setdefault(each.element_id, set()).add(each.token_id)
    incidents = [row.message for row in reads.incidents_of_instance(session, key)]
    return {"state": reads.instance(session, key).state, "tokens": tokens, "incidents": incidents}


def outcome(model: ProcessModel, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What would change, for the summary: elements that gain or lose tokens (`fresh`: how many of those afterwards are new), new
    incidents, and whether the instance would end."""
    names = {element: element_name(info) for element, info in model.elements.items()}
    changed = []
    for element in dict.fromkeys([*before["tokens"], *after["tokens"]]):
        old, new = before["tokens"].get(element, set()), after["tokens"].get(element, set())
        if old != new:
            changed.append({"name": names.get(element, element), "before": len(old), "after": len(new), "fresh": len(new - old)})
    return {
        "state": after["state"],
        "elements": changed,
        "incidents": [text for text in after["incidents"] if text not in before["incidents"]],
    }
