"""Gaps and overlaps of a decision table: rules as boxes over the value classes of its columns (DMN 1.5 §8.2.11).

Overlaps: two rules whose boxes meet in every column. Gaps: a box that no rule covers, found column by column; rules that cover the same
classes are handled together and equal subproblems once. Undecidable cells make an answer "maybe" instead of "yes". Sets are bit masks,
because a table of 600 rules has 180,000 pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import Said

ANY_VALUE = Said("任意值", "any value")
"""The only class of a column in which no rule looks at the value."""

MAX_STEPS = 200_000


@dataclass(frozen=True, slots=True)
class Cover:
    """The value classes that a cell covers: bit n of `certain` for class n, of `possible` also where it cannot be decided."""

    certain: int
    possible: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column: texts of its value classes, and what the cell of each rule (by position) covers."""

    label: str
    classes: tuple[str, ...]
    covers: tuple[Cover, ...]


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
    pairs = ((first, second) for first in range(rules) for second in range(first + 1, rules))
    return [found for first, second in pairs if (found := _meeting(columns, first, second)) is not None]


def _meeting(columns: Sequence[Column], first: int, second: int) -> Overlap | None:
    for column in columns:
        if not column.covers[first].possible & column.covers[second].possible:
            return None
    certain, example = True, []
    for column in columns:
        one, other = column.covers[first], column.covers[second]
        surely = one.certain & other.certain
        certain = certain and surely != 0
        example.append(column.classes[_lowest(surely or one.possible & other.possible)])
    return Overlap(first, second, certain, tuple(example))


def _lowest(mask: int) -> int:
    """Number of the lowest bit that is set."""
    return (mask & -mask).bit_length() - 1


def gap(columns: Sequence[Column], rules: int) -> Gap | None:
    """One gap if there is any: a certain one rather than one that undecidable cells might close. Raises TimeoutError beyond a limit."""
    everything = (1 << rules) - 1
    certain = _Search(columns, [[cover.possible for cover in column.covers] for column in columns]).find(0, everything)
    if certain is not None:
        return Gap(True, certain)
    possible = _Search(columns, [[cover.certain for cover in column.covers] for column in columns]).find(0, everything)
    return None if possible is None else Gap(False, possible)


class _Search:
    """Looks for an uncovered box. `masks`: per column and rule the classes that count as covered."""

    def __init__(self, columns: Sequence[Column], masks: list[list[int]]) -> None:
        self.columns = columns
        # per column and class: the rules that cover it
        self.rules = [
            [sum(1 << rule for rule, mask in enumerate(column_masks) if mask >> number & 1) for number in range(len(column.classes))]
            for column, column_masks in zip(columns, masks, strict=True)
        ]
        self.closed: set[tuple[int, int]] = set()
        self.steps = 0

    def find(self, depth: int, rules: int) -> tuple[str, ...] | None:
        """Classes of the columns from `depth` on that none of `rules` covers."""
        if not rules:
            return tuple(column.classes[0] if len(column.classes) == 1 else ANY_VALUE for column in self.columns[depth:])
        if depth == len(self.columns) or (depth, rules) in self.closed:
            return None
        self.steps += len(self.rules[depth])
        if self.steps > MAX_STEPS:
            raise TimeoutError
        for number, covering in enumerate(self.rules[depth]):
            rest = self.find(depth + 1, rules & covering)
            if rest is not None:
                return (self.columns[depth].classes[number], *rest)
        self.closed.add((depth, rules))
        return None
