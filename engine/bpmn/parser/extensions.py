"""Reads the zeebe extension elements and the BPMN loop and event definitions of one node into the immutable vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

from engine.bpmn.parser.xml import BPMN, ZEEBE, child_text, local, refuse
from engine.bpmn.vocabulary import (
    AdHocSettings,
    Assignment,
    CalledDecision,
    CalledProcess,
    Extensions,
    FormLink,
    JobDefinition,
    Listener,
    Loop,
    Mapping_,
    Script,
    Text,
    TimerKind,
    Trigger,
    TriggerKind,
)
from engine.changes import Binding
from engine.errors import ExpressionError
from engine.feel import compile_expression

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

EXTENSIONS = BPMN + "extensionElements"
BINDINGS = ("latest", "deployment", "versionTag")
TIMERS: dict[str, TimerKind] = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}
TRIGGERS = frozenset(get_args(TriggerKind))


def zeebe(node: XmlElement, name: str) -> XmlElement | None:
    """A zeebe extension element of the node."""
    tag = ZEEBE + name
    for holder in node.iterchildren(EXTENSIONS):  # `find` with a path interprets the path each time: too slow for large diagrams
        for found in holder.iterchildren(tag):
            return found
    return None


def all_zeebe(node: XmlElement, path: str) -> list[XmlElement]:
    """Zeebe extension elements below the node's extensionElements, e.g. "ioMapping/input"."""
    found = list(node.iterchildren(EXTENSIONS))
    for step in path.split("/") if found else ():
        found = [child for parent in found for child in parent.iterchildren(ZEEBE + step)]
    return found


def binding_of(node: XmlElement) -> Binding:
    """The binding type of a form, decision or process link; unknown values are reported by lint."""
    value = node.get("bindingType") or "latest"
    return cast(Binding, value) if value in BINDINGS else "latest"


def read_extensions(node: XmlElement) -> Extensions:
    """Everything the node says in the zeebe vocabulary."""
    return Extensions(
        inputs=_mappings(node, "input"),
        outputs=_mappings(node, "output"),
        properties=read_properties(node),
        job=_job(node),
        form=_form(node),
        assignment=_assignment(node),
        called_process=_called_process(node),
        called_decision=_called_decision(node),
        script=_script(node),
        start_listeners=_listeners(node, "executionListeners/executionListener", "start"),
        end_listeners=_listeners(node, "executionListeners/executionListener", "end"),
        creating_listeners=_listeners(node, "taskListeners/taskListener", "creating"),
        assigning_listeners=_listeners(node, "taskListeners/taskListener", "assigning"),
        updating_listeners=_listeners(node, "taskListeners/taskListener", "updating"),
        completing_listeners=_listeners(node, "taskListeners/taskListener", "completing"),
        canceling_listeners=_listeners(node, "taskListeners/taskListener", "canceling"),
    )


def read_properties(node: XmlElement) -> dict[str, str]:
    """zeebe:properties as a dict."""
    return {p.get("name") or "": p.get("value") or "" for p in all_zeebe(node, "properties/property") if p.get("name")}


def _mappings(node: XmlElement, side: str) -> tuple[Mapping_, ...]:
    found = all_zeebe(node, f"ioMapping/{side}")
    return tuple(Mapping_(Text.of(m.get("source")), (m.get("target") or "").strip()) for m in found if m.get("target"))


def _headers(node: XmlElement) -> dict[str, str]:
    return {h.get("key") or "": h.get("value") or "" for h in node.iter(ZEEBE + "header") if h.get("key")}


def _job(node: XmlElement) -> JobDefinition | None:
    definition = zeebe(node, "taskDefinition")
    kind = None if definition is None else Text.of(definition.get("type"))
    if definition is None or kind is None:
        return None
    headers = zeebe(node, "taskHeaders")
    return JobDefinition(kind, Text.of(definition.get("retries")), {} if headers is None else _headers(headers), _job_priority(node))


def _job_priority(node: XmlElement) -> Text | None:
    """Of a task, else of its process (Camunda 8.10); events have none."""
    if not local(node).endswith("Task"):
        return None
    places = (node, next(node.iterancestors(BPMN + "process"), node))
    found = (zeebe(place, "jobPriorityDefinition") for place in places)
    return next((text for definition in found if definition is not None and (text := Text.of(definition.get("priority")))), None)


def _listeners(node: XmlElement, path: str, event: str) -> tuple[Listener, ...]:
    made = []
    for found in all_zeebe(node, path):
        kind = Text.of(found.get("type"))
        if kind is not None and found.get("eventType") == event:
            made.append(Listener(event, kind, Text.of(found.get("retries")), _headers(found)))
    return tuple(made)


def _form(node: XmlElement) -> FormLink | None:
    form = zeebe(node, "formDefinition")
    if form is None:
        return None
    external = form.get("externalReference") or form.get("formKey")
    return FormLink(form.get("formId"), binding_of(form), form.get("versionTag"), Text.of(external))


