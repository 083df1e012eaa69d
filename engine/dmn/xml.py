"""Reads untrusted DMN XML without entities, network, DTD or unbounded memory, and knows the namespaces of DMN 1.2 to 1.5.

Refused at once with DmnInvalid: more than 5 MB, any document type declaration (entity bombs and external entities need one),
nesting deeper than 200 elements, a root that is not a DMN 1.2-1.5 `definitions`.
"""

from __future__ import annotations

from lxml import etree

from engine.errors import DecisionError, Said

MAX_BYTES = 5_000_000
MAX_DEPTH = 200
NAMESPACES = {
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
Element = etree._Element  # lxml publishes no other name for the type

_NO_DOCTYPE = Said("不允许文档类型声明 DOCTYPE", "document type declarations (DOCTYPE) are refused")


class DmnInvalid(DecisionError):
    """决策文件“{resource}”无法读取：{reason}

    The decision file "{resource}" cannot be read: {reason}
    """

    code = "dmn_invalid"


def read_definitions(data: bytes, resource: str) -> tuple[Element, str]:
    """The `definitions` element and the DMN version ("1.2" .. "1.5"). Raises DmnInvalid."""
    if len(data) > MAX_BYTES:
        raise DmnInvalid(
            resource=resource, reason=Said(f"文件超过 {MAX_BYTES // 1_000_000} MB", f"larger than {MAX_BYTES // 1_000_000} MB")
        )
    root = _parse(data, resource)
    version = NAMESPACES.get(namespace(root))
    if version is None or local(root) != "definitions":
        raise DmnInvalid(
            resource=resource,
            reason=Said(
                f"不是 DMN 1.2–1.5 的 definitions 文件（根元素 {root.tag}）", f"no definitions of DMN 1.2-1.5 (root element {root.tag})"
            ),
        )
    return root, version


def _parse(data: bytes, resource: str) -> Element:
    if b"<!DOCTYPE" in data[:4096].upper() or b"<!ENTITY" in data[:4096].upper():
        raise DmnInvalid(resource=resource, reason=_NO_DOCTYPE)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise DmnInvalid(
            resource=resource, reason=Said(f"XML 语法错误（第 {error.lineno} 行）", f"malformed XML: {str(error)[:200]}")
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:  # another encoding or a late declaration
        raise DmnInvalid(resource=resource, reason=_NO_DOCTYPE)
    if _depth(root) > MAX_DEPTH:
        raise DmnInvalid(resource=resource, reason=Said(f"元素嵌套超过 {MAX_DEPTH} 层", f"elements nested deeper than {MAX_DEPTH}"))
    return root


def _depth(root: Element) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def local(element: Element) -> str:
    """The element's name without namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: Element) -> str:
    """The element's namespace ("" if none)."""
    return str(element.tag).rpartition("}")[0][1:]


def children(element: Element, *names: str) -> list[Element]:
    """Child elements of the same namespace as `element`, of these local names (all when none are given)."""
    prefix = str(element.tag).rpartition("}")[0] + "}"
    if len(names) == 1:
        return element.findall(prefix + names[0])
    wanted = {prefix + name for name in names}
    return [child for child in element if child.tag in wanted or (not names and str(child.tag).startswith(prefix))]


def child(element: Element, *names: str) -> Element | None:
    """The first such child."""
    found = children(element, *names)
    return found[0] if found else None


def text_of(element: Element | None) -> str:
    """The content of the `text` child, stripped ("" when there is none)."""
    inner = None if element is None else child(element, "text")
    if inner is None:
        return ""
    return "".join(str(part) for part in inner.itertext()).strip() if len(inner) else (inner.text or "").strip()
