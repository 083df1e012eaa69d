"""A scope of the XML -> a ScopeSpec, and a file -> its processes: overrides of SpiffWorkflow's ProcessParser and BpmnParser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from engine.bpmn import spiff
from engine.bpmn.elements.complex_gateway import ComplexGateway
from engine.bpmn.elements.event_subprocess import EventSubProcess
from engine.bpmn.elements.inclusive_gateway import InclusiveGateway
from engine.bpmn.elements.intermediate_catch_event import IntermediateCatchEvent
from engine.bpmn.elements.intermediate_throw_event import IntermediateThrowEvent
from engine.bpmn.elements.joining import reachable_flows
from engine.bpmn.kernel.element import Element, ScopeSpec
from engine.bpmn.parser.extensions import Definitions
from engine.bpmn.parser.nodes import READERS, NodeReader, link
from engine.bpmn.parser.xml import BPMN, MAX_NESTING, is_bpmn, local, refuse

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

NSMAP = {
    "bpmn": BPMN.strip("{}"),
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
}
NO_FLOW_ELEMENTS = ("sequenceFlow", "dataObject", "dataObjectReference", "dataStoreReference", "laneSet", "lane")
UNSUPPORTED_SUFFIXES = ("Task", "Gateway", "Event", "Process", "Activity", "Choreography")


class ScopeParser(spiff.ProcessParser):
    """Reads a process or the inside of a subprocess."""

    depth = 0

    @property
    def file(self) -> FileParser:
        parser: FileParser = self.parser
        return parser

    def inner_scope(self, node: XmlElement) -> ScopeSpec:
        """Read the inside of a subprocess of this scope."""
        inner = ScopeParser(self.parser, node, NSMAP, {}, self.filename)
        inner.depth = self.depth + 1
        if inner.depth > MAX_NESTING:
            raise refuse("nesting", "子流程嵌套过深。", "Subprocesses are nested too deep.", self.filename, node)
        spec: ScopeSpec = inner.get_spec()
        return spec

    def _parse(self) -> None:
        self.spec = ScopeSpec(self.bpmn_id, self.get_name(), self.filename)
        readers = self._make_elements()
        for reader in readers:
            reader.connect_all()
        self._attach_boundary_events()
        self._connect_links()
        self.spec.starts = self._starts()
        complex_joins = (e for e in self.spec.task_specs.values() if isinstance(e, ComplexGateway) and e.activation)
        self.spec.late_joins = tuple(gateway.note_name for gateway in complex_joins)

    def _make_elements(self) -> list[NodeReader]:
        readers = []
        for node in self.node:
            entry = READERS.get(local(node)) if is_bpmn(node) else None
            if entry is None:
                self._check_ignorable(node)
                continue
            reader = entry[0](self, entry[1], node, NSMAP)
            reader.parse_node()
            readers.append(reader)
        if not readers:
            raise refuse("empty", "流程中没有元素。", "There are no elements.", self.filename, self.node)
        return readers

    def _check_ignorable(self, node: XmlElement) -> None:
        name = local(node)
        if is_bpmn(node) and name not in NO_FLOW_ELEMENTS and name.endswith(UNSUPPORTED_SUFFIXES):
            raise refuse("unsupported", f"不支持的元素 {name}。", f"Unsupported element {name}.", self.filename, node)

    def _attach_boundary_events(self) -> None:
        elements: dict[str, Element] = self.spec.task_specs
        for node in self.node.findall(BPMN + "boundaryEvent"):
            host = elements.get(node.get("attachedToRef") or "")
            if host is None:
                raise self.file.definitions.dangling(node, "attachedToRef", node.get("attachedToRef"))
            event = elements[node.get("id") or ""]
            if event.trigger is not None and event.trigger.kind == "compensate":
                host.compensation_handler = self._handler(node)
            else:
                host.boundary += (event.name,)

    def _handler(self, node: XmlElement) -> str:
        """The activity that a compensation boundary event is associated with."""
        for association in self.node.findall(BPMN + "association"):
            if association.get("sourceRef") == node.get("id") and association.get("targetRef") in self.spec.task_specs:
                return association.get("targetRef") or ""
        raise refuse(
            "compensation",
            "补偿边界事件没有关联补偿活动。",
            "The compensation boundary event has no handler.",
            self.filename,
            node,
        )

    def _connect_links(self) -> None:
        elements: dict[str, Element] = self.spec.task_specs
        catches = {
            e.trigger.name.text: e
            for e in elements.values()
            if isinstance(e, IntermediateCatchEvent) and e.trigger and e.trigger.kind == "link" and e.trigger.name
        }
        for element in list(elements.values()):
            trigger = element.trigger
            if isinstance(element, IntermediateThrowEvent) and trigger is not None and trigger.kind == "link":
                target = catches.get(trigger.name.text if trigger.name else "")
                if target is None:
                    name = trigger.name.text if trigger.name else ""
                    node = self.get_node_by_id(element.bpmn_id)
                    raise refuse("link", f"没有名为“{name}”的链接捕获事件。", f"No link catch event named {name!r}.", self.filename, node)
                link(element, target, f"{element.name}~link", None, is_default=False)

    def _starts(self) -> list[str]:
        """Elements that get a token when the scope begins: none start events, or without start events whatever nothing leads to."""
        nodes = {node.get("id") or "": node for node in self.node if local(node) in READERS and is_bpmn(node)}
        starts = [name for name, node in nodes.items() if local(node) == "startEvent"]
        elements: dict[str, Element] = self.spec.task_specs
        if starts:
            if self.node.get("triggeredByEvent") == "true":
                return starts
            return [name for name in starts if elements[name].trigger is None]
        return [name for name, node in nodes.items() if self._is_free(elements[name], node)]

    def _is_free(self, element: Element, node: XmlElement) -> bool:
        if element.incoming or isinstance(element, EventSubProcess) or local(node) == "boundaryEvent":
            return False
        is_link = element.trigger is not None and element.trigger.kind == "link"
        return node.get("isForCompensation") != "true" and not is_link


class FileParser(spiff.BpmnParser):
    """Reads the processes of one file."""

    PROCESS_PARSER_CLASS = ScopeParser
    OVERRIDE_PARSER_CLASSES: ClassVar[dict[str, tuple[Any, Any]]] = {BPMN + tag: entry for tag, entry in READERS.items()}

    def __init__(self, root: XmlElement, resource: str) -> None:
        super().__init__()
        self.definitions = Definitions(root, resource)
        self._add_diagram_indexes(root)
        self.nodes: dict[str, XmlElement] = {}
        for node in root.findall(BPMN + "process"):
            if not node.get("id"):
                raise refuse("id", "流程没有 id。", "The process has no id.", resource, node)
            if node.get("id") in self.process_parsers:
                raise refuse("id", f"流程 id {node.get('id')} 重复。", f"Duplicate process id {node.get('id')}.", resource, node)
            self.create_parser(node, resource)
            self.nodes[node.get("id") or ""] = node

    def executable(self) -> list[str]:
        """Ids of the executable processes."""
        return [name for name, node in self.nodes.items() if node.get("isExecutable", "true") == "true"]

    def compile(self, process_id: str) -> ScopeSpec:
        """The finished, immutable spec of a process with its element table."""
        spec: ScopeSpec = self.process_parsers[process_id].get_spec()
        table: list[Element] = []
        named: dict[str, Element] = {}
        stack = [spec]
        while stack:
            scope = stack.pop()
            scope.table, scope.named = table, named
            for element in scope.task_specs.values():
                named[element.name] = element
                table.append(element)
                if isinstance(element, (InclusiveGateway, ComplexGateway)):
                    reachable_flows(element)
            stack.extend(reversed(scope.inner.values()))
        return spec
