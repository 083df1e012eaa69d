"""The collector that every check writes to, and what the checks share about one scope of the diagram."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engine.bpmn.interface import Known
from engine.bpmn.parser.nodes import READERS
from engine.bpmn.parser.xml import finding_at, is_bpmn, local, uses_zeebe
from engine.findings import Finding

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement


@dataclass
class Report:
    """Collects findings about one file. `zeebe`: the Camunda 8 profile with its limits applies."""

    root: XmlElement
    resource: str
    known: Known
    found: list[Finding] = field(default_factory=list)

    @cached_property
    def zeebe(self) -> bool:
        return uses_zeebe(self.root)

    def add(self, node: XmlElement | None, rule: str, zh: str, en: str, severity: str = "error") -> None:
        """One finding about an element."""
        self.found.append(finding_at(rule, zh, en, self.resource, node, severity))

    def warn(self, node: XmlElement | None, rule: str, zh: str, en: str) -> None:
        """One finding that does not stop a deployment."""
        self.add(node, rule, zh, en, "warning")


@dataclass
class ScopeView:
    """One scope of the diagram: its flow nodes, flows, and what can follow what."""

    node: XmlElement

    @cached_property
    def elements(self) -> dict[str, XmlElement]:
        return {n.get("id") or "": n for n in self.node if is_bpmn(n) and local(n) in READERS and n.get("id")}

    @cached_property
    def flows(self) -> list[XmlElement]:
        return [n for n in self.node if is_bpmn(n) and local(n) == "sequenceFlow"]

    @cached_property
    def outgoing(self) -> dict[str, list[XmlElement]]:
        return self._by("sourceRef")

    @cached_property
    def incoming(self) -> dict[str, list[XmlElement]]:
        return self._by("targetRef")

    def _by(self, attribute: str) -> dict[str, list[XmlElement]]:
        grouped: dict[str, list[XmlElement]] = {}
        for flow in self.flows:
            grouped.setdefault(flow.get(attribute) or "", []).append(flow)
        return grouped

    @cached_property
    def attached(self) -> dict[str, list[str]]:
        """Activity id -> ids of its boundary events."""
        grouped: dict[str, list[str]] = {}
        for name, node in self.elements.items():
            if local(node) == "boundaryEvent":
                grouped.setdefault(node.get("attachedToRef") or "", []).append(name)
        return grouped

    @cached_property
    def successors(self) -> dict[str, list[str]]:
        """Element -> what can come after it: flows, its boundary events, the link catch of a link throw, compensation handlers."""
        after: dict[str, list[str]] = {name: [] for name in self.elements}
        for flow in self.flows:
            after.setdefault(flow.get("sourceRef") or "", []).append(flow.get("targetRef") or "")
        for host, events in self.attached.items():
            after.setdefault(host, []).extend(events)
        for association in self.node:
            if local(association) == "association":
                after.setdefault(association.get("sourceRef") or "", []).append(association.get("targetRef") or "")
        for name, target in self._links():
            after[name].append(target)
        return after

    def _links(self) -> list[tuple[str, str]]:
        catches: dict[str, str] = {}
        throws: list[tuple[str, str]] = []
        for name, node in self.elements.items():
            for child in node:
                if local(child) == "linkEventDefinition":
                    link = child.get("name") or ""
                    if local(node) == "intermediateCatchEvent":
                        catches[link] = name
                    else:
                        throws.append((name, link))
        return [(name, catches[link]) for name, link in throws if link in catches]

    def reachable(self, starts: set[str], without: frozenset[str] = frozenset()) -> set[str]:
        """Everything that can be reached from the starts (themselves included) without entering an element of `without`."""
        seen: set[str] = set()
        stack = [name for name in starts if name not in without]
        while stack:
            name = stack.pop()
            if name in seen or name in without:
                continue
            seen.add(name)
            stack.extend(self.successors.get(name, ()))
        return seen

    @cached_property
    def entries(self) -> set[str]:
        """Where tokens come from: start events, event subprocesses, or without start events whatever nothing leads to."""
        starts = {n for n, node in self.elements.items() if local(node) == "startEvent"}
        listeners = {n for n, node in self.elements.items() if node.get("triggeredByEvent") == "true"}
        if starts and local(self.node) != "adHocSubProcess":
            return starts | listeners
        targets = {target for after in self.successors.values() for target in after}
        return listeners | {n for n in self.elements if n not in targets}


def scopes(process: XmlElement) -> list[ScopeView]:
    """The process and every subprocess in it."""
    inner = [n for n in process.iter() if is_bpmn(n) and local(n) in ("subProcess", "transaction", "adHocSubProcess")]
    return [ScopeView(node) for node in [process, *inner]]
