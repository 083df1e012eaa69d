"""Checks of loops: where items come from, and members of a parallel multi-instance that would overwrite each other's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.bpmn.lint.findings import Report
from engine.bpmn.parser.extensions import all_zeebe, read_loop, zeebe
from engine.bpmn.parser.nodes import READERS
from engine.bpmn.parser.xml import BPMN, is_bpmn, local
from engine.bpmn.vocabulary import Loop
from engine.errors import ExpressionError
from engine.feel import compile_expression

if TYPE_CHECKING:
    from lxml.etree import _Element as XmlElement

BUILT_IN = frozenset(
    {"loopCounter", "numberOfInstances", "numberOfActiveInstances", "numberOfCompletedInstances", "numberOfTerminatedInstances"}
)


def check_loops(report: Report, process: XmlElement) -> None:
    """Every loop of a process."""
    for node in process.iter():
        if is_bpmn(node) and local(node) in READERS:
            loop = read_loop(node)
            if loop is not None:
                _check_loop(report, node, loop)


def _check_loop(report: Report, node: XmlElement, loop: Loop) -> None:
    if loop.standard:
        if loop.condition is None and loop.maximum is None:
            report.add(node, "loop", "标准循环没有条件或次数。", "The standard loop has no condition or maximum.")
        return
    multi = node.find(BPMN + "multiInstanceLoopCharacteristics")
    if loop.input_collection is None and loop.cardinality is None:
        report.add(node, "loop", "多实例没有输入集合。", "The multi-instance has no input collection.")
    if loop.cardinality is not None and report.zeebe:
        report.add(node, "camunda-8", "Camunda 8 不支持 loopCardinality。", "Camunda 8 does not support loopCardinality.")
    if bool(loop.output_collection) != (loop.output_element is not None):
        zh = "输出集合和输出元素必须同时给出。"
        report.add(node, "loop", zh, "Output collection and output element go together.")
    if multi is not None and (multi.get("behavior") or "All") != "All":
        report.add(node, "unsupported", "不支持多实例的 behavior 属性。", "The behavior attribute is not supported.")
    if not loop.sequential:
        _check_overwriting(report, node, loop)


def _check_overwriting(report: Report, node: XmlElement, loop: Loop) -> None:
    """Variables that parallel members write to the scope around them."""
    local_names = _inputs(node) | {loop.input_element or ""} | BUILT_IN
    output = "" if loop.output_element is None else loop.output_element.text
    if output.replace(".", "").replace("_", "").isalnum():
        local_names.add(output.split(".")[0])
    for writer in node.iter():
        if is_bpmn(writer) and local(writer) in READERS:
            _check_writer(report, writer, node, local_names | _declared_between(writer, node))
    if loop.output_element is not None and local(node) == "userTask":
        _check_collected(report, node, output, local_names)


def _check_writer(report: Report, writer: XmlElement, member: XmlElement, local_names: set[str]) -> None:
    inner = None if writer is member else read_loop(writer)
    if inner is not None and inner.output_collection and inner.output_collection not in local_names:
        name = inner.output_collection
        report.add(
            writer,
            "multi-instance-overwrite",
            f"并行多实例里的内层输出集合“{name}”没有用输入映射声明为局部变量，各实例会互相覆盖。",
            f"The inner output collection {name!r} must be declared local by an input mapping: parallel members overwrite it.",
        )
    for name in sorted(_written(writer) - local_names):
        report.warn(
            writer,
            "multi-instance-overwrite",
            f"并行多实例的各实例都会写变量“{name}”，后写的覆盖先写的；请用输入映射把它声明为局部变量。",
            f"Every parallel member writes the variable {name!r}; declare it local by an input mapping.",
        )


def _inputs(node: XmlElement) -> set[str]:
    """Names that the element's input mappings make local."""
    return {(m.get("target") or "").split(".")[0] for m in all_zeebe(node, "ioMapping/input")}


def _declared_between(writer: XmlElement, member: XmlElement) -> set[str]:
    """Names declared local by subprocesses between the member and the writer."""
    names: set[str] = set()
    current = writer.getparent()
    while current is not None and current is not member:
        names |= _inputs(current)
        current = current.getparent()
    return names


def _written(writer: XmlElement) -> set[str]:
    """Names an element writes over outside itself: its output mappings, or without them its result variable."""
    outputs = all_zeebe(writer, "ioMapping/output")
    if outputs:
        return {(m.get("target") or "").split(".")[0] for m in outputs if not _adds_to_target(m)}
    own = _inputs(writer)
    results = {e.get("resultVariable") or "" for e in (zeebe(writer, "script"), zeebe(writer, "calledDecision")) if e is not None}
    return {name for name in results if name and name not in own}


def _adds_to_target(mapping: XmlElement) -> bool:
    """Whether an output mapping goes on from its target's value (`=append(replies, reply)`): no member's reply is lost."""
    try:
        read = compile_expression((mapping.get("source") or "").removeprefix("=")).variables
    except ExpressionError:
        return False
    return mapping.get("target") in read


def _check_collected(report: Report, node: XmlElement, output: str, local_names: set[str]) -> None:
    """A user task's result that is collected but not local: members would see each other's values."""
    try:
        read = compile_expression(output).variables
    except ExpressionError:
        return
    for name in sorted(read - local_names):
        report.warn(
            node,
            "multi-instance-overwrite",
            f"输出元素读取的变量“{name}”不是实例的局部变量：若由表单提交，各实例会互相覆盖；请加输入映射（如 =null）。",
            f"The output element reads {name!r}, which is not local to the member; add an input mapping (e.g. =null).",
        )
