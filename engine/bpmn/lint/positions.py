"""Where BPMN does not allow what is drawn, although each piece is known: cancel events, links, compensation, loops, ad-hoc insides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.bpmn.lint.findings import Report, ScopeView
from engine.bpmn.parser.extensions import all_zeebe
from engine.bpmn.parser.xml import BPMN, is_bpmn, local

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

LOOPS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")
CAUGHT_ONCE = {"message": "name", "error": "errorCode", "escalation": "escalationCode"}
ACTIVITY_TAGS = ("task", "callActivity", "subProcess", "transaction", "adHocSubProcess")


def check_positions(report: Report, scope: ScopeView) -> None:
    """Everything about one scope."""
    for name, node in scope.elements.items():
        _check_cancel(report, scope, node)
        _check_loop_place(report, node)
        _check_handler(report, scope, name, node)
        _check_thrown_compensation(report, scope, node)
        _check_canceling_listeners(report, node)
    _check_links(report, scope)
    _check_ad_hoc(report, scope)
    _check_same_trigger(report, scope)
    _check_message_starts(report, scope)


def _definition(node: XmlElement, kind: str) -> XmlElement | None:
    return node.find(f"{BPMN}{kind}EventDefinition")


def _check_cancel(report: Report, scope: ScopeView, node: XmlElement) -> None:
    """A cancel end event stands directly in a transaction that has a cancel boundary event (BPMN 2.0.2 §10.5.3)."""
    if local(node) != "endEvent" or _definition(node, "cancel") is None:
        return
    if local(scope.node) != "transaction":
        report.add(node, "cancel-event", "取消结束事件只能直接放在事务中。", "A cancel end event belongs directly inside a transaction.")
        return
    around = scope.node.getparent()
    events = [] if around is None else around.findall(BPMN + "boundaryEvent")
    if not any(e.get("attachedToRef") == scope.node.get("id") and _definition(e, "cancel") is not None for e in events):
        zh = "事务被取消后没有去处：事务上没有取消边界事件。"
        report.add(node, "cancel-event", zh, "The transaction has no cancel boundary event to go on at when it is cancelled.")


def _check_loop_place(report: Report, node: XmlElement) -> None:
    """Only activities repeat, and an event subprocess does not."""
    loop = next((child for child in node if is_bpmn(child) and local(child) in LOOPS), None)
    if loop is None:
        return
    is_activity = local(node).lower().endswith("task") or local(node) in ACTIVITY_TAGS
    if not is_activity or node.get("triggeredByEvent") == "true":
        report.add(node, "loop", "只有活动可以循环，事件子流程不能。", "Only activities repeat; an event subprocess does not.")


def _check_handler(report: Report, scope: ScopeView, name: str, node: XmlElement) -> None:
    """A compensation handler is outside the normal flow (BPMN 2.0.2 §10.7)."""
    if node.get("isForCompensation") == "true" and (scope.incoming.get(name) or scope.outgoing.get(name)):
        report.add(node, "compensation", "补偿活动不能有顺序流。", "A compensation handler has no sequence flows.")


def _check_thrown_compensation(report: Report, scope: ScopeView, node: XmlElement) -> None:
    """A named activity has something to undo, in this scope or, from an event subprocess, in the one around it."""
    definition = _definition(node, "compensate")
    reference = None if definition is None else definition.get("activityRef")
    if not reference or local(node) not in ("endEvent", "intermediateThrowEvent"):
        return
    views = [scope]
    current: XmlElement | None = scope.node
    while current is not None and current.get("triggeredByEvent") == "true":
        current = current.getparent()
        if current is not None:
            views.append(ScopeView(current))
    view = next((each for each in views if reference in each.elements), None)
    if view is None:
        zh = f"补偿引用的活动 {reference!r} 不在同一范围内。"
        report.add(node, "compensation", zh, f"The activity {reference!r} to compensate is not in the same scope.")
    elif not _undoable(view, reference):
        zh = f"活动 {reference!r} 没有补偿边界事件，没有什么可撤销。"
        report.add(node, "compensation", zh, f"The activity {reference!r} has no compensation handler.")


def _undoable(view: ScopeView, name: str) -> bool:
    node = view.elements[name]
    if local(node) in ("subProcess", "transaction", "adHocSubProcess", "callActivity"):
        return True  # what was completed inside has handlers of its own
    return any(_definition(view.elements[event], "compensate") is not None for event in view.attached.get(name, ()))


def _check_canceling_listeners(report: Report, node: XmlElement) -> None:
    """When a task is taken away nothing can wait for an incident, so the listener's job type is a plain text."""
    for listener in all_zeebe(node, "taskListeners/taskListener"):
        dynamic = any((listener.get(attribute) or "").strip().startswith("=") for attribute in ("type", "retries"))
        if listener.get("eventType") == "canceling" and dynamic:
            zh = "取消监听器的作业类型和重试次数不能是表达式。"
            report.add(node, "listener", zh, "The job type and retries of a canceling listener cannot be expressions.")


