"""One flow element of the XML -> one element spec: overrides of SpiffWorkflow's TaskParser.

Upstream parses the elements that follow recursively (a chain of 300 dies); here every element of a scope is made first, then connected.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.bpmn import spiff
from engine.bpmn.elements.ad_hoc_subprocess import AdHocSubProcess
from engine.bpmn.elements.boundary_event import BoundaryEvent
from engine.bpmn.elements.business_rule_task import BusinessRuleTask
from engine.bpmn.elements.call_activity import CallActivity
from engine.bpmn.elements.complex_gateway import ComplexGateway
from engine.bpmn.elements.end_event import EndEvent
from engine.bpmn.elements.event_based_gateway import EventBasedGateway
from engine.bpmn.elements.event_subprocess import EventSubProcess
from engine.bpmn.elements.exclusive_gateway import ExclusiveGateway
from engine.bpmn.elements.inclusive_gateway import InclusiveGateway
from engine.bpmn.elements.intermediate_catch_event import IntermediateCatchEvent
from engine.bpmn.elements.intermediate_throw_event import IntermediateThrowEvent
from engine.bpmn.elements.manual_task import ManualTask
from engine.bpmn.elements.multi_instance import ParallelMultiInstance, SequentialMultiInstance
from engine.bpmn.elements.parallel_gateway import ParallelGateway
from engine.bpmn.elements.receive_task import ReceiveTask
from engine.bpmn.elements.script_task import ScriptTask
from engine.bpmn.elements.send_task import SendTask
from engine.bpmn.elements.service_task import ServiceTask
from engine.bpmn.elements.standard_loop import StandardLoop
from engine.bpmn.elements.start_event import StartEvent
from engine.bpmn.elements.subprocess import SubProcess
from engine.bpmn.elements.transaction import Transaction
from engine.bpmn.elements.undefined_task import UndefinedTask
from engine.bpmn.elements.user_task import UserTask
from engine.bpmn.kernel.element import Element, Flow, ScopeSpec
from engine.bpmn.parser.extensions import Definitions, read_ad_hoc, read_extensions, read_loop, read_properties
from engine.bpmn.parser.xml import BPMN, child_text, local, refuse
from engine.bpmn.vocabulary import Extensions, Loop, Text, Trigger

if TYPE_CHECKING:
    from engine.bpmn.parser.process import FileParser, ScopeParser

MEMBER = " [child]"
"""Upstream's suffix of the repeated activity inside a loop; not possible in an XML id."""


