"""Findings about one decision table: overlaps and gaps, cells and outputs of the wrong type, outputs that are not allowed."""

from __future__ import annotations

from collections.abc import Mapping

from engine.dmn.coverage import ANY_VALUE, Column, Cover, Overlap, gap, overlaps
from engine.dmn.domains import Undecidable, ValueClass, classes, constants
from engine.dmn.findings import Findings
from engine.dmn.model import Table
from engine.dmn.session import Value
from engine.dmn.table import ANYTHING, LISTS
from engine.dmn.types import Mismatch, TypeTable, builtin_name
from engine.errors import ExpressionError, Said, english
from engine.feel import Environment, UnaryTests, compile_expression, compile_unary_tests
from engine.feel.text import text_of

MAX_RULES_FOR_PAIRS = 600
MAX_OVERLAPS = 50  # more would bury the analyst
SINGLE_HIT = frozenset({"UNIQUE", "ANY", "FIRST", "PRIORITY"})
_ENV = Environment()


class TableLint:
    """Checks one table whose cells are free of syntax errors."""

    def __init__(self, table: Table, types: TypeTable, names: frozenset[str], findings: Findings) -> None:
        self.table, self.types, self.names, self.findings = table, types, names, findings

    def check(self) -> None:
        """Add the findings."""
        self._check_outputs()
        self._check_inputs()
        count = len(self.table.rules)
        pairs = self.table.hit_policy in ("UNIQUE", "ANY") and count <= MAX_RULES_FOR_PAIRS
        gaps = self.table.hit_policy in SINGLE_HIT and not self._is_complete()
        columns = self._columns() if pairs or gaps else []
        if pairs:
            self._check_overlaps(columns, count)
        if gaps:
            self._check_gaps(columns, count)

    def _is_complete(self) -> bool:
        """True if a default output or a rule for everything makes gaps impossible."""
        catch_all = any(all(cell.text in ANYTHING for cell in rule.inputs) for rule in self.table.rules)
        return catch_all or any(output.default is not None for output in self.table.outputs)

    # columns

    def _columns(self) -> list[Column]:
        """One column per distinct input expression: two columns with the same input are looked at together."""
        grouped: dict[str, list[int]] = {}
        for number, clause in enumerate(self.table.inputs):
            grouped.setdefault(clause.expression.text, []).append(number)
        return [self._column(numbers) for numbers in grouped.values()]

    def _column(self, numbers: list[int]) -> Column:
        clause = self.table.inputs[numbers[0]]
        trees: dict[str, UnaryTests | None] = {}
        points: list[Value] = []
        for text in {rule.inputs[number].text for rule in self.table.rules for number in numbers} - set(ANYTHING):
            tests = compile_unary_tests(text, self.names)
            try:
                points.extend(constants(tests.node))
                trees[text] = tests
            except Undecidable:
                trees[text] = None
        try:
            found = tuple(classes(points, builtin_name(clause.expression.type_ref), self._allowed(numbers[0])))
        except Undecidable:
            found = (ValueClass(None, ANY_VALUE),)
            trees = dict.fromkeys(trees)
        known: dict[tuple[str, ...], Cover] = {}
        covers = []
        for rule in self.table.rules:
            texts = tuple(rule.inputs[number].text for number in numbers)
            if texts not in known:
                known[texts] = self._cover(texts, trees, found)
            covers.append(known[texts])
        return Column(clause.where.name, tuple(value_class.text for value_class in found), tuple(covers))

    def _allowed(self, number: int) -> list[Value] | None:
        """The closed list of input values, of the clause or of its item definition; None if there is none or it has ranges."""
        clause = self.table.inputs[number]
        item = self.types.items.get(clause.expression.type_ref)
        text = clause.values if clause.values not in ANYTHING else item.allowed if item is not None else ""
        if text in ANYTHING:
            return None
        try:
            values: Value = compile_expression(f"[{text}]", self.names).evaluate({})
        except ExpressionError:
            return None
        plain = isinstance(values, tuple) and all(value is None or isinstance(value, (str, bool)) for value in values)
        return [value for value in values if value is not None] if plain else None

    @staticmethod
    def _cover(texts: tuple[str, ...], trees: Mapping[str, UnaryTests | None], found: tuple[ValueClass, ...]) -> Cover:
        """What the cells of one rule in columns of the same input cover together."""
        certain = possible = (1 << len(found)) - 1
        for tests in (trees[text] for text in texts if text not in ANYTHING):
            if tests is None:
                certain = 0
                continue
            matching = sum(1 << n for n, one in enumerate(found) if tests.matches(one.sample, {}, _ENV) is True)
            certain, possible = certain & matching, possible & matching
        return Cover(certain, possible)

    # findings

    def _check_overlaps(self, columns: list[Column], count: int) -> None:
        found = [(meeting, certain) for meeting in overlaps(columns, count) if (certain := self._contradicts(meeting)) is not None]
        for meeting, certain in found[:MAX_OVERLAPS]:
            first, second = self.table.rules[meeting.first], self.table.rules[meeting.second]
            if certain:
                example = self._example(columns, meeting.example)
                message = f"规则 {first.index} 与规则 {second.index} 重叠（{example}），命中策略 {self.table.hit_policy} 不允许"
                forbids = f"rules {first.index} and {second.index} overlap ({example.english}), which {self.table.hit_policy} forbids"
                self.findings.error("overlap", second.where, message, forbids)
            else:
                message = f"规则 {first.index} 与规则 {second.index} 可能重叠，无法静态判定"
                self.findings.hint("overlap", second.where, message, f"rules {first.index} and {second.index} may overlap")
        if len(found) > MAX_OVERLAPS:
            rest = len(found) - MAX_OVERLAPS
            severe = any(certain for _, certain in found[MAX_OVERLAPS:])
            message = f"另有 {rest} 对规则重叠或可能重叠"
            self.findings.add(
                "overlap", "error" if severe else "hint", self.table.where, message, f"{rest} more pairs of rules (may) overlap"
            )

    def _contradicts(self, meeting: Overlap) -> bool | None:
        """Whether two rules that meet contradict the hit policy; None if they certainly do not."""
        if self.table.hit_policy == "UNIQUE":
            return meeting.certain
        same = self._same_outputs(meeting.first, meeting.second)
        return None if same is True else meeting.certain and same is False

    def _same_outputs(self, first: int, second: int) -> bool | None:
        """Whether two rules say the same; None if that cannot be known from their text."""
        pairs = list(zip(self.table.rules[first].outputs, self.table.rules[second].outputs, strict=True))
        if all(a.text == b.text for a, b in pairs):
            return True
        constant = [(self._constant(a.text), self._constant(b.text)) for a, b in pairs if a.text != b.text]
        return False if any(a is not None and b is not None and a != b for a, b in constant) else None

    def _constant(self, text: str) -> Value | None:
        if text in ANYTHING:
            return None
        expression = compile_expression(text, self.names)
        return None if expression.variables else expression.evaluate({})

    def _check_gaps(self, columns: list[Column], count: int) -> None:
        where = self.table.where
        try:
            found = gap(columns, count)
        except TimeoutError:
            self.findings.hint("gap", where, "决策表太大，无法检查是否有遗漏", "the table is too large to look for gaps")
            return
        if found is None:
            return
        example = self._example(columns, found.example)
        if found.certain:
            message = f"没有规则匹配：{example}；结果将为空值（可加默认输出）"
            self.findings.warning("gap", where, message, f"no rule matches {example.english}; the result is null (add a default output)")
        else:
            self.findings.hint("gap", where, f"可能没有规则匹配：{example}，无法静态判定", f"perhaps no rule matches {example.english}")

    @staticmethod
    def _example(columns: list[Column], texts: tuple[str, ...]) -> Said:
        pairs = list(zip(columns, texts, strict=True))
        if not pairs:
            return Said("任何输入", "any input")
        return Said(
            "，".join(f"{column.label} = {text}" for column, text in pairs),
            ", ".join(f"{english(column.label)} = {english(text)}" for column, text in pairs),
        )

    def _check_inputs(self) -> None:
        """Cells whose constants are of another type than the input is declared to be: they can never match such an input."""
        for number, clause in enumerate(self.table.inputs):
            coerce = self.types.coercion(builtin_name(clause.expression.type_ref))
            for cell in (rule.inputs[number] for rule in self.table.rules if rule.inputs[number].text not in ANYTHING):
                try:
                    for point in constants(compile_unary_tests(cell.text, self.names).node):
                        coerce(point, _ENV)
                except Undecidable:
                    continue
                except Mismatch as error:
                    message = f"{cell.where.name}：“{cell.text}”与输入的类型“{clause.expression.type_ref}”不符（{error}）"
                    unfit = f'"{cell.text}" does not conform to the input\'s type {clause.expression.type_ref}'
                    self.findings.warning("type", cell.where, message, unfit)

    def _check_outputs(self) -> None:
        """Constant outputs of the wrong type or outside the output values."""
        for number, clause in enumerate(self.table.outputs):
            coerce = self.types.coercion(clause.type_ref)
            allowed = compile_unary_tests(clause.values, self.names) if clause.values not in ANYTHING else None
            cells = [rule.outputs[number] for rule in self.table.rules] + ([clause.default] if clause.default else [])
            for cell in cells:
                value = self._constant(cell.text)
                if value is None or (cell is clause.default and isinstance(value, tuple) and self.table.hit_policy in LISTS):
                    continue
                try:
                    value = coerce(value, _ENV)
                except Mismatch as error:
                    message = f"{cell.where.name}：输出 {text_of(value)} 与声明的类型“{clause.type_ref}”不符（{error}）"
                    self.findings.error("type", cell.where, message, f"output does not conform to type {clause.type_ref}")
                    continue
                if allowed is not None and allowed.matches(value, {}, _ENV) is False:
                    message = f"{cell.where.name}：输出 {text_of(value)} 不在输出值范围内（{clause.values}）"
                    self.findings.error("output-values", cell.where, message, "output is not one of the output values")
