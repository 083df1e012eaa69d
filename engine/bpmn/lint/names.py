"""Confusing names: what a person cannot tell apart on the diagram or in a work list. Hints, never errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.bpmn.lint.findings import Report, ScopeView
from engine.bpmn.parser.xml import child_text, local

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

LONGEST = 40
"""Characters that a box of the usual size can show."""
NAMED = ("userTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask", "manualTask", "task", "callActivity")

PEOPLES = ("userTask", "callActivity")
"""What stands in work lists and boards, where equal names cannot be told apart."""


def check_names(report: Report, scope: ScopeView) -> None:
    """Every task of a scope, and every gateway that asks something."""
    first: dict[tuple[str, str], str] = {}
    for element_id, node in scope.elements.items():
        name, kind = node.get("name") or "", local(node)
        if kind in NAMED:
            _check_task(report, node, name, first.setdefault((kind, name.strip()), element_id))
        elif kind in ("exclusiveGateway", "inclusiveGateway") and not name.strip() and _asks(scope, element_id):
            report.add(node, "confusing-name", "网关没有写明判断什么。", "The gateway does not say what it decides.", "hint")


def _check_task(report: Report, node: XmlElement, name: str, first: str) -> None:
    if not name.strip():
        report.add(node, "confusing-name", "任务没有名称。", "The task has no name.", "hint")
    elif first != node.get("id") and local(node) in PEOPLES:
        report.add(node, "confusing-name", f"与 {first} 同名，办理人分不清。", f"It has the same name as {first}.", "hint")
    elif name != " ".join(name.split()):
        report.add(node, "confusing-name", "名称里有多余的空格或换行。", "The name has spare spaces or line breaks.", "hint")
    elif len(name) > LONGEST:
        report.add(node, "confusing-name", f"名称超过 {LONGEST} 个字。", f"The name is longer than {LONGEST} characters.", "hint")


def _asks(scope: ScopeView, element_id: str) -> bool:
    return any(child_text(flow, "conditionExpression") is not None for flow in scope.outgoing.get(element_id, []))
