"""Reading XML from strangers: no DTD, no entities, no network, bounded size and depth. And the names of the namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lxml import etree

from engine.findings import Finding

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
MODELER = "{http://camunda.org/schema/modeler/1.0}"
CAMUNDA7 = "{http://camunda.org/schema/1.0/bpmn}"
MAX_BYTES = 10_000_000
MAX_NESTING = 50


class Refused(Exception):
    """The file or an element of it cannot be read; carries the finding to show."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def refuse(rule: str, message: str, message_en: str, resource: str, node: XmlElement | None = None) -> Refused:
    """A Refused error for an element."""
    return Refused(finding_at(rule, message, message_en, resource, node))


def finding_at(rule: str, message: str, message_en: str, resource: str, node: XmlElement | None = None, severity: str = "error") -> Finding:
    """A finding addressed to an element: its id, name and line."""
    return Finding(
        rule=rule,
        severity="error" if severity == "error" else "warning" if severity == "warning" else "hint",
        message=message,
        message_en=message_en,
        resource=resource,
        element_id="" if node is None else node.get("id") or "",
        element_name="" if node is None else node.get("name") or "",
        line=0 if node is None else cast("int | None", node.sourceline) or 0,
    )


def read_xml(xml: bytes, resource: str) -> XmlElement:
    """The root element (bpmn:definitions). Raises Refused."""
    if len(xml) > MAX_BYTES:
        raise refuse("xml", f"文件超过 {MAX_BYTES // 1_000_000} MB。", "The file is too large.", resource)
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise refuse("xml", "文件含有 DTD 或实体声明，不予接受。", "DTDs and entities are not accepted.", resource)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise refuse("xml", f"不是有效的 XML：{error}", f"Not well-formed XML: {error}", resource) from error
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise refuse("xml", "文件含有 DTD 或实体声明，不予接受。", "DTDs and entities are not accepted.", resource)
    if root.tag != BPMN + "definitions":
        raise refuse("xml", "不是 BPMN 2.0 文件（根元素应为 definitions）。", "Not a BPMN 2.0 file.", resource)
    return root


def local(node: XmlElement) -> str:
    """The tag without its namespace; "" for nodes that are no elements."""
    return str(node.tag).rpartition("}")[2] if isinstance(node.tag, str) else ""


def is_bpmn(node: XmlElement) -> bool:
    """Is the element in the BPMN namespace?"""
    return isinstance(node.tag, str) and node.tag.startswith(BPMN)


def child_text(node: XmlElement, name: str) -> str | None:
    """The text of a BPMN child element; None when absent or blank."""
    child = node.find(BPMN + name)
    text = "" if child is None else (child.text or "").strip()
    return text or None


def uses_zeebe(root: XmlElement) -> bool:
    """Is this a Camunda 8 file (the profile whose limits lint enforces)?"""
    platform = root.get(MODELER + "executionPlatform")
    if platform is not None:
        return platform == "Camunda Cloud"
    return ZEEBE.strip("{}") in (root.nsmap or {}).values()
