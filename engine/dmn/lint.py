"""Findings of a whole file beyond syntax: unknown names, certain type errors, tables (tablelint.py), advice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from engine.dmn.findings import Findings
from engine.dmn.model import Literal, Table, Where
from engine.dmn.table import LISTS
from engine.dmn.tablelint import TableLint
from engine.dmn.types import TypeTable
from engine.feel import Expression, UnaryTests

Severity = OneOf["error", "warning"] | None


@dataclass(slots=True)
class Lint:
    """Collects what the compiler sees. `unknown`: how bad an unknown name is in the element that is being compiled, None = not at all."""

    types: TypeTable
    findings: Findings
    unknown: Severity = None

    def expression(self, literal: Literal, found: Expression, names: frozenset[str]) -> None:
        """A compiled literal expression."""
        self._unknown_names(literal.where, (found.variables | found.functions) - names)

    def cell(self, where: Where, found: UnaryTests, names: frozenset[str]) -> None:
        """The compiled tests of an input entry."""
        self._unknown_names(where, (found.variables | found.functions) - names)

    def table(self, table: Table, names: frozenset[str]) -> None:
        """A table without errors in its cells."""
        TableLint(table, self.types, names, self.findings).check()
        gives_list = table.hit_policy in LISTS and not table.aggregation
        if gives_list and not any(output.default for output in table.outputs) and not _always_matches(table):
            message = "没有规则匹配时结果是空值而不是空列表；需要空列表时请设默认输出 []"
            english = "no match gives null, not []; set a default output [] if you need a list"
            self.findings.hint("empty-list", table.where, message, english)

    def _unknown_names(self, where: Where, unknown: frozenset[str]) -> None:
        for name in sorted(unknown):
            if self.unknown is not None:
                self.findings.add("unknown-name", self.unknown, where, f"未知的名称“{name}”", f'unknown name "{name}"')


def _always_matches(table: Table) -> bool:
    return any(all(cell.text in ("", "-") for cell in rule.inputs) for rule in table.rules)
