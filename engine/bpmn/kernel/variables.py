"""Variables in scopes (Camunda 8): the process, a subprocess, a multi-instance body or instance, an element with local variables.

The truth is the JSON text of each variable, one row per (scope, name). A FEEL value is made from it on first read and kept; whoever
asks for a JSON value gets a fresh one, so nothing a handler changes can reach the instance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from engine.feel import to_feel, to_json

if TYPE_CHECKING:
    from engine.bpmn.kernel.process import Process
    from engine.bpmn.kernel.token import Token

PRIVATE = "#"
"""First character of names that the kernel keeps for itself; no FEEL name can start with it."""
COLLECTED, OUTPUT, INSTANCES = "#collected", "#out.", "numberOfInstances"
"""What a scope has collected so far: a list, or one value for each of so many instances."""


def dump(value: object) -> bytes:
    """JSON text of a variable. FEEL values are allowed anywhere inside; integers beyond 64 bits keep their digits."""
    try:
        return orjson.dumps(value, default=to_json)
    except TypeError:
        return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":")).encode()


class Variables:
    """The variables of one scope. `scope_id` is the token id of its owner, 0 for the process instance.

    `collection` is the name of the output collection of a multi-instance or ad-hoc subprocess: while that is open its list can be read
    under this name, but is kept as one row for each value, so that a completing instance does not write the others' again.
    """

    __slots__ = ("_gathered", "collection", "feel", "process", "raw", "scope_id")

    def __init__(self, scope_id: int, process: Process, collection: str | None = None) -> None:
        self.scope_id = scope_id
        self.process = process
        self.collection = collection
        self._gathered: bytes | None = None
        self.raw: dict[str, bytes] = {}
        self.feel: dict[str, object] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.raw

    def names(self) -> list[str]:
        """Names that diagrams and people can see."""
        return [name for name in self.raw if not name.startswith(PRIVATE)]

    def shows(self, name: str) -> bool:
        """Can the variable be read here? The output collection can from when it is begun."""
        return name in self.raw or (name == self.collection and (INSTANCES in self.raw or COLLECTED in self.raw))

    def readable(self) -> list[str]:
        """Names that can be read here."""
        names = self.names()
        return (
            names if self.collection is None or self.collection in names or not self.shows(self.collection) else [*names, self.collection]
        )

    def collected(self) -> list[Any]:
        """What was collected so far: null for an instance that has not completed."""
        if self._gathered is None:
            values = (self.raw.get(f"{OUTPUT}{number}", b"null") for number in range(1, self.json(INSTANCES, 0) + 1))
            self._gathered = self.raw.get(COLLECTED) or b"[" + b",".join(values) + b"]"
        found: list[Any] = orjson.loads(self._gathered)
        return found

    def json(self, name: str, default: Any = None) -> Any:
        """A fresh JSON value."""
        raw = self.raw.get(name)
        if raw is None:
            return self.collected() if name == self.collection and self.shows(name) else default
        return orjson.loads(raw)

    def feel_value(self, name: str) -> object:
        """The FEEL value; immutable, so it is shared. Raises KeyError."""
        value = self.feel.get(name, self)
        if value is self:
            value = self.feel[name] = to_feel(orjson.loads(self.raw[name]) if name in self.raw else self.collected())
        return value

    def put(self, name: str, value: object) -> None:
        """Write; nothing happens when the value is the same."""
        raw = dump(value)
        if self.raw.get(name) == raw:
            return
        self.process.note_written(self.scope_id, name, raw, "update" if name in self.raw else "create")
        self.raw[name] = raw
        self.feel.pop(name, None)
        if self.collection is not None and name.startswith((OUTPUT, COLLECTED, INSTANCES)):
            self._gathered = None
            self.feel.pop(self.collection, None)
            self.process.changed_names[(self.scope_id, self.collection, "update")] = self.process.writes


def visible_scopes(token: Token) -> Iterator[Variables]:
    """The scopes a token can see, nearest first."""
    current: Token | None = token
    while current is not None:
        if current.locals is not None:
            yield current.locals
        scope = current.workflow
        container = current.container()
        if container is None:
            if scope.parent_task_id is None:
                yield scope.variables
                return
            container = scope.owner
        current = container


def outer_scopes(token: Token) -> Iterator[Variables]:
    """The scopes that output mappings write to: all but the token's own, which only a multi-instance member writes itself."""
    scopes = visible_scopes(token)
    if token.locals is not None and not token.is_loop_member():
        next(scopes)
    return scopes


def set_variable(scopes: Iterator[Variables], name: str, value: object) -> None:
    """Write to the nearest scope that has the variable, else to the process instance (the last one)."""
    scope = None
    for scope in scopes:
        if name in scope:
            break
    if scope is not None:
        scope.put(name, value)


def set_variables(token: Token, values: Mapping[str, object]) -> None:
    """Write result variables of a token, each to the nearest scope that has it."""
    for name, value in values.items():
        set_variable(visible_scopes(token), name, value)


def deliver(token: Token, values: Mapping[str, object]) -> None:
    """Take over the result of a user task, job or event: local if output mappings exist (only they leave), else propagated."""
    if token.task_spec.ext.outputs:
        local = token.local()
        for name, value in values.items():
            local.put(name, value)
    else:
        set_variables(token, values)


def json_value(token: Token, name: str) -> Any:
    """A fresh JSON value of a visible variable; None when there is none."""
    for scope in visible_scopes(token):
        if scope.shows(name):
            return scope.json(name)
    return None


def visible_json(token: Token) -> dict[str, Any]:
    """Fresh JSON values of every visible variable, the nearest scope winning."""
    values: dict[str, Any] = {}
    for scope in visible_scopes(token):
        for name in scope.readable():
            if name not in values:
                values[name] = scope.json(name)
    return values


def local_json(token: Token) -> dict[str, Any]:
    """Fresh JSON values of the token's own scope."""
    return {} if token.locals is None else {name: token.locals.json(name) for name in token.locals.names()}


class Visible(Mapping[str, object]):
    """The variables a token can see, looked up by name on demand: the context of an expression."""

    __slots__ = ("extra", "token")

    def __init__(self, token: Token, extra: Mapping[str, object] | None = None) -> None:
        self.token = token
        self.extra = extra

    def __getitem__(self, name: str) -> object:
        if self.extra is not None and name in self.extra:
            return self.extra[name]
        for scope in visible_scopes(self.token):
            if name in scope.raw or (name == scope.collection and scope.shows(name)):
                return scope.feel_value(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        names = dict.fromkeys(self.extra or ())
        for scope in visible_scopes(self.token):
            names.update(dict.fromkeys(scope.readable()))
        return iter(names)

    def __len__(self) -> int:
        return sum(1 for _ in self)
