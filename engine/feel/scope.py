"""Compile-time scopes: which frame holds a name. One frame is pushed at run time for each scope but the root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.feel.runtime import AnyFrame, Code, Frame, Run
from engine.feel.values import FEEL_TYPES, MISSING, Context, to_feel


class Scope:
    """`names`: what the frame certainly holds; `dynamic`: a filter's frame, whose element may be a context with any keys."""

    __slots__ = ("dynamic", "names", "parent")

    def __init__(self, parent: Scope | None, names: frozenset[str] | set[str], dynamic: bool = False) -> None:
        self.parent = parent
        self.names = names
        self.dynamic = dynamic


def find(scope: Scope, name: str) -> tuple[list[int], int | None, int]:
    """(hops to the filter frames that may hold it, hops to the frame that holds it or None, hops to the root)."""
    maybe: list[int] = []
    hops = 0
    while scope.parent is not None:
        if scope.dynamic:
            maybe.append(hops)
        elif name in scope.names:
            return maybe, hops, hops
        scope = scope.parent
        hops += 1
    return maybe, None, hops


def compile_name(name: str, pos: int, scope: Scope) -> Code:
    """A closure that reads a variable; an unknown one is null with a warning."""
    maybe, local, root = find(scope, name)
    if maybe:
        return _dynamic(name, pos, maybe, local, root)
    if local is None:
        return _root(name, pos, root)
    if name == "partial":
        return _partial(local)
    return _local(name, local)


def _root(name: str, pos: int, hops: int) -> Code:
    def read_root(frame: Any) -> Any:
        try:
            value = frame.values[name]
        except KeyError:
            return unknown(frame.run, name, pos)
        return value if type(value) in FEEL_TYPES else to_feel(value)

    if not hops:
        return read_root
    return lambda frame: read_root(frame.run)


def _local(name: str, hops: int) -> Code:
    if hops == 0:
        return lambda frame: frame.values[name]
    if hops == 1:
        return lambda frame: frame.parent.values[name]

    def read(frame: Any) -> Any:
        for _ in range(hops):
            frame = frame.parent
        return frame.values[name]

    return read


def _partial(hops: int) -> Code:
    """`partial` in a for expression: the results so far, copied when they are read."""

    def read(frame: Any) -> Any:
        for _ in range(hops):
            frame = frame.parent
        value = frame.values["partial"]
        if type(value) is list:
            frame.run.tick(len(value) // 8 + 1)
            return tuple(value)
        return value

    return read


def _dynamic(name: str, pos: int, maybe: list[int], local: int | None, root: int) -> Code:
    rest: Code = _root(name, pos, root) if local is None else (_partial if name == "partial" else _lookup(name))(local)
    first, others = maybe[0], maybe[1:]

    def read(frame: Any) -> Any:
        probe = frame
        if first:
            for _ in range(first):
                probe = probe.parent
        item = probe.values["item"]
        value = entry(item, name)
        if value is not MISSING:
            return value if type(value) in FEEL_TYPES else to_feel(value)
        if name == "item":
            return item if type(item) in FEEL_TYPES else to_feel(item)
        return rest(frame)

    return read if not others else _chain(name, maybe, rest)


def entry(item: Any, name: str) -> Any:
    """The entry of a filter's element, not converted; MISSING if the element is no context or has no such key.

    A filter hands over elements of the caller's list as they are, so a context may still be a plain dict here.
    """
    if type(item) is dict:
        return item.get(name, MISSING)
    return item.read(name) if type(item) is Context else MISSING


def compile_raw(name: str, pos: int, scope: Scope) -> Code | None:
    """A closure that reads a root variable, or the key of the innermost filter's element, without conversion to FEEL; None where
    the name is something else. For operators with a fast path for plain Python numbers."""
    maybe, local, root = find(scope, name)
    if maybe[:1] == [0] and name != "item":
        ordinary = compile_name(name, pos, scope)

        def read_entry(frame: Any) -> Any:
            item = frame.values["item"]
            if type(item) is dict:
                value = item.get(name, MISSING)
                if value is not MISSING:
                    return value
            return ordinary(frame)

        return read_entry
    if maybe or local is not None or root:
        return None

    def read_root(frame: Any) -> Any:
        try:
            return frame.values[name]
        except KeyError:
            return unknown(frame.run, name, pos)

    return read_root


def _lookup(name: str) -> Callable[[int], Code]:
    return lambda hops: _local(name, hops)


def _chain(name: str, maybe: list[int], rest: Code) -> Code:
    """Several filters inside each other: the innermost element that has the key."""

    def read(frame: Any) -> Any:
        for hops in maybe:
            probe = frame
            for _ in range(hops):
                probe = probe.parent
            item = probe.values["item"]
            value = entry(item, name)
            if value is not MISSING:
                return value if type(value) in FEEL_TYPES else to_feel(value)
            if name == "item":
                return item if type(item) in FEEL_TYPES else to_feel(item)
        return rest(frame)

    return read


def unknown(run: Run, name: str, pos: int) -> None:
    """The null of a variable that does not exist."""
    run.warn("unknown_variable", f"没有变量“{name}”", f'no variable "{name}"', pos)


def is_bound(scope: Scope, name: str, frame: AnyFrame) -> bool:
    """True if the variable exists when `frame` runs (used by `is defined`)."""
    maybe, local, _ = find(scope, name)
    for hops in maybe:
        probe: Any = frame
        for _ in range(hops):
            probe = probe.parent
        item = probe.values["item"]
        if name == "item" or entry(item, name) is not MISSING:
            return True
    if local is not None:
        return True
    try:
        frame.run.values[name]
    except KeyError:
        return False
    return True


__all__ = ["Frame", "Scope", "compile_name", "find", "is_bound", "unknown"]
