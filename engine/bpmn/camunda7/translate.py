"""A Camunda 7 file as a Camunda 8 one. Element by element; the lost and the changed is listed, and what is lost stays in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from engine.bpmn.camunda7 import flow, tasks
from engine.bpmn.camunda7.sheet import RULE, Sheet, taken
from engine.bpmn.parser.nodes import READERS
from engine.bpmn.parser.xml import BPMN, CAMUNDA7, MODELER, ZEEBE, Refused, finding_at, is_bpmn, local, read_xml, uses_zeebe
from engine.errors import DeploymentRefused
from engine.findings import Finding

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

VERSION = "8.9.0"
NEEDLESS = {
    "asyncBefore": "每一步本来就是单独的事务",
    "asyncAfter": "每一步本来就是单独的事务",
    "exclusive": "同一办件的操作本来就排队",
    "historyTimeToLive": "历史保留期在服务器上设置",
    "jobPriority": "引擎自己的步骤不分先后",
    "taskPriority": "只有外部任务分先后",
    "isStartableInTasklist": "谁能启动由权限决定",
    "versionTag": "",
}
"""Attributes whose purpose is served otherwise: they go, with a hint (or silently, where they were translated)."""
BY_KIND: dict[str, tuple[Callable[[Sheet], None], ...]] = {
    "userTask": (tasks.user_task,),
    "startEvent": (tasks.form,),
    "serviceTask": (tasks.job,),
    "sendTask": (tasks.job,),
    "businessRuleTask": (tasks.business_rule_task,),
    "scriptTask": (tasks.script_task,),
    "callActivity": (flow.call_activity,),
}
ORDER = {"error": 0, "warning": 1, "hint": 2}


@dataclass(frozen=True, slots=True)
class Translation:
    """`xml`: the Camunda 8 file. `findings`: errors name what could not be translated, hints what changed without loss."""

    xml: bytes
    findings: list[Finding]

    @property
    def complete(self) -> bool:
        """Whether nothing was lost."""
        return not any(finding.severity == "error" for finding in self.findings)


def is_camunda7(xml: bytes) -> bool:
    """Whether a file says that it is for Camunda 7, or uses its namespace and no zeebe. Raises DeploymentRefused for what is no BPMN."""
    try:
        root = read_xml(xml, "")
    except Refused as error:
        raise DeploymentRefused([error.finding]) from error
    if uses_zeebe(root):
        return False
    return root.get(MODELER + "executionPlatform") == "Camunda Platform" or CAMUNDA7.strip("{}") in root.nsmap.values()


def translate(xml: bytes, resource: str) -> Translation:
    """Translate a file. Raises DeploymentRefused for what is no BPMN file at all."""
    try:
        root = read_xml(xml, resource)
    except Refused as error:
        raise DeploymentRefused([error.finding]) from error
    findings: list[Finding] = []
    for node in list(root.iter()):
        if is_bpmn(node) and (local(node) in READERS or local(node) in ("process", "sequenceFlow")):
            sheet = Sheet(node, resource, findings)
            _element(sheet)
            _needless(sheet)
    _definitions(root, resource, findings)
    for node in list(root.iter()):
        _leftover(node, resource, findings)
    root.set(MODELER + "executionPlatform", "Camunda Cloud")
    root.set(MODELER + "executionPlatformVersion", VERSION)
    prefixes = {"zeebe": ZEEBE.strip("{}"), "modeler": MODELER.strip("{}")}
    etree.cleanup_namespaces(root, top_nsmap=prefixes, keep_ns_prefixes=[prefix for prefix in root.nsmap if prefix])
    findings.sort(key=lambda finding: (ORDER[finding.severity], finding.line))
    return Translation(etree.tostring(root, xml_declaration=True, encoding="UTF-8"), findings)


def _element(sheet: Sheet) -> None:
    for translator in BY_KIND.get(sheet.kind, ()):
        translator(sheet)
    if sheet.kind in ("endEvent", "intermediateThrowEvent"):
        _thrown_message(sheet)
    if sheet.kind == "process":
        tag = sheet.take("versionTag")
        if tag is not None:
            sheet.add("versionTag", value=tag)
        tasks.priority(sheet)
    flow.input_output(sheet)
    flow.properties(sheet)
    flow.loop(sheet)
    flow.expressions(sheet)
    flow.conditional_filter(sheet)


def _thrown_message(sheet: Sheet) -> None:
    """In Camunda 7 the implementation of a message throw sits on its event definition."""
    for definition in sheet.node.findall(BPMN + "messageEventDefinition"):
        if definition.get(CAMUNDA7 + "topic") is not None:
            for name in ("type", "topic"):
                value = taken(definition, CAMUNDA7 + name)
                if value is not None:
                    sheet.node.set(CAMUNDA7 + name, value)
            tasks.job(sheet)


def _needless(sheet: Sheet) -> None:
    for name, why in NEEDLESS.items():
        if sheet.get(name) is not None:
            sheet.take(name)
            sheet.note(f"去掉了 camunda:{name}：{why}。", f"camunda:{name} is not needed.")


def _definitions(root: XmlElement, resource: str, findings: list[Finding]) -> None:
    """Messages that are awaited need a correlation key, which Camunda 7 does not know."""
    caught = {node.get("messageRef") for node in root.iter(BPMN + "receiveTask")}
    for event in root.iter(BPMN + "intermediateCatchEvent", BPMN + "boundaryEvent"):
        caught |= {definition.get("messageRef") for definition in event.findall(BPMN + "messageEventDefinition")}
    for message in root.findall(BPMN + "message"):
        if message.get("id") in caught:
            zh = f"消息“{message.get('name')}”要有关联键（correlationKey）：Camunda 7 按业务编号或变量关联，请补上。"
            en = f"The message {message.get('name')!r} needs a correlation key; Camunda 7 correlates otherwise."
            findings.append(finding_at(RULE, zh, en, resource, message))


def _leftover(node: XmlElement, resource: str, findings: list[Finding]) -> None:
    """Whatever is still in the namespace of Camunda 7 and has not been spoken of."""
    if not isinstance(node.tag, str):
        return
    names = [str(name).removeprefix(CAMUNDA7) for name in node.attrib if str(name).startswith(CAMUNDA7)]
    if is_bpmn(node):
        holder = node
    elif node.tag.startswith(CAMUNDA7) and _is_extension(node):
        holder, names = _holder(node), [*names, local(node)]
    else:
        return
    spoken = "".join(finding.message + finding.message_en for finding in findings if finding.element_id == (holder.get("id") or ""))
    for name in names:
        if name not in spoken:
            zh, en = f"camunda:{name} 没有对应的写法。", f"camunda:{name} has no counterpart."
            findings.append(finding_at(RULE, zh, en, resource, holder))
            spoken += zh


def _is_extension(node: XmlElement) -> bool:
    parent = node.getparent()
    return parent is not None and local(parent) == "extensionElements"


def _holder(node: XmlElement) -> XmlElement:
    """The BPMN element with an id that an extension belongs to."""
    current = node.getparent()
    while current is not None and not (is_bpmn(current) and current.get("id")):
        current = current.getparent()
    return node if current is None else current
