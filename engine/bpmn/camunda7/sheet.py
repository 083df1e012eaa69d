"""One element under translation: reads its `camunda:` parts, writes its zeebe ones, and notes what has no counterpart.

What is translated is taken out of the element; what is not stays in the file as it was, and is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from engine.bpmn.camunda7.juel import Untranslatable, is_expression, to_feel
from engine.bpmn.parser.xml import BPMN, CAMUNDA7, ZEEBE, finding_at, local
from engine.findings import Finding

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

RULE = "camunda-7"


def taken(node: XmlElement, name: str) -> str | None:
    """The value of an attribute, which is then gone from the node."""
    value = node.get(name)
    if value is not None:
        del node.attrib[name]
    return None if value is None else str(value)


@dataclass
class Sheet:
    """The element `node`. `loss` and `note` add findings: a loss changes what the diagram does (error), a note does not (hint)."""

    node: XmlElement
    resource: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return local(self.node)

    # ------------------------------------------------------------------ camunda
    def take(self, name: str) -> str | None:
        """The value of `camunda:name`, which is then gone from the element."""
        return taken(self.node, CAMUNDA7 + name)

    def get(self, name: str) -> str | None:
        """The value of `camunda:name`, which stays."""
        value = self.node.get(CAMUNDA7 + name)
        return None if value is None else str(value)

    def children(self, name: str) -> list[XmlElement]:
        """`camunda:name` elements of the extensionElements."""
        return self.node.findall(f"{BPMN}extensionElements/{CAMUNDA7}{name}")

    def loss(self, zh: str, en: str) -> None:
        self._find("error", zh, en)

    def note(self, zh: str, en: str) -> None:
        self._find("hint", zh, en)

    def _find(self, severity: str, zh: str, en: str) -> None:
        self.findings.append(finding_at(RULE, zh, en, self.resource, self.node, severity))

    # ------------------------------------------------------------------ zeebe
    def extensions(self) -> XmlElement:
        """The extensionElements, made where BPMN wants them: after the documentation, before everything else."""
        found = self.node.find(BPMN + "extensionElements")
        if found is None:
            found = etree.Element(BPMN + "extensionElements")
            self.node.insert(sum(local(child) == "documentation" for child in self.node), found)
        return found

    def add(self, name: str, **attributes: str | None) -> XmlElement:
        """A zeebe extension element with the attributes that are given."""
        made = etree.SubElement(self.extensions(), ZEEBE + name, nsmap={"zeebe": ZEEBE.strip("{}")})
        for key, value in attributes.items():
            if value is not None:
                made.set(key, value)
        return made

    def container(self, name: str) -> XmlElement:
        """The one zeebe extension element of this name, made when it is missing."""
        found = self.node.find(f"{BPMN}extensionElements/{ZEEBE}{name}")
        return self.add(name) if found is None else found

    def mapping(self, side: str, source: str, target: str) -> None:
        """A zeebe:input or zeebe:output."""
        made = etree.SubElement(self.container("ioMapping"), f"{ZEEBE}{side}")
        made.set("source", source)
        made.set("target", target)

    # ------------------------------------------------------------------ expressions
    def value(self, text: str | None, where: str) -> str | None:
        """A static text as it is, `${...}` as "=" and FEEL; None (and a loss) when no FEEL says the same."""
        if text is None or not is_expression(text):
            return text
        feel = self.feel(text, where)
        return None if feel is None else f"={feel}"

    def feel(self, text: str, where: str) -> str | None:
        """An expression as FEEL without "=", or None and a loss."""
        try:
            return to_feel(text)
        except Untranslatable as problem:
            zh = f"{where} 的表达式“{text}”无法译为 FEEL：{problem}。"
            self.loss(zh, f"The expression {text!r} of {where} has no FEEL counterpart.")
            return None

    def moved(self, attribute: str, text: str | None) -> str | None:
        """The translated value of a taken attribute; put back when it cannot be translated, so that nothing is dropped."""
        value = self.value(text, f"camunda:{attribute}")
        if value is None and text is not None:
            self.node.set(CAMUNDA7 + attribute, text)
        return value
