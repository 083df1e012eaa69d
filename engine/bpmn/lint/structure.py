"""Structural checks: ids, references, unsupported constructs, starts, ways out of gateways, unreachable elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.bpmn.lint.findings import Report, ScopeView
from engine.bpmn.parser.nodes import READERS
from engine.bpmn.parser.process import NO_FLOW_ELEMENTS, UNSUPPORTED_SUFFIXES
from engine.bpmn.parser.xml import BPMN, child_text, is_bpmn, local

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

ALLOWED = {
    "startEvent": {"message", "signal", "timer", "conditional", "error", "escalation", "compensate"},
    "endEvent": {"message", "signal", "error", "escalation", "cancel", "compensate", "terminate"},
    "intermediateCatchEvent": {"message", "signal", "timer", "conditional", "link"},
    "intermediateThrowEvent": {"message", "signal", "escalation", "compensate", "link"},
    "boundaryEvent": {"message", "signal", "timer", "conditional", "error", "escalation", "cancel", "compensate"},
}
PROCESS_STARTS = {"message", "signal", "timer", "conditional"}
ONLY_INTERRUPTING = {"error", "compensate", "cancel"}
NOT_CAMUNDA_8 = {"complexGateway": "复杂网关", "transaction": "事务子流程"}
BAD_ATTRIBUTES = {
    "startQuantity": "1",
    "completionQuantity": "1",
    "instantiate": "false",
    "parallelMultiple": "false",
}
UNSUPPORTED_CHILDREN = {"ioSpecification", "resourceRole", "performer", "humanPerformer", "potentialOwner", "loopDataInput"}


def check_ids(report: Report) -> None:
    """Ids are unique in the file."""
    seen: dict[str, XmlElement] = {}
    for node in report.root.iter():
        name = node.get("id") if isinstance(node.tag, str) else None
        if not name:
            continue
        if name in seen and is_bpmn(node):
            report.add(node, "id", f"id {name} 重复（第 {seen[name].sourceline} 行已有）。", f"Duplicate id {name}.")
        seen.setdefault(name, node)


def check_scope(report: Report, scope: ScopeView) -> None:
    """Everything about one scope."""
    for node in scope.node:
        if is_bpmn(node):
            _check_supported(report, node)
    _check_flows(report, scope)
    _check_starts(report, scope)
    for name, node in scope.elements.items():
        _check_event(report, scope, node)
        _check_gateway(report, scope, name, node)
    _check_reachable(report, scope)


def _check_supported(report: Report, node: XmlElement) -> None:
    name = local(node)
    if name not in READERS:
        if name not in NO_FLOW_ELEMENTS and name.endswith(UNSUPPORTED_SUFFIXES):
            report.add(node, "unsupported", f"不支持的元素 {name}。", f"Unsupported element {name}.")
        return
    if not node.get("id"):
        report.add(node, "id", "元素没有 id。", "The element has no id.")
    for attribute, normal in BAD_ATTRIBUTES.items():
        if node.get(attribute, normal) != normal:
            report.add(node, "unsupported", f"不支持属性 {attribute}。", f"The attribute {attribute} is not supported.")
    for child in node:
        if is_bpmn(child) and local(child) in UNSUPPORTED_CHILDREN:
            report.add(node, "unsupported", f"不支持 {local(child)}。", f"{local(child)} is not supported.")
    if report.zeebe:
        if name in NOT_CAMUNDA_8:
            report.add(node, "camunda-8", f"Camunda 8 不支持{NOT_CAMUNDA_8[name]}。", f"Camunda 8 does not support {name}.")
        if node.find(BPMN + "standardLoopCharacteristics") is not None:
            report.add(node, "camunda-8", "Camunda 8 不支持标准循环。", "Camunda 8 does not support standard loops.")


def _check_flows(report: Report, scope: ScopeView) -> None:
    for flow in scope.flows:
        for attribute in ("sourceRef", "targetRef"):
            if flow.get(attribute) not in scope.elements:
                report.add(
                    flow,
                    "reference",
                    f"顺序流的 {attribute} 引用的 {flow.get(attribute)!r} 不在同一范围内。",
                    f"{attribute} of the flow refers to {flow.get(attribute)!r}, which is not in the same scope.",
                )
    for name, node in scope.elements.items():
        default = node.get("default")
        if default and default not in {flow.get("id") for flow in scope.outgoing.get(name, [])}:
            report.add(node, "reference", f"默认流向 {default} 不是它的出口。", f"The default flow {default} does not leave it.")
        if local(node) == "endEvent" and scope.outgoing.get(name):
            report.add(node, "flow", "结束事件不能有出口。", "An end event has no outgoing flows.")
        if local(node) in ("startEvent", "boundaryEvent") and scope.incoming.get(name):
            report.add(node, "flow", "启动事件和边界事件不能有入口。", "Start and boundary events have no incoming flows.")
        if node.get("triggeredByEvent") == "true" and (scope.incoming.get(name) or scope.outgoing.get(name)):
            report.add(node, "flow", "事件子流程不能有顺序流。", "An event subprocess has no sequence flows.")
        if local(node) == "boundaryEvent" and node.get("attachedToRef") not in scope.elements:
            host = node.get("attachedToRef")
            report.add(node, "reference", f"依附的活动 {host!r} 不存在。", f"The activity {host!r} does not exist.")


def _check_starts(report: Report, scope: ScopeView) -> None:
    node, kind = scope.node, local(scope.node)
    starts = [n for n in scope.elements.values() if local(n) == "startEvent"]
    if not scope.elements:
        report.add(node, "empty", "流程中没有元素。", "There are no elements.")
    elif kind == "adHocSubProcess":
        for start in starts:
            report.add(start, "start", "临时子流程不能有启动事件。", "An ad-hoc subprocess has no start events.")
    elif node.get("triggeredByEvent") == "true":
        if len(starts) != 1 or not _definitions(starts[0]):
            report.add(
                node,
                "event-subprocess",
                "事件子流程必须有且只有一个带触发器的启动事件。",
                "An event subprocess needs exactly one start event with a trigger.",
            )
    elif not starts and report.zeebe:
        report.add(node, "start", "没有启动事件。", "There is no start event.")
    elif kind != "process" and starts and (len(starts) > 1 or _definitions(starts[0])):
        report.add(node, "start", "嵌入子流程只能有一个空启动事件。", "An embedded subprocess has exactly one none start event.")
    elif kind == "process" and sum(1 for s in starts if not _definitions(s)) > 1:
        report.add(node, "start", "只能有一个空启动事件。", "There may be only one none start event.")


def _definitions(node: XmlElement) -> list[str]:
    """Kinds of the event definitions of an event."""
    names = [local(child) for child in node]
    return ["ref" if n == "eventDefinitionRef" else n.removesuffix("EventDefinition") for n in names if _is_definition(n)]


def _is_definition(name: str) -> bool:
    return name.endswith("EventDefinition") or name == "eventDefinitionRef"


def _check_event(report: Report, scope: ScopeView, node: XmlElement) -> None:
    kind = local(node)
    allowed = ALLOWED.get(kind)
    if allowed is None:
        return
    kinds = _definitions(node)
    if len(kinds) > 1:
        report.add(node, "event-definition", "一个事件只能有一个事件定义。", "An event may have only one definition.")
    if kind in ("boundaryEvent", "intermediateCatchEvent") and not kinds:
        report.add(node, "event-definition", "事件没有事件定义。", "The event has no definition.")
    for definition in kinds:
        if definition not in allowed and definition != "ref":
            report.add(node, "event-definition", f"{kind} 不能是 {definition}。", f"{kind} may not be {definition}.")
        elif kind == "startEvent" and local(scope.node) == "process" and definition not in PROCESS_STARTS:
            report.add(node, "event-definition", f"流程不能由 {definition} 启动。", f"A process is not started by {definition}.")
    if kind == "boundaryEvent":
        _check_boundary(report, scope, node, kinds)
    if kind == "startEvent" and node.get("isInterrupting") == "false" and set(kinds) & ONLY_INTERRUPTING:
        report.add(node, "interrupting", "错误和补偿启动事件必须是中断的。", "Error and compensation starts interrupt.")
    if node.find(f"{BPMN}timerEventDefinition/{BPMN}timeCycle") is not None:
        _check_cycle(report, scope, node)


def _check_cycle(report: Report, scope: ScopeView, node: XmlElement) -> None:
    """A timer that can occur only once has no cycle."""
    kind = local(node)
    if kind == "intermediateCatchEvent":
        report.add(node, "timer", "中间定时事件不能是周期。", "An intermediate timer cannot be a cycle.")
    elif kind == "boundaryEvent" and node.get("cancelActivity") != "false":
        report.add(node, "timer", "中断的定时边界事件不能是周期。", "An interrupting boundary timer cannot be a cycle.")
    elif scope.node.get("triggeredByEvent") == "true" and node.get("isInterrupting") != "false":
        report.add(node, "timer", "中断的定时启动事件不能是周期。", "An interrupting timer start cannot be a cycle.")


def _check_boundary(report: Report, scope: ScopeView, node: XmlElement, kinds: list[str]) -> None:
    host = scope.elements.get(node.get("attachedToRef") or "")
    if node.get("cancelActivity") == "false" and set(kinds) & {"error", "cancel"}:
        report.add(node, "interrupting", "错误边界事件必须是中断的。", "An error boundary event interrupts.")
    if host is not None and (local(host).endswith(("Event", "Gateway")) or host.get("triggeredByEvent") == "true"):
        report.add(node, "reference", "边界事件只能依附于活动。", "Boundary events are attached to activities only.")
    if "cancel" in kinds and host is not None and local(host) != "transaction":
        report.add(node, "event-definition", "取消事件只能用于事务。", "Cancel events are for transactions only.")
    if "compensate" in kinds:
        targets = {a.get("targetRef") for a in scope.node if a.get("sourceRef") == node.get("id")}
        if not targets & set(scope.elements):
            report.add(node, "compensation", "补偿边界事件没有关联补偿活动。", "The compensation event has no handler.")


def _check_gateway(report: Report, scope: ScopeView, name: str, node: XmlElement) -> None:
    kind, outgoing = local(node), scope.outgoing.get(name, [])
    if kind in ("exclusiveGateway", "inclusiveGateway") and len(outgoing) > 1:
        default = node.get("default")
        for flow in outgoing:
            conditional = child_text(flow, "conditionExpression") is not None
            if flow.get("id") == default and conditional:
                report.add(flow, "condition", "默认流向不能有条件。", "The default flow has no condition.")
            elif flow.get("id") != default and not conditional:
                zh = f"网关“{node.get('name') or name}”的流向 {flow.get('id')} 没有条件，也不是默认流向。"
                report.add(flow, "condition", zh, f"Flow {flow.get('id')} has no condition and is not the default flow.")
        if not default:
            report.warn(node, "default-flow", "网关没有默认流向：没有条件成立时会产生异常。", "The gateway has no default flow.")
    if kind == "eventBasedGateway":
        _check_event_gateway(report, scope, node, outgoing)
    if report.zeebe and not kind.endswith("Gateway"):
        for flow in outgoing:
            if child_text(flow, "conditionExpression") is not None:
                zh = "Camunda 8 只在排他网关和包容网关的出口上支持条件。"
                report.add(flow, "camunda-8", zh, "Camunda 8 has conditions on exclusive and inclusive gateways only.")


def _check_event_gateway(report: Report, scope: ScopeView, node: XmlElement, outgoing: list[XmlElement]) -> None:
    if len(outgoing) < 2:
        report.warn(node, "event-gateway", "事件网关应有两个以上出口。", "An event-based gateway has two or more flows.")
    for flow in outgoing:
        target = scope.elements.get(flow.get("targetRef") or "")
        if target is not None and local(target) not in ("intermediateCatchEvent", "receiveTask"):
            zh = "事件网关之后只能是捕获事件或接收任务。"
            report.add(target, "event-gateway", zh, "Only catch events and receive tasks follow an event-based gateway.")


def _check_reachable(report: Report, scope: ScopeView) -> None:
    reached = scope.reachable(set(scope.entries))
    for name, node in scope.elements.items():
        if name not in reached and node.get("isForCompensation") != "true" and local(node) != "boundaryEvent":
            report.warn(node, "unreachable", "从启动事件到不了这个元素。", "The element cannot be reached from a start event.")
