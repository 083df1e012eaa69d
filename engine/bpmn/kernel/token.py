"""Token: one element instance in the tree, a subclass of SpiffWorkflow's Task that keeps its life cycle and nothing of its data.

Life cycle (SpiffWorkflow's hooks): `_update` (activate; FUTURE until it succeeds) -> `_ready` -> `run` -> `complete`. A failing sub-step
leaves the token where it is, with the step under "at" in `internal_data`, and raises an incident; `retry` continues there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.bpmn import spiff
from engine.bpmn.kernel.failure import BpmnThrow, Parked, Step, StepFailed
from engine.bpmn.kernel.variables import Variables
from engine.bpmn.spiff import CANCELLED, COMPLETED, FUTURE, READY, STARTED, WAITING
from engine.changes import ElementEvent, IncidentRaised
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.bpmn.kernel.element import Element, Flow
    from engine.bpmn.kernel.scope import Scope

AT, INCIDENT = "at", "inc"


class Token(spiff.Task):
    """A token. `flow` is the index of the incoming sequence flow it came by, `locals` its own variables (None: no scope).

    `came_from` (id): the predecessor in history when it is not the parent.
    """

    task_spec: Element
    workflow: Scope
    flow: int | None
    locals: Variables | None
    taking: list[Flow]

    def __init__(
        self,
        workflow: Scope,
        element: Element,
        parent: Token | None = None,
        flow: int | None = None,
        came_from: int | None = None,
        replaces: int | None = None,
    ) -> None:
        process = workflow.process
        process.last_id += 1
        self.__dict__ = blank(process.last_id, workflow, element, parent.id if parent else None, FUTURE, flow, {})
        workflow.tasks[self.id] = process.tokens[self.id] = workflow.live[self.id] = self
        if parent is not None:
            parent._children[self.id] = 1
        self.mark()
        if came_from is None and parent is not None and parent.id > 0:
            came_from = parent.id
        if workflow.spec.late_joins and came_from is not None:
            workflow.follow(came_from, self.id)
        if not element.listens:
            self.record_entered(came_from, replaces)

    @property
    def data(self) -> dict[str, Any]:
        """SpiffWorkflow's task data: always empty, variables live in scopes."""
        return {}

    @property
    def live(self) -> bool:
        return self._state < COMPLETED

    @property
    def at(self) -> int:
        """The step at which the token stopped; 0 if it never did."""
        return int(self.internal_data.get(AT, 0))

    @property
    def has_incident(self) -> bool:
        return INCIDENT in self.internal_data

    @property
    def waits_at_join(self) -> bool:
        """Does it wait at a gateway for others?"""
        return self._state == WAITING and self.task_spec.trigger is None

    def mark(self) -> None:
        """The row has to be written."""
        self.workflow.process.dirty[self.id] = self

    def local(self) -> Variables:
        """The token's own scope, made on first use."""
        if self.locals is None:
            self.locals = Variables(self.id, self.workflow.process, self.task_spec.collection)
        return self.locals

    def container(self) -> Token | None:
        """The activity in the same scope whose variables this token sees: its loop, the host of a boundary event that waits, or the
        user task that a signature was added to."""
        parent = self.workflow.tasks.get(self._parent) if self._parent is not None else None
        if parent is None or parent._state >= COMPLETED:
            return None
        if parent.task_spec.is_loop or "sign" in self.internal_data or (self.task_spec.listens and self._state in (FUTURE, WAITING)):
            return parent
        return None

    def is_loop_member(self) -> bool:
        """Is this one instance of a multi-instance or standard loop?"""
        container = self.container()
        return container is not None and container.task_spec.is_loop and not self.task_spec.listens

    def scope_id(self) -> int:
        """Token id of the enclosing multi-instance body or subprocess; 0: the process."""
        container = self.container()
        if container is not None and container.task_spec.is_loop:
            return container.id
        return self.workflow.parent_task_id or 0

    def remember(self, **values: Any) -> None:
        """Keep values in the token's row."""
        self.internal_data.update(values)
        self.mark()

    def forget(self, *names: str) -> None:
        """Drop values from the token's row."""
        for name in names:
            self.internal_data.pop(name, None)
        self.mark()

    # ------------------------------------------------------------------ history
    def record_entered(self, predecessor: int | None, replaces: int | None = None) -> None:
        """A line of history: the token came; `replaces` names the token that a return has undone and that it stands for."""
        flows = self.task_spec.incoming
        self.workflow.process.changes.history.append(
            ElementEvent(
                token_id=self.id,
                kind="entered",
                element_id=self.task_spec.bpmn_id,
                scope_id=self.scope_id(),
                predecessor=predecessor,
                flow_id=flows[self.flow] if self.flow is not None and self.flow < len(flows) else None,
                into=replaces,
            )
        )

    def record_end(self, kind: Any, into: int | None = None) -> None:
        """A line of history: the token completed, was terminated or was merged into a join."""
        self.workflow.process.changes.history.append(ElementEvent(self.id, kind, self.task_spec.bpmn_id, self.scope_id(), into=into))

    # ------------------------------------------------------------------ life cycle
    def _set_state(self, value: int) -> None:
        """SpiffWorkflow's state change, with our indexes: the run queue, the live tokens, the subscriptions."""
        if value == self._state:
            return
        process = self.workflow.process
        self.mark()
        if self._state == WAITING:
            process.unsubscribe(self)
        self._state = value
        if value == READY and not self.task_spec.manual:
            process.queue.append(self)
        elif value >= COMPLETED:
            self.workflow.live.pop(self.id, None)

    def run(self) -> bool | None:
        """Do the element's work. Raises Conflict unless the token is READY."""
        if self._state != READY:
            name = spiff.STATE_NAMES.get(self._state, str(self._state))
            raise Conflict(reason=f"{self.task_spec.bpmn_id}: {name}")
        result = self.task_spec.run(self)
        if result:
            self.complete()
        elif self._state == READY:
            self._set_state(STARTED)
        return result

    def complete(self) -> None:
        """Output mappings, outgoing flows, then the next tokens. A failing expression stops the token before it has left."""
        if self._state >= COMPLETED:
            return
        element, scope = self.task_spec, self.workflow
        try:
            element.finish(self)
        except StepFailed as failure:
            self.stop(failure, Step(self.at or Step.OUTPUT))
            return
        except Parked:
            self._set_state(STARTED)
            return
        except BpmnThrow as thrown:
            scope.process.throw_error(self, thrown)
            return
        self.settle()
        parent = scope.tasks.get(self._parent) if self._parent is not None else None
        self.record_end("completed")
        if scope.process.ends_with(self):
            self._set_state(COMPLETED)
            scope.process.terminate()
            return
        super().complete()
        scope.compact(self)
        if parent is not None and parent._state == STARTED:
            parent.task_spec.child_done(parent, self)
        scope.after_completion(self)

    def stop(self, failure: StepFailed, step: Step) -> None:
        """Raise an incident and stay where the step failed."""
        if not self.live:
            return
        if step >= Step.COMPLETING and self._state != STARTED:
            self._set_state(STARTED)
        self.remember(**{AT: int(step), INCIDENT: failure.kind})
        self.workflow.process.changes.incidents.append(
            IncidentRaised(self.id, self.task_spec.bpmn_id, failure.kind, failure.message, failure.details)
        )

    def settle(self) -> None:
        """Nothing is wrong any more: the incident, if there is one, is resolved."""
        self.clear_incident()
        if AT in self.internal_data:
            self.forget(AT)

    def clear_incident(self) -> None:
        """The incident is resolved; the token still stands at its step."""
        if self.has_incident:
            self.workflow.process.resolve_incident(self.id)
            self.forget(INCIDENT)

    def close_job(self) -> None:
        """The pending job, if there is one, is not wanted any more."""
        if self.internal_data.pop("job", None):
            self.workflow.process.close_job(self.id)
            self.mark()

    def retry(self) -> None:
        """Run the failed sub-step again."""
        step = self.at
        self.clear_incident()
        if self.task_spec.retry_change(self):
            return
        if step >= Step.COMPLETING:
            self.close_job()
            self.complete()
        elif step == Step.RUN:
            self.forget(AT)
            self.task_spec.run_again(self)
        elif self._state == FUTURE:
            self.close_job()
            self.task_spec._update(self)

    def cancel(self) -> None:
        """Take the token and everything below it out of the instance."""
        self.workflow.cancel_tree(self)

    def end_cancelled(self) -> None:
        """State and history of a cancelled token; the scope takes it out of the tree."""
        if self._state < COMPLETED:
            silent = self.task_spec.listens and self._state in (FUTURE, WAITING)
            if not silent:
                self.record_end("terminated")
            if self.has_incident:
                self.workflow.process.resolve_incident(self.id)
            self.close_job()
            self.task_spec.cancelled(self)
            if not silent:
                self.workflow.process.note_cancelled(self)
            self._set_state(CANCELLED)

    def reparent(self, new: Token) -> None:
        """Hang the token under another one."""
        if self._parent is not None:
            self.workflow.tasks[self._parent]._children.pop(self.id, None)
        self._parent = new.id
        new._children[self.id] = 1
        self.mark()


def in_order(tokens: dict[int, Token]) -> list[Token]:
    """Tokens in id order: what happens to several must not depend on whether the instance was restored in between."""
    return [tokens[token_id] for token_id in sorted(tokens)]


def blank(
    token_id: int, scope: Scope, element: Element, parent: int | None, state: int, flow: int | None, internal: dict[str, Any]
) -> dict[str, Any]:
    """The attributes of a token; SpiffWorkflow's own that nothing uses are here because its code reads them."""
    return {
        "id": token_id,
        "workflow": scope,
        "task_spec": element,
        "_parent": parent,
        "_children": {},
        "_state": state,
        "flow": flow,
        "internal_data": internal,
        "locals": None,
        "triggered": False,
        "thread_id": 0,
        "last_state_change": 0.0,
    }
