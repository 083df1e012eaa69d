"""Checks of what elements are bound to: jobs, forms, decisions, processes, groups, messages, timers, loops, and every FEEL text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.bpmn.kernel.timers import parse_cycle, parse_duration, parse_moment
from engine.bpmn.lint.findings import Report
from engine.bpmn.parser.extensions import BINDINGS, TIMERS, all_zeebe, filter_names, zeebe
from engine.bpmn.parser.nodes import READERS
from engine.bpmn.parser.xml import BPMN, CAMUNDA7, ZEEBE, is_bpmn, local
from engine.bpmn.vocabulary import JOB_PRIORITIES
from engine.errors import ExpressionError
from engine.feel import compile_expression

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lxml.etree import _Element as XmlElement

EXPRESSION_CHILDREN = ("conditionExpression", "completionCondition", "condition", "loopCondition", "loopCardinality")
KNOWN_ZEEBE = frozenset(
    {
        "taskDefinition",
        "taskHeaders",
        "header",
        "ioMapping",
        "input",
        "output",
        "userTask",
        "formDefinition",
        "assignmentDefinition",
        "taskSchedule",
        "priorityDefinition",
        "calledElement",
        "calledDecision",
        "script",
        "subscription",
        "loopCharacteristics",
        "properties",
        "property",
        "versionTag",
        "adHoc",
        "conditionalFilter",
        "jobPriorityDefinition",
        "executionListeners",
        "executionListener",
        "taskListeners",
        "taskListener",
    }
)
LISTENERS = {"executionListener": ("start", "end"), "taskListener": ("creating", "assigning", "updating", "completing", "canceling")}
JOB_ELEMENTS = frozenset({"serviceTask", "sendTask", "scriptTask", "businessRuleTask", "endEvent", "intermediateThrowEvent"})
PLACES = {
    "taskDefinition": JOB_ELEMENTS,
    "taskHeaders": JOB_ELEMENTS,
    "userTask": frozenset({"userTask"}),
    "formDefinition": frozenset({"userTask", "startEvent"}),
    "assignmentDefinition": frozenset({"userTask"}),
    "taskSchedule": frozenset({"userTask"}),
    "priorityDefinition": frozenset({"userTask"}),
    "calledElement": frozenset({"callActivity"}),
    "calledDecision": frozenset({"businessRuleTask"}),
    "script": frozenset({"scriptTask"}),
    "subscription": frozenset({"message"}),
    "loopCharacteristics": frozenset({"multiInstanceLoopCharacteristics"}),
    "adHoc": frozenset({"adHocSubProcess"}),
    "versionTag": frozenset({"process"}),
    "conditionalFilter": frozenset({"conditionalEventDefinition"}),
    "jobPriorityDefinition": frozenset({"process", "serviceTask", "sendTask", "scriptTask", "businessRuleTask"}),
}
"""Where an extension means something to the engine; anywhere else it would be dropped silently, so it is refused."""
NO_START_LISTENER = ("parallelGateway", "inclusiveGateway", "complexGateway")
VARIABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def check_bindings(report: Report, process: XmlElement) -> None:
    """Every flow element of a process, at every depth."""
    for node in process.iter():
        if is_bpmn(node) and local(node) in READERS:
            _check_task(report, node)
            _check_links(report, node)
            _check_mappings(report, node)
            _check_references(report, node)
    for node in process.iter():
        if isinstance(node.tag, str):
            _check_vocabulary(report, node)
            _check_texts(report, node)
            _check_timer(report, node)


def owner(node: XmlElement) -> XmlElement:
    """The flow element (or flow, or process) that a detail belongs to."""
    current: XmlElement | None = node
    while current is not None and not (is_bpmn(current) and (local(current) in READERS or local(current) == "sequenceFlow")):
        if local(current) in ("process", "message", "error", "escalation", "signal"):
            return current
        current = current.getparent()
    return node if current is None else current


# ---------------------------------------------------------------------------------------------- tasks
def _check_task(report: Report, node: XmlElement) -> None:
    kind, job = local(node), zeebe(node, "taskDefinition")
    if job is not None:
        _check_known(report, node, job.get("type"), report.known.job_types, "job-type", "作业类型", "job type")
    has_job = job is not None and bool((job.get("type") or "").strip())
    if kind in ("serviceTask", "sendTask") and not has_job:
        report.add(node, "implementation", "任务没有作业类型（taskDefinition）。", "The task has no job type.")
    elif kind == "scriptTask" and not has_job and zeebe(node, "script") is None:
        report.add(node, "implementation", "脚本任务没有 FEEL 脚本或作业类型。", "The script task has no FEEL script or job type.")
    elif kind == "businessRuleTask" and not has_job and zeebe(node, "calledDecision") is None:
        report.add(node, "implementation", "业务规则任务没有决策或作业类型。", "The business rule task has no decision or job type.")
    elif kind in ("endEvent", "intermediateThrowEvent") and not has_job and report.zeebe:
        if node.find(BPMN + "messageEventDefinition") is not None:
            report.add(node, "implementation", "消息抛出事件没有作业类型。", "The message throw event has no job type.")
    elif kind == "userTask":
        _check_user_task(report, node)


def _check_user_task(report: Report, node: XmlElement) -> None:
    if report.zeebe and zeebe(node, "userTask") is None:
        report.warn(node, "user-task", "用户任务没有 zeebe:userTask 标记。", "The user task has no zeebe:userTask marker.")
    form = zeebe(node, "formDefinition")
    if form is not None:
        _check_known(report, node, form.get("formId"), report.known.form_ids, "form", "表单", "form")
    assignment = zeebe(node, "assignmentDefinition")
    groups = "" if assignment is None else (assignment.get("candidateGroups") or "").strip()
    if groups and not groups.startswith("="):
        for group in groups.split(","):
            _check_known(report, node, group.strip(), report.known.groups, "group", "候选组", "group")
    if assignment is None or not any(assignment.get(a) for a in ("assignee", "candidateGroups", "candidateUsers")):
        report.warn(node, "assignment", "用户任务没有办理人或候选组。", "The user task has no assignee or candidates.")
    schedule = zeebe(node, "taskSchedule")
    for attribute in ("dueDate", "followUpDate"):
        text = "" if schedule is None else (schedule.get(attribute) or "").strip()
        if text and not text.startswith("="):
            _check_moment(report, node, text)
    priority = zeebe(node, "priorityDefinition")
    value = "" if priority is None else (priority.get("priority") or "").strip()
    if value and not value.startswith("=") and not (value.isdigit() and int(value) <= 100):
        report.add(node, "priority", f"优先级 {value} 不是 0 到 100 的整数。", "The priority is not a number from 0 to 100.")


def _check_known(report: Report, node: XmlElement, name: str | None, known: AbstractSet[str] | None, rule: str, zh: str, en: str) -> None:
    name = (name or "").strip()
    if name and known is not None and not name.startswith("=") and name not in known:
        report.add(node, rule, f"没有名为“{name}”的{zh}。", f"There is no {en} named {name!r}.")


def _check_links(report: Report, node: XmlElement) -> None:
    """Calls of processes and decisions, and their bindings."""
    kind = local(node)
    called = zeebe(node, "calledElement")
    if kind == "callActivity":
        process_id = node.get("calledElement") if called is None else called.get("processId")
        if not (process_id or "").strip():
            report.add(node, "called-process", "调用活动没有指定流程。", "The call activity names no process.")
        _check_known(report, node, process_id, report.known.process_ids, "called-process", "流程", "process")
    decision = zeebe(node, "calledDecision")
    if decision is not None:
        if not (decision.get("decisionId") or "").strip():
            report.add(node, "decision", "业务规则任务没有指定决策。", "The business rule task names no decision.")
        if not (decision.get("resultVariable") or "").strip():
            report.add(node, "decision", "没有指定结果变量。", "There is no result variable.")
        _check_known(report, node, decision.get("decisionId"), report.known.decision_ids, "decision", "决策", "decision")
    for link in (called, decision, zeebe(node, "formDefinition")):
        binding = None if link is None else link.get("bindingType")
        if link is None or binding is None:
            continue
        if binding not in BINDINGS:
            report.add(node, "binding", f"未知的绑定方式 {binding}。", f"Unknown binding type {binding}.")
        elif binding == "versionTag" and not link.get("versionTag"):
            report.add(node, "binding", "按版本标签绑定却没有标签。", "Bound by version tag, but there is no tag.")


def _check_mappings(report: Report, node: XmlElement) -> None:
    for side in ("input", "output"):
        for mapping in all_zeebe(node, f"ioMapping/{side}"):
            target = (mapping.get("target") or "").strip()
            if not VARIABLE.fullmatch(target):
                report.add(node, "variable-name", f"映射目标“{target}”不是变量名。", f"{target!r} is not a variable name.")
    if local(node).endswith("Gateway") and zeebe(node, "ioMapping") is not None:
        report.add(node, "unsupported", "网关不支持变量映射。", "Gateways have no io mapping.")


def _check_references(report: Report, node: XmlElement) -> None:
    """Messages, signals, errors and escalations of events and receive tasks."""
    kind = local(node)
    if kind == "receiveTask" and not node.get("messageRef"):
        report.add(node, "reference", "接收任务没有引用消息。", "The receive task refers to no message.")
    references = [("message", node.get("messageRef"), kind == "receiveTask")] if kind == "receiveTask" else []
    for child in node:
        for tag in ("message", "signal", "error", "escalation"):
            if is_bpmn(child) and local(child) == f"{tag}EventDefinition":
                throws_message = tag == "message" and kind in ("endEvent", "intermediateThrowEvent")
                if child.get(f"{tag}Ref") or (tag in ("message", "signal") and not throws_message):
                    references.append((tag, child.get(f"{tag}Ref"), tag == "message" and not throws_message))
    for tag, reference, catches in references:
        target = _root_element(report, tag, reference)
        if target is None:
            zh = f"{tag} 引用的 {reference!r} 不存在。"
            report.add(node, "reference", zh, f"The {tag} {reference!r} does not exist.")
        else:
            _check_target(report, node, tag, target, catches)


def _root_element(report: Report, tag: str, reference: str | None) -> XmlElement | None:
    wanted = (reference or "").rpartition(":")[2]
    return next((n for n in report.root if local(n) == tag and n.get("id") == wanted), None)


def _check_target(report: Report, node: XmlElement, tag: str, target: XmlElement, catches: bool) -> None:
    if tag in ("message", "signal") and not (target.get("name") or "").strip():
        report.add(node, "reference", f"{tag} {target.get('id')} 没有名称。", f"The {tag} {target.get('id')} has no name.")
    if tag in ("error", "escalation") and not (target.get(f"{tag}Code") or "").strip():
        report.add(node, "reference", f"{tag} {target.get('id')} 没有代码。", f"The {tag} {target.get('id')} has no code.")
    at_process_start = local(node) == "startEvent" and local(_parent(node)) == "process"
    if catches and report.zeebe and not at_process_start:
        subscription = zeebe(target, "subscription")
        if subscription is None or not (subscription.get("correlationKey") or "").strip():
            zh = f"消息“{target.get('name')}”没有关联键（correlationKey）。"
            report.add(node, "subscription", zh, f"The message {target.get('name')!r} has no correlation key.")


def _parent(node: XmlElement) -> XmlElement:
    parent = node.getparent()
    return node if parent is None else parent


# ---------------------------------------------------------------------------------------------- texts
def _check_vocabulary(report: Report, node: XmlElement) -> None:
    tag = str(node.tag)
    if tag.startswith(ZEEBE):
        name = local(node)
        if name not in KNOWN_ZEEBE:
            report.add(owner(node), "unsupported", f"不支持扩展 zeebe:{name}。", f"zeebe:{name} is not supported.")
        elif name in LISTENERS:
            _check_listener(report, node, owner(node))
        elif name in PLACES:
            _check_place(report, node, name)
        if name == "jobPriorityDefinition":
            _check_job_priority(report, node)
        elif name == "conditionalFilter":
            _check_filter(report, node)
    elif tag.startswith(CAMUNDA7):
        report.warn(owner(node), "camunda-7", f"忽略 Camunda 7 扩展 {local(node)}。", f"camunda:{local(node)} is ignored.")


def _check_place(report: Report, node: XmlElement, name: str) -> None:
    """An extension belongs to the elements that heed it."""
    holder = _parent(_parent(node))
    where = local(holder)
    if where not in PLACES[name]:
        zh = f"zeebe:{name} 在 {where} 上没有作用。"
        report.add(owner(node), "unsupported", zh, f"zeebe:{name} means nothing on {where}.")


def _check_job_priority(report: Report, node: XmlElement) -> None:
    """A static one is a whole number of 32 bits."""
    text = (node.get("priority") or "").strip()
    if not text.startswith("=") and not (text.lstrip("-").isdecimal() and text.isascii() and int(text) in JOB_PRIORITIES):
        zh = f"作业优先级“{text}”不是整数（-2147483648 至 2147483647）。"
        report.add(owner(node), "job-priority", zh, f"The job priority {text!r} is not a whole number of 32 bits.")


def _check_filter(report: Report, node: XmlElement) -> None:
    """Which changes of variables a conditional event looks at; a process is started by whoever asks, not by a change."""
    unknown = filter_names(node.get("variableEvents")) - {"create", "update"}
    if unknown:
        zh = f"条件事件的变量事件只能是 create 或 update，不是 {'、'.join(sorted(unknown))}。"
        report.add(owner(node), "condition", zh, f"Unknown variable events: {', '.join(sorted(unknown))}.")
    if local(_parent(owner(node))) == "process" and local(owner(node)) == "startEvent":
        zh, en = "流程的条件启动事件没有变量过滤。", "The filter of a process's conditional start means nothing."
        report.warn(owner(node), "condition", zh, en)


def _check_listener(report: Report, node: XmlElement, element: XmlElement) -> None:
    kind, event = local(node), node.get("eventType") or ""
    where = local(element)
    joins = where in NO_START_LISTENER and event == "start"
    if event not in LISTENERS[kind] or where not in READERS or joins:
        report.add(element, "listener", f"不支持 {where} 上的监听事件 {event}。", f"The listener event {event!r} is not supported here.")
    if kind == "taskListener" and where != "userTask":
        report.add(element, "listener", "任务监听器只能用于用户任务。", "Task listeners belong to user tasks.")
    if not (node.get("type") or "").strip():
        report.add(element, "listener", "监听器没有作业类型。", "The listener has no job type.")
    _check_known(report, element, node.get("type"), report.known.job_types, "job-type", "作业类型", "job type")


def _check_texts(report: Report, node: XmlElement) -> None:
    for where, text in _expressions(report, node):
        try:
            compile_expression(text)
        except ExpressionError as error:
            zh = f"{where} 的表达式“{text}”有误：{error.details.get('reason') or error}"
            report.add(owner(node), "feel", zh, f"FEEL in {where}: {error.message('en')}")


def _expressions(report: Report, node: XmlElement) -> Iterator[tuple[str, str]]:
    """Every FEEL text that a node carries itself: (where, text)."""
    name = local(node)
    if is_bpmn(node):
        text = (node.text or "").strip()
        if text and (name in EXPRESSION_CHILDREN or (name in TIMERS and text.startswith("="))):
            if report.zeebe and not text.startswith("=") and name in EXPRESSION_CHILDREN and name != "loopCardinality":
                zh = f"{name} 应以“=”开头（FEEL）。"
                report.add(owner(node), "feel", zh, f"{name} should start with '=' (FEEL).")
            yield name, text.removeprefix("=").strip()
        if name in ("message", "signal") and (node.get("name") or "").startswith("="):
            yield "name", (node.get("name") or "")[1:].strip()
        return
    if not str(node.tag).startswith(ZEEBE) or name in ("property", "header"):
        return
    for attribute in node.attrib:
        text = (node.get(attribute) or "").strip()
        always = name == "loopCharacteristics" and attribute in ("inputCollection", "outputElement")
        if text.startswith("=") or (always and text) or (name == "script" and attribute == "expression"):
            yield f"{name}.{attribute!s}", text.removeprefix("=").strip()


def _check_moment(report: Report, node: XmlElement, text: str) -> None:
    try:
        parse_moment(text, None)
    except ValueError:
        report.add(node, "timer", f"“{text}”不是日期或日期时间（ISO 8601）。", f"{text!r} is not an ISO 8601 date-time.")


def _check_timer(report: Report, node: XmlElement) -> None:
    """A static timer text."""
    if not is_bpmn(node) or local(node) != "timerEventDefinition":
        return
    found = [(TIMERS[local(c)], (c.text or "").strip()) for c in node if local(c) in TIMERS and (c.text or "").strip()]
    if len(found) != 1:
        report.add(owner(node), "timer", "定时器应有一个日期、时长或周期。", "A timer has one date, duration or cycle.")
        return
    kind, text = found[0]
    if text.startswith("="):
        return
    try:
        if kind == "date":
            parse_moment(text, None)
        elif kind == "duration":
            parse_duration(text)
        else:
            parse_cycle(text, None)
    except ValueError:
        report.add(owner(node), "timer", f"“{text}”不是 ISO 8601 的定时器。", f"{text!r} is not an ISO 8601 timer.")
