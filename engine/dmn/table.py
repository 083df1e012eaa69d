"""Decision table -> closure (DMN 1.5 chapter 8): inputs once, cells lazily and each distinct cell of a column once, then the hit policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from engine.dmn.hits import POLICIES, Hit, Policy, Shape
from engine.dmn.model import Literal, Table, TableInput, TableOutput, Where
from engine.dmn.session import Code, MatchedRule, Session, Value
from engine.dmn.types import Coerce, Mismatch, from_json
from engine.errors import ExpressionError, Said, english
from engine.feel import UnaryTests, ast, compile_expression, compile_unary_tests

if TYPE_CHECKING:
    from engine.dmn.compiler import Compiler, Names

ANYTHING = ("", "-")
LISTS = frozenset({"COLLECT", "RULE ORDER", "OUTPUT ORDER"})
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Column:
    """An input clause: how to read it and the distinct tests of its cells."""

    clause: TableInput
    read: Code
    coerce: Coerce
    allowed: UnaryTests | None
    tests: tuple[UnaryTests, ...]
    by_text: Mapping[str, frozenset[int]]  # which of the tests in `texts` a string satisfies, ready to look up
    texts: frozenset[int]  # the tests that are nothing but strings


@dataclass(frozen=True, slots=True)
class _Result:
    """An output clause: its type and allowed values."""

    clause: TableOutput
    coerce: Coerce
    allowed: UnaryTests | None


@dataclass(frozen=True, slots=True)
class _Row:
    """A rule: `cells` are pairs (column, number of the test in that column), cells that allow anything are left out."""

    id: str
    index: int
    annotation: str
    cells: tuple[tuple[int, int], ...]
    outputs: tuple[Code, ...]


def compile_table(compiler: Compiler, table: Table, names: Names) -> Code:
    """The closure of a table; a table with an error finding fails when it is used."""
    from engine.dmn.compiler import broken

    errors = _errors(compiler)
    cells = [[rule.inputs[n] for rule in table.rules if n < len(rule.inputs)] for n in range(len(table.inputs))]
    numbers: list[dict[str, int]] = []
    columns: list[_Column] = []
    for clause, column_cells in zip(table.inputs, cells, strict=True):
        tests: dict[str, UnaryTests] = {}
        for cell in column_cells:
            if cell.text not in ANYTHING and cell.text not in tests:
                found = unary_tests(compiler, cell.text, names, cell.where)
                if found is not None:
                    tests[cell.text] = found
        numbers.append({text: n for n, text in enumerate(tests)})
        columns.append(_column(compiler, clause, names, tuple(tests.values())))
    results = tuple(_result(compiler, clause) for clause in table.outputs)
    rows = [
        _Row(
            rule.where.id,
            rule.index,
            rule.annotation,
            tuple((n, numbers[n][cell.text]) for n, cell in enumerate(rule.inputs) if cell.text in numbers[n]),
            tuple(compiler.literal(entry, names) for entry in rule.outputs),
        )
        for rule in table.rules
    ]
    defaults = tuple(compiler.literal(output.default or _empty(output.where), names) for output in table.outputs)
    shape = Shape(
        table.where.name,
        tuple(output.name for output in table.outputs),
        tuple(_priorities(compiler, output) for output in table.outputs),
        table.aggregation,
    )
    policy = POLICIES.get(table.hit_policy)
    if policy is None or _errors(compiler) > errors or _is_malformed(compiler, table):
        return broken(table.where)
    compiler.lint.table(table, names)
    has_default = any(output.default is not None for output in table.outputs)
    gives_list = table.hit_policy in LISTS and not table.aggregation
    return _Runner(columns, results, rows, defaults if has_default else None, shape, policy, table.hit_policy == "FIRST", gives_list).run


def _is_malformed(compiler: Compiler, table: Table) -> bool:
    """True if the reader refused any part of the table: a cell that is missing must not match everything."""
    rules = [(rule.where, *(cell.where for cell in rule.inputs), *(entry.where for entry in rule.outputs)) for rule in table.rules]
    clauses = (*(clause.where for clause in table.inputs), *(clause.where for clause in table.outputs))
    places = (table.where, *clauses, *chain.from_iterable(rules))
    return any((where.id, where.line) in compiler.refused for where in places)


def _errors(compiler: Compiler) -> int:
    return sum(finding.severity == "error" for finding in compiler.findings.items)


def _empty(where: Where) -> Literal:
    return Literal(where, "", "")


def unary_tests(compiler: Compiler, text: str, names: Names, where: Where) -> UnaryTests | None:
    """The compiled tests of a cell; None with a finding if they are wrong, None without one if everything is allowed."""
    if text in ANYTHING:
        return None
    try:
        found = compile_unary_tests(text, names | compiler.component_names)
        compiler.lint.cell(where, found, names)
        return found
    except ExpressionError as error:
        compiler.findings.error("syntax", where, error.message("zh"), error.message("en"))
        return None


def _column(compiler: Compiler, clause: TableInput, names: Names, tests: tuple[UnaryTests, ...]) -> _Column:
    return _Column(
        clause,
        compiler.literal(clause.expression, names),
        compiler.coercion(clause.expression.type_ref, clause.where),
        unary_tests(compiler, clause.values, names, clause.where),
        tests,
        *_index_texts(tests),
    )


def _index_texts(tests: tuple[UnaryTests, ...]) -> tuple[dict[str, frozenset[int]], frozenset[int]]:
    """Cells like `"a", "b"` by the strings they list: most columns of real tables are such, and a look-up beats any evaluation."""
    plain: dict[int, list[str]] = {}
    for number, found in enumerate(tests):
        operands = [test.operand.value for test in found.node.tests if test.op in ("", "=") and isinstance(test.operand, ast.Literal)]
        if not found.node.negated and len(operands) == len(found.node.tests) and all(isinstance(value, str) for value in operands):
            plain[number] = operands
    texts = {text for operands in plain.values() for text in operands}
    return {text: frozenset(n for n, operands in plain.items() if text in operands) for text in texts}, frozenset(plain)


def _result(compiler: Compiler, clause: TableOutput) -> _Result:
    allowed = unary_tests(compiler, clause.values, frozenset(), clause.where)
    return _Result(clause, compiler.coercion(clause.type_ref, clause.where), allowed)


def _priorities(compiler: Compiler, output: TableOutput) -> tuple[Value, ...]:
    """The output values in order; they are listed as unary tests, and for an order they must be plain values."""
    if output.values in ANYTHING:
        return ()
    try:
        found: tuple[Value, ...] = compile_expression(f"[{output.values}]", compiler.component_names).evaluate({})
    except ExpressionError:
        return ()
    return found


def _outside(where: Where, what: str, what_en: str, values: str) -> Said:
    return Said(
        f"{where.name}的值不在{what}值范围内：{values}", f"{english(where.name)}: the value is not one of the {what_en} values {values}"
    )


class _Runner:
    """A table that is ready to run."""

    def __init__(
        self,
        columns: list[_Column],
        results: tuple[_Result, ...],
        rows: list[_Row],
        defaults: tuple[Code, ...] | None,
        shape: Shape,
        policy: Policy,
        stop_at_first: bool,
        gives_list: bool,
    ) -> None:
        self.columns, self.results, self.rows, self.defaults = columns, results, rows, defaults
        self.shape, self.policy, self.stop_at_first, self.gives_list = shape, policy, stop_at_first, gives_list

    def run(self, scope: Mapping[str, Any], session: Session) -> Value:
        values = [self._read(column, scope, session) for column in self.columns]
        hits, annotations = [], {}
        for row in self._matching(values, scope, session):
            outputs = tuple([self._output(n, code(scope, session), session) for n, code in enumerate(row.outputs)])
            hits.append(Hit(row.index, outputs))
            annotations[row.index] = row
        if not hits:
            return self._default(scope, session)
        result, used = self.policy(self.shape, hits)
        for hit in used:
            row = annotations[hit.index]
            outputs_by_name = list(zip(self.shape.names, hit.outputs, strict=True))
            session.record.rules.append(MatchedRule(row.id, row.index, row.annotation, outputs_by_name))
        return result

    def _read(self, column: _Column, scope: Mapping[str, Any], session: Session) -> Value:
        clause = column.clause
        value = from_json(clause.expression.type_ref, column.read(scope, session))
        session.record.inputs.append((clause.where.id, clause.label or clause.expression.text, value))
        try:
            value = column.coerce(value, session.env)
        except Mismatch as error:  # the standard is silent; Camunda does not look at the type of an input clause
            session.warn(clause.where, error.about(clause.where.name))
        if value is not None and column.allowed is not None and column.allowed.matches(value, scope, session.env) is not True:
            session.warn(clause.where, _outside(clause.where, "输入", "input", clause.values))
        return value

    def _matching(self, values: list[Value], scope: Mapping[str, Any], session: Session) -> list[_Row]:
        columns, env = self.columns, session.env
        known: dict[tuple[int, int], bool] = {}
        found = []
        for row in self.rows:
            for cell in row.cells:
                matched = known.get(cell)
                if matched is None:
                    column, value = columns[cell[0]], values[cell[0]]
                    if type(value) is str and cell[1] in column.texts:
                        matched = cell[1] in column.by_text.get(value, _NONE)
                    else:
                        matched = column.tests[cell[1]].matches(value, scope, env) is True
                    known[cell] = matched
                if not matched:
                    break
            else:
                found.append(row)
                if self.stop_at_first:
                    break
        session.tick()
        return found

    def _output(self, number: int, value: Value, session: Session) -> Value:
        result = self.results[number]
        where = result.clause.where
        try:
            value = result.coerce(value, session.env)
        except Mismatch as error:
            session.warn(where, error.about(where.name))
        if value is not None and result.allowed is not None and result.allowed.matches(value, {}, session.env) is not True:
            session.warn(where, _outside(where, "输出", "output", result.clause.values))
        return value

    def _default(self, scope: Mapping[str, Any], session: Session) -> Value:
        """No rule matched. A table that gives a list may have a list as its default (`[]` too); anything else becomes its only element."""
        if self.defaults is None:
            return None
        values = [code(scope, session) for code in self.defaults]
        if self.gives_list and isinstance(values[0], tuple) and all(value is None or value == () for value in values[1:]):
            return tuple([self._output(0, item, session) for item in values[0]]) if len(values) == 1 else values[0]
        result = self.shape.result(tuple([self._output(n, value, session) for n, value in enumerate(values)]))
        return (result,) if self.gives_list else result