def _assignment(node: XmlElement) -> Assignment:
    def attribute(element: str, name: str) -> Text | None:
        found = zeebe(node, element)
        return None if found is None else Text.of(found.get(name))

    return Assignment(
        assignee=attribute("assignmentDefinition", "assignee"),
        candidate_groups=attribute("assignmentDefinition", "candidateGroups"),
        candidate_users=attribute("assignmentDefinition", "candidateUsers"),
        due_date=attribute("taskSchedule", "dueDate"),
        follow_up_date=attribute("taskSchedule", "followUpDate"),
        priority=attribute("priorityDefinition", "priority"),
    )


def _called_process(node: XmlElement) -> CalledProcess | None:
    called = zeebe(node, "calledElement")
    if called is None:
        plain = Text.of(node.get("calledElement"))
        return None if plain is None else CalledProcess(plain)
    process_id = Text.of(called.get("processId"))
    if process_id is None:
        return None
    return CalledProcess(
        process_id=process_id,
        propagate_child=called.get("propagateAllChildVariables", "true") != "false",
        propagate_parent=called.get("propagateAllParentVariables", "true") != "false",
        binding=binding_of(called),
        version_tag=called.get("versionTag"),
        business_id=Text.of(called.get("businessId")),
    )


def _called_decision(node: XmlElement) -> CalledDecision | None:
    called = zeebe(node, "calledDecision")
    decision_id = None if called is None else Text.of(called.get("decisionId"))
    if called is None or decision_id is None:
        return None
    return CalledDecision(decision_id, called.get("resultVariable") or "result", binding_of(called), called.get("versionTag"))


def _script(node: XmlElement) -> Script | None:
    script = zeebe(node, "script")
    expression = None if script is None else Text.of(script.get("expression"), feel=True)
    if script is None or expression is None:
        return None
    return Script(expression, (script.get("resultVariable") or "").strip() or None)


def read_loop(node: XmlElement) -> Loop | None:
    """The loop characteristics of an activity."""
    standard = node.find(BPMN + "standardLoopCharacteristics")
    if standard is not None:
        return Loop(
            sequential=True,
            standard=True,
            maximum=_maximum(standard),
            test_before=standard.get("testBefore") == "true",
            condition=Text.of(child_text(standard, "loopCondition"), feel=True),
        )
    multi = node.find(BPMN + "multiInstanceLoopCharacteristics")
    if multi is None:
        return None
    settings = zeebe(multi, "loopCharacteristics")
    given: Any = settings.attrib if settings is not None else {}
    output = Text.of(_attribute(given, "outputElement") or _item(multi, "outputDataItem"), feel=True)
    return Loop(
        sequential=multi.get("isSequential") == "true",
        input_collection=Text.of(_attribute(given, "inputCollection") or child_text(multi, "loopDataInputRef"), feel=True),
        input_element=_attribute(given, "inputElement") or _item(multi, "inputDataItem"),
        output_collection=_attribute(given, "outputCollection") or child_text(multi, "loopDataOutputRef"),
        output_element=output,
        cardinality=Text.of(child_text(multi, "loopCardinality"), feel=True),
        completion_condition=Text.of(child_text(multi, "completionCondition"), feel=True),
    )


def _attribute(given: Any, name: str) -> str | None:
    value = (given.get(name) or "").strip()
    return value or None


def _item(multi: XmlElement, name: str) -> str | None:
    item = multi.find(BPMN + name)
    return None if item is None else item.get("name") or item.get("id")


def filter_names(text: str | None) -> frozenset[str]:
    """A comma list of a conditional event's filter."""
    return frozenset(name.strip() for name in (text or "").split(",") if name.strip())


def variables_read(expression: Text) -> frozenset[str]:
    """The variables that a FEEL text may read; none when it cannot be compiled, which lint reports."""
    try:
        compiled = compile_expression(expression.text)
    except ExpressionError:
        return frozenset()
    return compiled.variables | compiled.possible_variables


def _maximum(standard: XmlElement) -> int | None:
    text = standard.get("loopMaximum")
    return int(text) if text is not None and text.isdigit() else None


def read_ad_hoc(node: XmlElement) -> AdHocSettings:
    """The settings of an ad-hoc subprocess."""
    settings = zeebe(node, "adHoc")
    given: Any = settings.attrib if settings is not None else {}
    return AdHocSettings(
        active_elements=Text.of(_attribute(given, "activeElementsCollection"), feel=True),
        completion_condition=Text.of(child_text(node, "completionCondition"), feel=True),
        cancel_remaining=node.get("cancelRemainingInstances", "true") != "false",
        sequential=(node.get("ordering") or "").lower() == "sequential",
        output_collection=_attribute(given, "outputCollection"),
        output_element=Text.of(_attribute(given, "outputElement"), feel=True),
    )


