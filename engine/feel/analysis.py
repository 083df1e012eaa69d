"""Static analysis: which variables and functions an expression reads, and type errors that are certain (DMN 1.5 §10.3.2.9), for lint."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.feel import ast
from engine.feel.builtins.registry import BUILTINS


@dataclass(slots=True)
class Reads:
    """`variables` are certainly read from the context; `possible` may be keys of a filter's elements instead."""

    variables: set[str] = field(default_factory=set)
    possible: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def find_reads(node: ast.Node) -> Reads:
    """Everything an expression takes from outside."""
    reads = Reads()
    _walk(node, frozenset(), False, reads)
    return reads


def _walk(node: ast.Node, bound: frozenset[str], in_filter: bool, reads: Reads) -> None:
    if isinstance(node, ast.Name):
        if node.name not in bound:
            # A built-in's name may mean the function itself: `sort(dates, before)`.
            unsure = in_filter or node.name in BUILTINS
            (reads.possible if unsure else reads.variables).add(node.name)
        return
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name):
        if node.function.name not in bound and node.function.name not in BUILTINS:
            reads.functions.add(node.function.name)
        for argument in node.args:
            _walk(argument, bound, in_filter, reads)
        return
    if isinstance(node, ast.Filter):
        _walk(node.source, bound, in_filter, reads)
        _walk(node.condition, bound | {"item"}, True, reads)
    elif isinstance(node, (ast.For, ast.Quantified)):
        _walk_iterators(node, bound, in_filter, reads)
    elif isinstance(node, ast.ContextNode):
        for key, value in node.entries:
            _walk(value, bound | {key} if isinstance(value, ast.FunctionNode) else bound, in_filter, reads)
            bound = bound | {key}
    elif isinstance(node, ast.FunctionNode):
        _walk(node.body, bound | {name for name, _ in node.parameters}, in_filter, reads)
    else:
        for child in ast.children(node):
            _walk(child, bound, in_filter, reads)


def _walk_iterators(node: ast.For | ast.Quantified, bound: frozenset[str], in_filter: bool, reads: Reads) -> None:
    for iterator in node.iterators:
        _walk(iterator.source, bound, in_filter, reads)
        if iterator.end is not None:
            _walk(iterator.end, bound, in_filter, reads)
        bound = bound | {iterator.name}
    if isinstance(node, ast.For):
        _walk(node.body, bound | {"partial"}, in_filter, reads)
    else:
        _walk(node.condition, bound, in_filter, reads)