def _check_links(report: Report, scope: ScopeView) -> None:
    """Every throw leads to exactly one catch of its name in the same scope."""
    catches: dict[str, list[XmlElement]] = {}
    throws: dict[str, list[XmlElement]] = {}
    for node in scope.elements.values():
        definition = _definition(node, "link")
        if definition is not None:
            by_name = catches if local(node) == "intermediateCatchEvent" else throws
            by_name.setdefault((definition.get("name") or "").strip(), []).append(node)
    for name, found in catches.items():
        for node in found[1:]:
            report.add(node, "link", f"链接“{name}”有两个捕获事件。", f"There are two link catch events named {name!r}.")
    for name, found in throws.items():
        for node in found:
            if name not in catches:
                report.add(node, "link", f"没有名为“{name}”的链接捕获事件。", f"No link catch event named {name!r}.")


def _check_ad_hoc(report: Report, scope: ScopeView) -> None:
    """BPMN 2.0.2 §10.3.5: neither start nor end events inside, and at least one activity."""
    if local(scope.node) != "adHocSubProcess":
        return
    for node in scope.elements.values():
        if local(node) == "endEvent":
            report.add(node, "end", "临时子流程不能有结束事件。", "An ad-hoc subprocess has no end events.")


def _check_same_trigger(report: Report, scope: ScopeView) -> None:
    """Two events of one activity, of one scope's event subprocesses or after one event-based gateway that catch the same message, error or
    escalation: only one of them could ever fire."""
    listeners = [node.find(BPMN + "startEvent") for node in scope.elements.values() if node.get("triggeredByEvent") == "true"]
    groups = [[scope.elements[event] for event in events] for events in scope.attached.values()]
    groups.append([start for start in listeners if start is not None])
    for name, node in scope.elements.items():
        if local(node) == "eventBasedGateway":
            targets = (scope.elements.get(flow.get("targetRef") or "") for flow in scope.outgoing.get(name, ()))
            groups.append([target for target in targets if target is not None])
    for events in groups:
        seen: set[tuple[str, str]] = set()
        for event in events:
            caught = _caught(report, event)
            if caught is not None and caught in seen:
                zh = "同一处有两个事件捕获同一消息、错误或升级。"
                report.add(event, "event-definition", zh, "Two events at one place catch the same message, error or escalation.")
            elif caught is not None:
                seen.add(caught)


def _caught(report: Report, event: XmlElement) -> tuple[str, str] | None:
    """Kind and name or code of what an event catches; "" for every code. None: a trigger that several may share."""
    for kind, attribute in CAUGHT_ONCE.items():
        definition = event if local(event) == "receiveTask" and kind == "message" else _definition(event, kind)
        if definition is None:
            continue
        reference = (definition.get(f"{kind}Ref") or "").rpartition(":")[2]
        target = next((node for node in report.root if local(node) == kind and node.get("id") == reference), None)
        return kind, "" if target is None else (target.get(attribute) or "").strip()
    return None


def _check_message_starts(report: Report, scope: ScopeView) -> None:
    """A message starts a process at one place."""
    if local(scope.node) != "process":
        return
    seen: set[str] = set()
    for node in scope.elements.values():
        definition = _definition(node, "message") if local(node) == "startEvent" else None
        reference = "" if definition is None else definition.get("messageRef") or ""
        if reference and reference in seen:
            report.add(node, "start", "两个启动事件等待同一消息。", "Two start events wait for the same message.")
        seen.add(reference)