class NodeReader(spiff.TaskParser):
    """Reads any flow element; subclasses make the spec."""

    process_parser: ScopeParser

    @property
    def file(self) -> FileParser:
        return self.process_parser.file

    @property
    def definitions(self) -> Definitions:
        return self.file.definitions

    def attributes(self) -> dict[str, Any]:
        """Constructor arguments that every stock spec takes."""
        node = self.node
        return {
            "lane": self.lane,
            "bpmn_name": node.get("name"),
            "description": local(node),
            "documentation": child_text(node, "documentation"),
        }

    def make(self) -> Element:
        """The spec of the element itself."""
        element: Element = self.spec_class(self.spec, self.bpmn_id, **self.attributes())
        return element

    def extensions(self) -> Extensions:
        """What the node says in the zeebe vocabulary."""
        return read_extensions(self.node)

    def parse_node(self) -> Element:
        """Make the spec, and the loop around it."""
        if not self.bpmn_id:
            raise refuse("id", "元素没有 id。", "The element has no id.", self.filename, self.node)
        if self.bpmn_id in self.spec.task_specs:
            raise refuse("id", f"id {self.bpmn_id} 重复。", f"Duplicate id {self.bpmn_id}.", self.filename, self.node)
        element = self.task = self.make()
        element.ext = self.extensions()
        element.kind = local(self.node)
        element.undoes = self.node.get("isForCompensation") == "true" or (element.listens and _is_compensation(element.trigger))
        loop = read_loop(self.node)
        return element if loop is None else self._wrap(element, loop)

    def _wrap(self, member: Element, loop: Loop) -> Element:
        """Put the loop's body spec in the member's place."""
        del self.spec.task_specs[member.name]
        name = member.name
        member.name = name + MEMBER
        self.spec.task_specs[member.name] = member
        body: Element
        attributes = {**self.attributes(), "task_spec": member.name}
        if loop.standard:
            limits = {"maximum": loop.maximum, "condition": None, "test_before": loop.test_before}
            body = StandardLoop(self.spec, name, **limits, **attributes)
        elif loop.sequential:
            body = SequentialMultiInstance(self.spec, name, **attributes)
        else:
            body = ParallelMultiInstance(self.spec, name, **attributes)
        body.loop, body.kind, body.undoes = loop, member.kind, member.undoes
        return body

    def connect_all(self) -> None:
        """Connect the outgoing flows, in document order."""
        element: Element = self.spec.task_specs[self.bpmn_id]
        default = self.node.get("default")
        for flow in self.process_parser.get_outgoing_sequence_flows(self.bpmn_id):
            target = self.spec.task_specs.get(flow.get("targetRef"))
            if target is None:
                raise refuse(
                    "reference",
                    f"流向 {flow.get('id')} 的目标 {flow.get('targetRef')!r} 不在同一范围内。",
                    f"Flow {flow.get('id')} leads to {flow.get('targetRef')!r}, which is not in the same scope.",
                    self.filename,
                    self.node,
                )
            flow_id = flow.get("id") or f"{self.bpmn_id}->{target.name}"
            condition = Text.of(child_text(flow, "conditionExpression"), feel=True)
            link(element, target, flow_id, condition, is_default=flow.get("id") == default and default is not None)


def _is_compensation(trigger: Trigger | None) -> bool:
    return trigger is not None and trigger.kind == "compensate"


def link(element: Element, target: Element, flow_id: str, condition: Text | None, *, is_default: bool) -> None:
    """Add a flow between two elements."""
    element.flows += (Flow(flow_id, target, condition, is_default, len(target.incoming)),)
    target.incoming += (flow_id,)
    element._outputs.append(target.name)
    target._connect_notify(element)


class TaskReader(NodeReader):
    """Service, send, script and business rule tasks: a task with a job type is a job whatever its symbol."""

    def make(self) -> Element:
        kind = local(self.node)
        extensions = read_extensions(self.node)
        attributes = self.attributes()
        if extensions.job is not None or kind in ("serviceTask", "sendTask"):
            return (SendTask if kind == "sendTask" else ServiceTask)(self.spec, self.bpmn_id, **attributes)
        if kind == "scriptTask":
            return ScriptTask(self.spec, self.bpmn_id, script="", **attributes)
        return BusinessRuleTask(self.spec, self.bpmn_id, **attributes)


class EventReader(NodeReader):
    """Events and receive tasks."""

    def make(self) -> Element:
        element: Element = self.spec_class(self.spec, self.bpmn_id, event_definition=spiff.NoneEventDefinition(), **self.attributes())
        element.trigger = self.definitions.trigger(self.node)
        return element


class BoundaryReader(EventReader):
    """Boundary events."""

    def make(self) -> Element:
        interrupting = self.node.get("cancelActivity", "true") != "false"
        element = BoundaryEvent(
            self.spec,
            self.bpmn_id,
            event_definition=spiff.NoneEventDefinition(),
            cancel_activity=interrupting,
            **self.attributes(),
        )
        element.trigger = self.definitions.trigger(self.node)
        element.interrupting = interrupting
        if element.trigger is None:
            raise refuse("event-definition", "边界事件没有事件定义。", "A boundary event needs a trigger.", self.filename, self.node)
        return element


