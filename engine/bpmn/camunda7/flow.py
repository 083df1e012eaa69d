"""What moves: conditions, timers, loops, called processes, mappings, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from engine.bpmn.camunda7.juel import is_expression
from engine.bpmn.camunda7.sheet import Sheet, taken
from engine.bpmn.parser.xml import BPMN, CAMUNDA7, ZEEBE, local

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

TEXTS = ("timeDate", "timeDuration", "timeCycle", "condition", "conditionExpression", "completionCondition")


def expressions(sheet: Sheet) -> None:
    """Conditions and timers of the element itself."""
    for node in sheet.node.iter():
        if not isinstance(node.tag, str) or local(node) not in TEXTS or _owner(node) is not sheet.node:
            continue
        if node.get("language"):
            sheet.loss(f"{local(node)} 用脚本语言 {node.get('language')} 写成，请改为 FEEL。", f"{local(node)} is a script: write FEEL.")
        elif is_expression(node.text):
            feel = sheet.feel((node.text or "").strip(), local(node))
            if feel is not None:
                node.text = f"={feel}"


def _owner(node: XmlElement) -> XmlElement | None:
    """The element with an id that is no event definition."""
    current = node.getparent()
    while current is not None and (local(current).endswith(("EventDefinition", "Characteristics")) or local(current) in TEXTS):
        current = current.getparent()
    return current


def loop(sheet: Sheet) -> None:
    """camunda:collection and elementVariable, or a cardinality, as zeebe:loopCharacteristics."""
    found = sheet.node.find(BPMN + "multiInstanceLoopCharacteristics")
    if found is None:
        return
    inner = Sheet(found, sheet.resource, [])
    collection, item = inner.take("collection"), inner.take("elementVariable")
    cardinality = found.find(BPMN + "loopCardinality")
    source = None
    if collection is not None:
        source = sheet.feel(collection, "camunda:collection") if is_expression(collection) else collection
    elif cardinality is not None:
        text = (cardinality.text or "").strip()
        count = sheet.feel(text, "loopCardinality") if is_expression(text) else text
        source = None if count is None else f"for i in 1..{count} return i"
    if source is None:
        if collection is not None:
            found.set(CAMUNDA7 + "collection", collection)
        return
    if cardinality is not None:
        found.remove(cardinality)
    inner.add("loopCharacteristics", inputCollection=f"={source}", inputElement=item)


def call_activity(sheet: Sheet) -> None:
    """calledElement, its binding, and what goes in and out."""
    called, binding = taken(sheet.node, "calledElement"), sheet.take("calledElementBinding") or "latest"
    process = sheet.value(called, "calledElement")
    if sheet.get("caseRef"):
        sheet.loss("调用的是 CMMN 案例，没有对应的写法。", "It calls a CMMN case; there is no counterpart.")
        return
    if binding == "version":
        number = sheet.get("calledElementVersion")
        sheet.loss(f"按版本 {number} 绑定，请改用版本标签；已按最新版本导入。", "Bound by version number; imported as the latest.")
        binding = "latest"
    everything = {"in": False, "out": False}
    for side in ("in", "out"):
        for mapping in sheet.children(side):
            everything[side] |= mapping.get("variables") == "all"
            if _mapped(sheet, mapping, "input" if side == "in" else "output"):
                sheet.extensions().remove(mapping)
    sheet.add(
        "calledElement",
        processId=process,
        bindingType=binding,
        versionTag=sheet.take("calledElementVersionTag"),
        propagateAllParentVariables="true" if everything["in"] else "false",
        propagateAllChildVariables="true" if everything["out"] else "false",
    )
    if sheet.get("variableMappingClass") or sheet.get("variableMappingDelegateExpression"):
        sheet.loss("变量映射是 Java 代码，请改为输入输出映射。", "The variable mapping is Java code: use io mappings.")


def _mapped(sheet: Sheet, mapping: XmlElement, side: str) -> bool:
    """camunda:in or camunda:out as an io mapping; False when it stays and is listed."""
    if mapping.get("variables") == "all":
        return True
    if mapping.get("businessKey") is not None:
        sheet.note("业务编号（businessKey）随调用自动传递。", "The business key is handed on by itself.")
        return True
    source, expression, target = mapping.get("source"), mapping.get("sourceExpression"), mapping.get("target")
    feel = source if source is not None else sheet.feel(expression, "sourceExpression") if expression is not None else None
    if feel is None or target is None:
        return False
    sheet.mapping(side, f"={feel}", target)
    return True


def input_output(sheet: Sheet) -> None:
    """camunda:inputOutput with texts and expressions; lists, maps and scripts are listed."""
    for group in sheet.children("inputOutput"):
        for parameter in list(group):
            side = "input" if local(parameter) == "inputParameter" else "output"
            name = parameter.get("name") or ""
            if len(parameter):
                zh = f"参数“{name}”是{_shape(parameter[0])}，请改写为 FEEL。"
                sheet.loss(zh, f"The parameter {name!r} is a {local(parameter[0])}: write FEEL.")
                continue
            text = parameter.text or ""
            feel = sheet.feel(text, name) if is_expression(text) else _text(text)
            if feel is not None:
                sheet.mapping(side, f"={feel}", name)
                group.remove(parameter)
        if not len(group):
            sheet.extensions().remove(group)


def _shape(node: XmlElement) -> str:
    return {"list": "列表", "map": "映射表", "script": "脚本"}.get(local(node), local(node))


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def properties(sheet: Sheet) -> None:
    """camunda:properties become zeebe:properties."""
    for group in sheet.children("properties"):
        made = sheet.container("properties")
        for found in group:
            name = found.get("name") or found.get("id")
            if name:
                item = etree.SubElement(made, ZEEBE + "property")
                item.set("name", name)
                item.set("value", found.get("value") or "")
        sheet.extensions().remove(group)


def conditional_filter(sheet: Sheet) -> None:
    """camunda:variableName and variableEvents of a conditional event. Variables are never deleted here."""
    for definition in sheet.node.findall(BPMN + "conditionalEventDefinition"):
        names = taken(definition, CAMUNDA7 + "variableName")
        events = [event.strip() for event in (taken(definition, CAMUNDA7 + "variableEvents") or "").split(",") if event.strip()]
        kept = ",".join(event for event in events if event in ("create", "update"))
        if "delete" in events:
            zh = "变量不会被删除，variableEvents 的 delete 不会发生。"
            sheet.loss(zh, "Variables are never deleted: delete in variableEvents never happens.")
        if names or kept:
            Sheet(definition, sheet.resource).add("conditionalFilter", variableNames=names, variableEvents=kept or None)
