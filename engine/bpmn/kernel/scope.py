"""Scopes: the process instance and its embedded subprocesses, each with its own tree of tokens.

The tree has the start as its root; a token's parent is the finished token it came from while that still branches, else the nearest
ancestor that does, or the container it belongs to. A finished token with at most one child is spliced out at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from engine.bpmn import spiff
from engine.bpmn.kernel.token import Token, blank, in_order
from engine.bpmn.kernel.variables import local_json
from engine.bpmn.spiff import COMPLETED, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.bpmn.kernel.element import Element, ScopeSpec
    from engine.bpmn.kernel.process import Process
    from engine.bpmn.kernel.variables import Variables

COMPENSATION = "compensation"
"""The scope's note of what can be undone."""
PLACES = "places"
"""The note of a subprocess token that does not begin at its start events: where it begins instead (list of Place)."""


class Place(TypedDict, total=False):
    """Where a token is put: element `name`, index of the incoming `flow`, the token it `came_from` in history and the one it `replaces`,
    the places `inside` (a subprocess), and `locals`."""

    name: str
    flow: int | None
    came_from: int | None
    replaces: int | None
    inside: list[Place]
    locals: dict[str, Any]


class Scope:
    """What the process instance and its subprocesses have in common.

    `live`: unfinished tokens; `arrivals`: gateway id -> tokens that wait there; `listeners`: waiting event subprocess starts, which do not
    keep a scope open.
    """

    process: Process
    spec: ScopeSpec
    parent_task_id: int | None
    variables: Variables
    tasks: dict[int, Token]
    task_tree: Token

    def _open(self, spec: ScopeSpec, root_id: int) -> None:
        self.spec = spec
        self.tasks = {}
        self.live: dict[int, Token] = {}
        self.arrivals: dict[str, dict[int, Token]] = {}
        self.listeners: dict[int, Token] = {}
        self.completed = False
        self.dropped = False
        root: Token = Token.__new__(Token)
        root.__dict__ = blank(root_id, self, spec.start, None, COMPLETED, None, {})
        self.tasks[root_id] = root
        self.task_tree = root

    @property
    def top_workflow(self) -> Process:
        """SpiffWorkflow's name for the process instance."""
        return self.process

    @property
    def owner(self) -> Token | None:
        """The token of the subprocess; None for the process instance."""
        return None if self.parent_task_id is None else self.process.tokens.get(self.parent_task_id)

    def elements(self) -> dict[str, Element]:
        """The elements of this scope by name."""
        return self.spec.task_specs

    # ------------------------------------------------------------------ the scope's own notes
    def note(self, name: str) -> Any:
        """A value kept with the scope (compensation records, complex gateway states)."""
        return self.notes().get(name)

    def notes(self) -> dict[str, Any]:
        owner = self.owner
        if owner is None:
            return self.process.header_notes
        notes: dict[str, Any] = owner.internal_data.setdefault("notes", {})
        return notes

    def keep_note(self, name: str, value: Any) -> None:
        """Keep a value with the scope; None or empty drops it."""
        notes = self.notes()
        if value:
            notes[name] = value
        else:
            notes.pop(name, None)
        owner = self.owner
        if owner is not None:
            if not notes:
                owner.internal_data.pop("notes", None)
            owner.mark()

    def add_compensation(self, token: Token, handler: str | None, inner: list[Any] | None) -> None:
        """Note that an activity completed and can be undone: [element, handler, records of its inside, its local variables]."""
        self.add_record([token.task_spec.bpmn_id, handler, inner, local_json(token)])

    def add_record(self, record: list[Any]) -> None:
        """Note a compensation record as the newest."""
        self.keep_note(COMPENSATION, [*(self.note(COMPENSATION) or []), record])

    def undo_handler(self) -> str | None:
        """Name of the compensation event subprocess directly inside."""
        for name in self.spec.event_subprocesses:
            element = self.spec.task_specs[name]
            if element.trigger is not None and element.trigger.kind == "compensate":
                return name
        return None

    def take_records(self) -> list[Any]:
        """The records of what completed in this scope, which ends; its compensation event subprocess goes before them."""
        records: list[Any] = self.note(COMPENSATION) or []
        self.keep_note(COMPENSATION, None)
        undo = self.undo_handler()
        return records if undo is None else [[self.spec.name, undo, records, {}]]

    # ------------------------------------------------------------------ late tokens of complex gateways
    def follow(self, before: int, after: int) -> None:
        """A token came from another: if that one was late for a complex gateway that has fired, so is this."""
        for name in self.spec.late_joins:
            late = self.note(name)
            if late and before in late:
                self.keep_note(name, [*late, after])

    def unfollow(self, token_id: int) -> None:
        """A token has ended."""
        for name in self.spec.late_joins:
            late = self.note(name)
            if late and token_id in late:
                self.keep_note(name, [other for other in late if other != token_id])

    # ------------------------------------------------------------------ begin and end
    def begin(self, starts: Iterable[str | Place]) -> None:
        """Arm the event subprocesses, then put a token on each start."""
        elements = self.elements()
        for name in self.spec.event_subprocesses:
            listener = elements[name]
            if listener.trigger is not None and listener.trigger.kind == "compensate":
                continue
            token = Token(self, listener, self.task_tree)
            self.listeners[token.id] = token
            listener._update(token)
            if self.completed or self.dropped or (token._state != WAITING and listener.interrupting and not token.has_incident):
                return
        for start in starts:
            token = self.put(start)
            token.task_spec._update(token)
        self.check_done()

    def put(self, start: str | Place) -> Token:
        """A new token on an element, not yet activated."""
        if isinstance(start, str):
            return Token(self, self.elements()[start], self.task_tree)
        element = self.elements()[start["name"]]
        token = Token(self, element, self.task_tree, start.get("flow"), start.get("came_from"), start.get("replaces"))
        if start.get("inside"):
            token.remember(**{PLACES: start["inside"]})
        for name, value in start.get("locals", {}).items():
            token.local().put(name, value)
        return token

    def check_done(self) -> None:
        """The scope ends when only its listeners are left."""
        if not self.completed and not self.dropped and len(self.live) == len(self.listeners) and self.may_end():
            self.completed = True
            for token in in_order(self.listeners):
                self.cancel_tree(token)
            self.finished()

    def may_end(self) -> bool:
        """An ad-hoc subprocess may stay open with nothing in it."""
        owner = self.owner
        return owner is None or owner.task_spec.may_end(owner)

    def finished(self) -> None:
        """The last token is gone."""
        raise NotImplementedError

    def after_completion(self, token: Token) -> None:
        """A token completed: if no other comes after it, ad-hoc subprocesses look whether they are done, then the scope does."""
        if self.spec.late_joins:
            self.unfollow(token.id)
        owner = self.owner
        if owner is not None and not self.completed and not self.dropped and not token.taking and not token.is_loop_member():
            owner.task_spec.path_ended(owner, self)
        self.check_done()

    # ------------------------------------------------------------------ the tree
    def compact(self, token: Token) -> None:
        """Splice out finished tokens that are no branching points any more."""
        tasks = self.tasks
        while token._parent is not None and token.id in tasks and token._state >= COMPLETED and len(token._children) <= 1:
            parent = tasks[token._parent]
            parent._children.pop(token.id, None)
            for child_id in token._children:
                child = tasks[child_id]
                child._parent = parent.id
                parent._children[child_id] = 1
                child.mark()
            self.remove(token)
            token = parent

    def remove(self, token: Token) -> None:
        """Take a finished token out of every index; its row and its scope go with it."""
        process, token_id = self.process, token.id
        if self.spec.late_joins:
            self.unfollow(token_id)
        self.tasks.pop(token_id, None)
        self.live.pop(token_id, None)
        self.listeners.pop(token_id, None)
        process.forget_token(token)

    def cancel_tree(self, token: Token, *, keep_parent: bool = False) -> None:
        """Cancel everything live at or below a token and take it out of the tree."""
        stack, seen = [token], []
        while stack:
            current = stack.pop()
            seen.append(current)
            stack.extend(self.tasks[child] for child in current._children)
        seen.sort(key=lambda each: each.id)
        for current in seen:
            current.end_cancelled()
            self.leave_queue(current)
        parent = self.tasks.get(token._parent) if token._parent is not None else None
        if parent is not None:
            parent._children.pop(token.id, None)
        for current in seen:
            self.remove(current)
        if parent is not None and not keep_parent:
            self.compact(parent)

    def leave_queue(self, token: Token) -> None:
        """A token does not wait at its gateway any more."""
        waiting = self.arrivals.get(token.task_spec.name)
        if waiting:
            waiting.pop(token.id, None)

    def merge(self, others: Iterable[Token], into: Token) -> None:
        """A join consumes the tokens that waited for it."""
        for other in others:
            other.record_end("merged", into.id)
            if self.spec.late_joins:
                self.follow(other.id, into.id)
            other._set_state(COMPLETED)
            self.leave_queue(other)
            parent = self.tasks[other._parent] if other._parent is not None else self.task_tree
            parent._children.pop(other.id, None)
            self.remove(other)
            self.compact(parent)

    def cancel_all(self, keep: Token | None = None) -> None:
        """Cancel every token of the scope but one."""
        if keep is not None and keep._parent != self.task_tree.id:
            keep.reparent(self.task_tree)
        for child_id in sorted(self.task_tree._children):
            token = self.tasks.get(child_id)
            if token is not None and token is not keep:
                self.cancel_tree(token, keep_parent=True)

    def _task_completed_notify(self, _token: Token) -> None:
        """SpiffWorkflow tells that a task completed; nothing to do."""


class SubprocessScope(Scope, spiff.BpmnSubWorkflow):
    """The inside of an embedded, event, transaction or ad-hoc subprocess. Its variables are those of the owning token."""

    def __init__(self, spec: ScopeSpec, owner: Token) -> None:
        self.process = owner.workflow.process
        self.parent_task_id = owner.id
        self._open(spec, -owner.id)

    def finished(self) -> None:
        owner = self.owner
        if owner is not None:
            owner.task_spec.inner_finished(owner, self)

    def drop(self) -> None:
        """The scope disappears with everything in it."""
        self.dropped = self.completed = True
        inside = [token for token in in_order(self.tasks) if token._parent is not None]
        for token in inside:
            token.end_cancelled()
        for token in inside:
            self.remove(token)
        if self.parent_task_id is not None:
            self.process.subprocesses.pop(self.parent_task_id, None)