class GatewayReader(NodeReader):
    """Event-based and complex gateways."""

    def make(self) -> Element:
        if local(self.node) == "eventBasedGateway":
            none = spiff.NoneEventDefinition()
            return EventBasedGateway(self.spec, self.bpmn_id, event_definition=none, **self.attributes())
        gateway = ComplexGateway(self.spec, self.bpmn_id, **self.attributes())
        gateway.activation = Text.of(child_text(self.node, "activationCondition"), feel=True)
        return gateway


class SubprocessReader(NodeReader):
    """Everything with a scope inside."""

    def make(self) -> Element:
        inside = self.process_parser.inner_scope(self.node)
        spec: ScopeSpec = self.spec
        spec.inner[self.bpmn_id] = inside
        attributes = {**self.attributes(), "subworkflow_spec": self.bpmn_id}
        if self.node.get("triggeredByEvent") == "true":
            return self._event_subprocess(attributes)
        kind = local(self.node)
        if kind == "transaction":
            return Transaction(spec, self.bpmn_id, **attributes)
        if kind == "adHocSubProcess":
            ad_hoc = AdHocSubProcess(spec, self.bpmn_id, **attributes)
            ad_hoc.settings = read_ad_hoc(self.node)
            return ad_hoc
        return SubProcess(spec, self.bpmn_id, **attributes)

    def extensions(self) -> Extensions:
        """An event subprocess waits for its start event's trigger, so it carries that event's properties: who may report it, and how."""
        ext = super().extensions()
        if self.node.get("triggeredByEvent") == "true":
            for start in self.node.findall(BPMN + "startEvent"):
                ext = replace(ext, properties=ext.properties | read_properties(start))
        return ext

    def _event_subprocess(self, attributes: dict[str, Any]) -> Element:
        starts = self.node.findall(BPMN + "startEvent")
        trigger = self.definitions.trigger(starts[0]) if len(starts) == 1 else None
        if trigger is None:
            raise refuse(
                "event-subprocess",
                "事件子流程必须有且只有一个带触发器的启动事件。",
                "An event subprocess needs exactly one start event with a trigger.",
                self.filename,
                self.node,
            )
        element = EventSubProcess(self.spec, self.bpmn_id, **attributes)
        element.trigger = trigger
        element.interrupting = starts[0].get("isInterrupting", "true") != "false"
        self.spec.event_subprocesses.append(self.bpmn_id)
        return element


class CallReader(NodeReader):
    """Call activities."""

    def make(self) -> Element:
        return CallActivity(self.spec, self.bpmn_id, subworkflow_spec="", **self.attributes())


READERS: dict[str, tuple[type[NodeReader], type[Element]]] = {
    "startEvent": (EventReader, StartEvent),
    "endEvent": (EventReader, EndEvent),
    "intermediateCatchEvent": (EventReader, IntermediateCatchEvent),
    "intermediateThrowEvent": (EventReader, IntermediateThrowEvent),
    "boundaryEvent": (BoundaryReader, BoundaryEvent),
    "receiveTask": (EventReader, ReceiveTask),
    "userTask": (NodeReader, UserTask),
    "task": (NodeReader, UndefinedTask),
    "manualTask": (NodeReader, ManualTask),
    "serviceTask": (TaskReader, ServiceTask),
    "sendTask": (TaskReader, SendTask),
    "scriptTask": (TaskReader, ScriptTask),
    "businessRuleTask": (TaskReader, BusinessRuleTask),
    "exclusiveGateway": (NodeReader, ExclusiveGateway),
    "parallelGateway": (NodeReader, ParallelGateway),
    "inclusiveGateway": (NodeReader, InclusiveGateway),
    "complexGateway": (GatewayReader, ComplexGateway),
    "eventBasedGateway": (GatewayReader, EventBasedGateway),
    "subProcess": (SubprocessReader, SubProcess),
    "transaction": (SubprocessReader, Transaction),
    "adHocSubProcess": (SubprocessReader, AdHocSubProcess),
    "callActivity": (CallReader, CallActivity),
}
