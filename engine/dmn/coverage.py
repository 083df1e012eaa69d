"""Gaps and overlaps of a decision table: rules as boxes over the value classes of its columns (DMN 1.5 §8.2.11).

Overlaps: two rules whose boxes meet in every column. Gaps: a box that no rule covers, found column by column; rules that cover the same
classes are handled together and equal subproblems once. Undecidable cells make an answer "maybe" instead of "yes".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from engine.dmn.domains import ValueClass

MAX_STEPS = 20_000


class Cover(Enum):
    """Whether a cell covers a value class."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its value classes, and for each rule (by position) what its cell covers of each class."""

    label: str
    classes: tuple[ValueClass, ...]
    covers: tuple[tuple[Cover, ...], ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules (positions from 0) that match the same input; `certain` is False if an undecidable cell is involved."""

    first: int
    second: int
    certain: bool
    example: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Input values per column that no rule matches."""

    certain: bool
    example: tuple[str, ...]


def overlaps(columns: Sequence[Column], rules: int) -> list[Overlap]:
    """All pairs of rules that meet."""
    found = []
    for first in range(rules):
        for second in range(first + 1, rules):
            meeting = _meeting(columns, first, second)
            if meeting is not None:
                found.append(meeting)
    return found


def _meeting(columns: Sequence[Column], first: int, second: int) -> Overlap | None:
    certain, example = True, []
    for column in columns:
        both = [min(a.value, b.value) for a, b in zip(column.covers[first], column.covers[second], strict=True)]
        best = max(both, default=0)
        if best == Cover.NO.value:
            return None
        certain = certain and best == Cover.YES.value
        example.append(column.classes[both.index(best)].text)
    return Overlap(first, second, certain, tuple(example))


def gap(columns: Sequence[Column], rules: int) -> Gap | None:
    """One gap if there is any: a certain one rather than one that undecidable cells might close. Raises TimeoutError beyond a limit."""
    certain = _Search(columns, Cover.MAYBE).find(0, frozenset(range(rules)))
    if certain is not None:
        return Gap(True, certain)
    possible = _Search(columns, Cover.YES).find(0, frozenset(range(rules)))
    return None if possible is None else Gap(False, possible)


class _Search:
    """Looks for an uncovered box; a cell counts as covering a class from `least` on."""

    def __init__(self, columns: Sequence[Column], least: Cover) -> None:
        self.columns = columns
        self.least = least.value
        self.closed: set[tuple[int, frozenset[int]]] = set()
        self.steps = 0

    def find(self, depth: int, rules: frozenset[int]) -> tuple[str, ...] | None:
        """Classes of the columns from `depth` on that none of `rules` covers."""
        if not rules:
            return tuple(column.classes[0].text if len(column.classes) == 1 else "任意值" for column in self.columns[depth:])
        if depth == len(self.columns) or (depth, rules) in self.closed:
            return None
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TimeoutError
        column = self.columns[depth]
        for number, value_class in enumerate(column.classes):
            inner = frozenset(rule for rule in rules if column.covers[rule][number].value >= self.least)
            rest = self.find(depth + 1, inner)
            if rest is not None:
                return (value_class.text, *rest)
        self.closed.add((depth, rules))
        return None
