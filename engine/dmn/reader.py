"""XML -> Definitions: the decision requirements graph of a file (DMN 1.5 chapters 6 and 7)."""

from __future__ import annotations

from engine.dmn.box_reader import DOCUMENTATION, EXPRESSIONS, BoxReader
from engine.dmn.findings import Findings
from engine.dmn.model import (
    Decision,
    Definitions,
    FunctionBox,
    Import,
    InputData,
    ItemDefinition,
    KnowledgeModel,
    Service,
    Variable,
)
from engine.dmn.xml import Element, child, children, local, read_definitions

# Elements that only document: nothing of them is evaluated, so leaving them out changes no result (§6.2, §7.3.6).
_PURELY_DESCRIPTIVE = frozenset(
    {"knowledgeSource", "association", "textAnnotation", "group", "elementCollection", "performanceIndicator", "organizationUnit"}
)
_READ = frozenset({"import", "itemDefinition", "inputData", "decision", "businessKnowledgeModel", "decisionService"})
_DECISION_PARTS = EXPRESSIONS | {
    "variable",
    "informationRequirement",
    "knowledgeRequirement",
    "authorityRequirement",
    "question",
    "allowedAnswers",
    "supportedObjective",
    "impactedPerformanceIndicator",
    "decisionMaker",
    "decisionOwner",
    "usingProcess",
    "usingTask",
}
_CAMUNDA = "http://camunda.org/schema/1.0/dmn"


def read_dmn(data: bytes, resource: str, findings: Findings) -> Definitions:
    """Parse one file. Raises DmnInvalid when it is not DMN 1.2-1.5; everything smaller becomes a finding."""
    root, version = read_definitions(data, resource)
    reader = BoxReader(findings, root.get("expressionLanguage", ""))
    for part in children(root):
        if local(part) not in _READ | _PURELY_DESCRIPTIVE | DOCUMENTATION:
            reader.unsupported(reader.where(part), local(part))
    _check_ids(root, reader)
    _check_camunda_attributes(root, reader)
    return Definitions(
        id=root.get("id", ""),
        name=root.get("name", ""),
        namespace=root.get("namespace", ""),
        version=version,
        imports=tuple(_import(reader, part) for part in children(root, "import")),
        types=tuple(_item(reader, part) for part in children(root, "itemDefinition")),
        inputs={part.get("id", ""): _input_data(reader, part) for part in children(root, "inputData")},
        decisions={part.get("id", ""): _decision(reader, part) for part in children(root, "decision")},
        knowledge={part.get("id", ""): _knowledge(reader, part) for part in children(root, "businessKnowledgeModel")},
        services={part.get("id", ""): _service(reader, part) for part in children(root, "decisionService")},
    )


def _check_ids(root: Element, reader: BoxReader) -> None:
    seen: set[str] = set()
    for part in children(root):
        identifier = part.get("id", "")
        if local(part) in _READ - {"import", "itemDefinition"} and not identifier:
            reader.findings.error("missing-id", reader.where(part), f"{local(part)} 缺少 id", f"{local(part)} has no id")
        if identifier and identifier in seen:
            reader.findings.error("duplicate-id", reader.where(part), f"id“{identifier}”重复", f'duplicate id "{identifier}"')
        seen.add(identifier)


def _check_camunda_attributes(root: Element, reader: BoxReader) -> None:
    for element in root.iter():
        if isinstance(element.tag, str) and element.get(f"{{{_CAMUNDA}}}inputVariable"):
            where = reader.where(element)
            message = "不支持 camunda:inputVariable，请在单元格中用 ? 表示输入值"
            reader.findings.error("unsupported", where, message, "camunda:inputVariable is not supported; use ? in the cell")


def _hrefs(parent: Element, holder: str, inner: str) -> tuple[str, ...]:
    """hrefs of `<holder><inner href="..."/></holder>`; without `inner` of `<holder href="..."/>`."""
    found = []
    for part in children(parent, holder):
        target = child(part, inner) if inner else part
        if target is not None:
            found.append(target.get("href", ""))
    return tuple(found)


def _variable(reader: BoxReader, element: Element) -> Variable:
    inner = child(element, "variable")
    own = reader.variable(inner) if inner is not None else Variable("", "", reader.where(element))
    return own if own.name else Variable(element.get("name", "").strip(), own.type_ref, own.where)


def _import(reader: BoxReader, element: Element) -> Import:
    kind = element.get("importType", "")
    where = reader.where(element)
    if "/DMN/" not in kind or not element.get("name", "").strip():
        reader.unsupported(where, f"import {kind}" if "/DMN/" not in kind else "import without name")
    return Import(where, element.get("name", "").strip(), element.get("namespace", ""), element.get("locationURI", ""), kind)


def _item(reader: BoxReader, element: Element) -> ItemDefinition:
    where = reader.where(element)
    for part in children(element):
        if local(part) not in DOCUMENTATION | {"typeRef", "allowedValues", "typeConstraint", "itemComponent", "functionItem"}:
            reader.unsupported(reader.where(part), local(part))
    type_ref = child(element, "typeRef")
    return ItemDefinition(
        where=where,
        name=element.get("name", "").strip(),
        type_ref=(type_ref.text or "").strip() if type_ref is not None else "",
        is_collection=element.get("isCollection") == "true",
        components=tuple(_item(reader, part) for part in children(element, "itemComponent")),
        allowed=reader.feel_text(child(element, "allowedValues"), where),
        constraint=reader.feel_text(child(element, "typeConstraint"), where),
        is_function=child(element, "functionItem") is not None,
    )


def _input_data(reader: BoxReader, element: Element) -> InputData:
    return InputData(reader.where(element), _variable(reader, element))


def _decision(reader: BoxReader, element: Element) -> Decision:
    where = reader.where(element)
    for part in children(element):
        if local(part) not in _DECISION_PARTS | DOCUMENTATION:
            reader.unsupported(reader.where(part), local(part))
    box = reader.box_in(element)
    if box is None:
        reader.findings.error("missing-expression", where, "决策没有内容（表或表达式）", "the decision has no expression")
    return Decision(
        id=element.get("id", ""),
        name=element.get("name", ""),
        where=where,
        variable=_variable(reader, element),
        requires=_hrefs(element, "informationRequirement", "requiredDecision"),
        inputs=_hrefs(element, "informationRequirement", "requiredInput"),
        knowledge=_hrefs(element, "knowledgeRequirement", "requiredKnowledge"),
        box=box,
    )


def _knowledge(reader: BoxReader, element: Element) -> KnowledgeModel:
    logic = child(element, "encapsulatedLogic")
    where = reader.where(element)
    function: FunctionBox | None = None
    if logic is None:
        reader.findings.error("missing-expression", where, "业务知识模型没有内容", "the business knowledge model has no logic")
    else:
        function = reader.function(logic)
    return KnowledgeModel(where, _variable(reader, element), function, _hrefs(element, "knowledgeRequirement", "requiredKnowledge"))


def _service(reader: BoxReader, element: Element) -> Service:
    return Service(
        reader.where(element),
        _variable(reader, element),
        _hrefs(element, "outputDecision", ""),
        _hrefs(element, "encapsulatedDecision", ""),
        _hrefs(element, "inputDecision", ""),
        _hrefs(element, "inputData", ""),
    )
