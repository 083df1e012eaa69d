"""XML -> decision table (DMN 1.5 chapter 8), with the structural checks that need no FEEL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.dmn.model import Cell, Literal, Rule, Table, TableInput, TableOutput, Where
from engine.dmn.xml import Element, child, children
from engine.errors import Said, english

if TYPE_CHECKING:
    from engine.dmn.box_reader import BoxReader

HIT_POLICIES = frozenset({"UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"})
AGGREGATIONS = frozenset({"", "SUM", "COUNT", "MIN", "MAX"})
ORDERED = frozenset({"PRIORITY", "OUTPUT ORDER"})


def read_table(reader: BoxReader, element: Element) -> Table:
    """A `decisionTable` element."""
    inputs = tuple(_input(reader, part, n) for n, part in enumerate(children(element, "input"), 1))
    outputs = tuple(_output(reader, part, n) for n, part in enumerate(children(element, "output"), 1))
    rules = tuple(_rule(reader, part, n, inputs, outputs) for n, part in enumerate(children(element, "rule"), 1))
    table = Table(
        reader.where(element),
        element.get("typeRef", ""),
        element.get("hitPolicy", "UNIQUE"),
        element.get("aggregation", ""),
        inputs,
        outputs,
        rules,
    )
    _check(reader, table)
    return table


def _input(reader: BoxReader, element: Element, number: int) -> TableInput:
    label = element.get("label", "")
    where = reader.where(element, label or Said(f"输入 {number}", f"input {number}"))
    inner = child(element, "inputExpression")
    expression = reader.literal(inner, where.name) if inner is not None else Literal(where, "", "")
    if not expression.text:
        reader.findings.error("missing-expression", where, f"输入列 {number} 没有表达式", f"input column {number} has no expression")
    return TableInput(where, label, expression, reader.feel_text(child(element, "inputValues"), where))


def _output(reader: BoxReader, element: Element, number: int) -> TableOutput:
    name, label = element.get("name", "").strip(), element.get("label", "")
    where = reader.where(element, label or name or Said(f"输出 {number}", f"output {number}"))
    default = child(element, "defaultOutputEntry")
    return TableOutput(
        where,
        name,
        label,
        element.get("typeRef", ""),
        reader.feel_text(child(element, "outputValues"), where),
        reader.literal(default, where.name) if default is not None else None,
    )


def _rule(reader: BoxReader, element: Element, index: int, inputs: tuple[TableInput, ...], outputs: tuple[TableOutput, ...]) -> Rule:
    where = reader.where(element, Said(f"规则 {index}", f"rule {index}"))
    cells = []
    for part, clause in zip(children(element, "inputEntry"), inputs, strict=False):
        cell_where = reader.where(part, _cell_name(index, clause.where.name))
        cells.append(Cell(cell_where, reader.feel_text(part, cell_where)))
    results = [
        reader.literal(part, _cell_name(index, clause.where.name))
        for part, clause in zip(children(element, "outputEntry"), outputs, strict=False)
    ]
    _check_length(reader, where, "输入", "input", len(children(element, "inputEntry")), len(inputs))
    _check_length(reader, where, "输出", "output", len(children(element, "outputEntry")), len(outputs))
    annotation = "; ".join("".join(str(t) for t in part.itertext()).strip() for part in children(element, "annotationEntry", "description"))
    return Rule(where, index, tuple(cells), tuple(results), annotation)


def _cell_name(index: int, clause: str) -> Said:
    return Said(f"规则 {index} · {clause}", f"rule {index} · {english(clause)}")


def _check_length(reader: BoxReader, where: Where, what: str, what_en: str, count: int, expected: int) -> None:
    if count != expected:
        message = f"{where.name}有 {count} 个{what}格，应为 {expected} 个"
        reader.findings.error("row-length", where, message, f"rule has {count} {what_en} entries, expected {expected}")


def _check(reader: BoxReader, table: Table) -> None:
    findings, where = reader.findings, table.where
    if table.hit_policy not in HIT_POLICIES:
        findings.error("hit-policy", where, f"未知的命中策略“{table.hit_policy}”", f'unknown hit policy "{table.hit_policy}"')
    if table.aggregation not in AGGREGATIONS:
        findings.error("aggregation", where, f"未知的聚合“{table.aggregation}”", f'unknown aggregation "{table.aggregation}"')
    if table.aggregation and table.hit_policy != "COLLECT":
        findings.error("aggregation", where, "只有 COLLECT 可以聚合", "only COLLECT tables aggregate")
    if table.aggregation and len(table.outputs) > 1:
        findings.error("aggregation", where, "聚合的决策表只能有一个输出", "an aggregating table has exactly one output")
    if not table.outputs:
        findings.error("missing-output", where, "决策表没有输出列", "the table has no output")
    if table.hit_policy in ORDERED and not any(output.values for output in table.outputs):
        message = f"{table.hit_policy} 需要在输出列写出按优先级排列的输出值"
        findings.error("output-values", where, message, f"{table.hit_policy} needs output values in order of priority")
    names = [output.name for output in table.outputs]
    if len(names) > 1 and ("" in names or len(set(names)) < len(names)):
        findings.error("output-name", where, "多个输出列必须各有不同的名称", "several outputs need distinct names")
