"""The syntax tree of FEEL (DMN 1.5 §10.3.1.2). `pos` is the 0-based character where the node starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """Any expression."""

    pos: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """Number, string, boolean, null or an @-literal: `value` is the FEEL value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable; `?` is the input of a unary test."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """Arithmetic negation."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`op` is one of + - * / ** and or = != < <= > >=."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class UnaryTest(Node):
    """One positive unary test: `op` is < <= > >= = != with an operand, or "" for a bare expression."""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """`value in test` or `value in (test, test)`."""

    value: Node
    tests: tuple[UnaryTest, ...]


@dataclass(frozen=True, slots=True)
class UnaryTests(Node):
    """A whole cell of a decision table: no tests means "-" (anything)."""

    tests: tuple[UnaryTest, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class RangeNode(Node):
    """`[low..high]` and its open forms; `(>= 5)` has only one end. None means unbounded."""

    low: Node | None
    high: Node | None
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class UnaryRange(Node):
    """`(= 5)` or `(!= 5)`: a test that is a value only for `in`."""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextNode(Node):
    """`{key: value}`; later entries see earlier ones."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`source.name`."""

    source: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`source[condition]`."""

    source: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(args)`; `names` is None for positional arguments."""

    function: Node
    args: tuple[Node, ...]
    names: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition then then else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iterator(Node):
    """`name in source` or `name in source..end`."""

    name: str
    source: Node
    end: Node | None


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for iterators return body`."""

    iterators: tuple[Iterator, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """`some|every iterators satisfies condition`."""

    every: bool
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class TypeNode(Node):
    """A type: `name`, with `arguments` for list<>, range<>, function<> -> result (last), and `fields` for context<>."""

    name: str
    arguments: tuple[TypeNode, ...] = ()
    fields: tuple[tuple[str, TypeNode], ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """`value instance of type`."""

    value: Node
    type: TypeNode


@dataclass(frozen=True, slots=True)
class FunctionNode(Node):
    """`function(a: number, b) body`."""

    parameters: tuple[tuple[str, TypeNode | None], ...]
    body: Node


def children(node: Any) -> list[Node]:
    """The direct sub-expressions of a node, in reading order (types are not expressions)."""
    found: list[Node] = []
    for name in node.__dataclass_fields__:
        _collect(getattr(node, name), found)
    return found


def _collect(part: Any, found: list[Node]) -> None:
    if isinstance(part, TypeNode):
        return
    if isinstance(part, Node):
        found.append(part)
    elif isinstance(part, tuple):
        for piece in part:
            _collect(piece, found)