class Definitions:
    """The messages, signals, errors and escalations of a file, and what refers to them."""

    def __init__(self, root: XmlElement, resource: str) -> None:
        self.root = root
        self.resource = resource
        self.by_id: dict[str, XmlElement] = {node.get("id") or "": node for node in root if node.get("id")}

    def event_definitions(self, node: XmlElement) -> list[XmlElement]:
        """The event definitions of an event, in place or referenced."""
        found = []
        for child in node:
            name = local(child)
            if name == "eventDefinitionRef":
                target = self.by_id.get((child.text or "").strip().rpartition(":")[2])
                if target is None:
                    raise self.dangling(node, "eventDefinitionRef", child.text)
                found.append(target)
            elif name.endswith("EventDefinition"):
                found.append(child)
        return found

    def trigger(self, node: XmlElement) -> Trigger | None:
        """The trigger of an event or receive task. Raises Refused."""
        if local(node) in ("receiveTask", "sendTask"):
            return self._message(node, node.get("messageRef")) if node.get("messageRef") else None
        found = self.event_definitions(node)
        if not found:
            return None
        if len(found) > 1:
            raise refuse("event-definition", "一个事件只能有一个事件定义。", "An event may have only one definition.", self.resource, node)
        return self._read(node, found[0])

    def _read(self, node: XmlElement, definition: XmlElement) -> Trigger:
        kind = local(definition).removesuffix("EventDefinition")
        if kind not in TRIGGERS:
            raise refuse("event-definition", f"不支持的事件定义 {kind}。", f"Unsupported event definition {kind}.", self.resource, node)
        if kind == "message":
            return self._message(node, definition.get("messageRef"))
        if kind == "signal":
            return Trigger("signal", name=self._name(node, definition.get("signalRef"), "signal"))
        if kind in ("error", "escalation"):
            return self._coded(node, definition, cast(TriggerKind, kind))
        if kind == "timer":
            return self._timer(node, definition)
        if kind == "conditional":
            return self._condition(node, definition)
        if kind == "link":
            return Trigger("link", name=Text.of(definition.get("name")))
        return Trigger(cast(TriggerKind, kind), activity=definition.get("activityRef"))

    def _target(self, node: XmlElement, reference: str | None, tag: str) -> XmlElement:
        target = self.by_id.get((reference or "").rpartition(":")[2])
        if target is None or local(target) != tag:
            raise self.dangling(node, f"{tag}Ref", reference)
        return target

    def _name(self, node: XmlElement, reference: str | None, tag: str) -> Text:
        target = self._target(node, reference, tag)
        name = Text.of(target.get("name"))
        if name is None:
            raise refuse("reference", f"{tag} {reference} 没有名称。", f"{tag} {reference} has no name.", self.resource, node)
        return name

    def _message(self, node: XmlElement, reference: str | None) -> Trigger:
        if not reference and local(node) in ("endEvent", "intermediateThrowEvent"):
            return Trigger("message")
        name = self._name(node, reference, "message")
        subscription = zeebe(self._target(node, reference, "message"), "subscription")
        key = None if subscription is None else Text.of(subscription.get("correlationKey"))
        return Trigger("message", name=name, correlation_key=key)

    def _coded(self, node: XmlElement, definition: XmlElement, kind: TriggerKind) -> Trigger:
        reference = definition.get(f"{kind}Ref")
        if not reference:
            return Trigger(kind)
        return Trigger(kind, code=Text.of(self._target(node, reference, kind).get(f"{kind}Code")))

    def _timer(self, node: XmlElement, definition: XmlElement) -> Trigger:
        for child in definition:
            timer_kind = TIMERS.get(local(child))
            expression = Text.of(child.text)
            if timer_kind is not None and expression is not None:
                return Trigger("timer", timer_kind=timer_kind, expression=expression)
        raise refuse("timer", "定时器没有日期、时长或周期。", "The timer has no date, duration or cycle.", self.resource, node)

    def _condition(self, node: XmlElement, definition: XmlElement) -> Trigger:
        expression = Text.of(child_text(definition, "condition"), feel=True)
        if expression is None:
            raise refuse("condition", "条件事件没有条件。", "The conditional event has no condition.", self.resource, node)
        given: Any = getattr(zeebe(definition, "conditionalFilter"), "attrib", {})
        names, read = filter_names(given.get("variableNames")), variables_read(expression)
        changes = filter_names(given.get("variableEvents"))
        return Trigger("conditional", expression=expression, watched=read & names if names else read, changes=changes)

    def dangling(self, node: XmlElement, attribute: str, reference: str | None) -> Exception:
        """A reference to something that is not in the file."""
        return refuse(
            "reference",
            f"{attribute} 引用的 {reference!r} 不存在。",
            f"{attribute} refers to {reference!r}, which does not exist.",
            self.resource,
            node,
        )
