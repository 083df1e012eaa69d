"""How large a diagram may be: what nobody can draw or read is refused before anything expensive is done with it."""

from __future__ import annotations

from engine.bpmn.parser.xml import BPMN, Refused, finding_at, read_xml
from engine.findings import Finding

MAX_ELEMENTS = 5_000
"""Flow nodes, sequence flows and the like of one file; the largest flows of a city have some hundreds."""


def check_size(xml: bytes, resource: str) -> Finding | None:
    """The finding about a file with too many elements, None for all others (also for what is no BPMN: `lint` says that)."""
    try:
        root = read_xml(xml, resource)
    except Refused:
        return None
    count = sum(1 for node in root.iter(f"{BPMN}*") if node.get("id"))
    if count <= MAX_ELEMENTS:
        return None
    zh = f"流程图有 {count} 个元素，最多 {MAX_ELEMENTS} 个。请拆成几个流程，用调用活动连接。"
    en = f"The diagram has {count} elements, at most {MAX_ELEMENTS} are allowed. Split it into several processes joined by call activities."
    return finding_at("diagram-size", zh, en, resource)
