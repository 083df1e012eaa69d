"""Element: the behaviour every BPMN element has in common; stands before the stock spec class of the same element.

Life cycle of an activity (each sub-step may fail and be tried again, see `Step`):
INPUT       input mappings make local variables;
START       start listeners;
ACTIVATE    `prepare` evaluates what the element needs (assignment, timers, keys), creating listeners, boundary events start to wait,
            `activate` makes the token READY or lets it wait;
RUN         `perform` does the work: True = done, None = somebody else does it (STARTED);
COMPLETING  completing listeners;
OUTPUT      output mappings write to outer scopes, a multi-instance body takes the result;
END         end listeners;
LEAVE       the conditions of the outgoing flows choose where tokens go.
Specs are immutable after parsing and shared by all instances of a definition.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.bpmn import spiff
from engine.bpmn.kernel import expressions
from engine.bpmn.kernel.failure import BpmnThrow, Parked, Step, StepFailed
from engine.bpmn.kernel.listeners import run_listeners
from engine.bpmn.kernel.token import AT, INCIDENT, Token
from engine.bpmn.spiff import COMPLETED, FUTURE, READY, WAITING
from engine.bpmn.vocabulary import NO_EXTENSIONS, Extensions, Listener, Loop, Text, Trigger

if TYPE_CHECKING:
    from engine.bpmn.kernel.process import Write
    from engine.bpmn.kernel.scope import Scope, SubprocessScope


@dataclass(frozen=True, slots=True)
class Flow:
    """An outgoing sequence flow; `index` is its place among the incoming flows of the target."""

    flow_id: str
    target: Element
    condition: Text | None
    is_default: bool
    index: int


class ScopeSpec(spiff.BpmnProcessSpec):
    """The elements of one scope. Upstream's own helper specs are left out, so analysts may call elements Start and End.

    `starts`: elements that get a token when the scope begins; `event_subprocesses`: names of event subprocesses; `late_joins`: note names
    of complex gateways; `inner`: the scopes inside by subprocess id; `table`: every element of the process, enclosing scopes first, and
    `named`: the same by name, which is what rows refer to (never a position: that would depend on the parser).
    """

    table: list[Element]
    named: dict[str, Element]

    def __init__(self, name: str, description: str | None = None, filename: str | None = None) -> None:
        super().__init__(name, description, filename)
        self.task_specs.clear()
        self.start.name = "#start"
        self.event_subprocesses: list[str] = []
        self.starts: list[str] = []
        self.inner: dict[str, ScopeSpec] = {}
        self.late_joins: tuple[str, ...] = ()

    def _add_notify(self, task_spec: Any) -> None:
        if task_spec.name in self.task_specs:
            raise KeyError(task_spec.name)
        self.task_specs[task_spec.name] = task_spec


class Element(spiff.BpmnSpecMixin):
    """Base of all elements."""

    kind: str = ""
    flows: tuple[Flow, ...] = ()
    incoming: tuple[str, ...] = ()
    boundary: tuple[str, ...] = ()
    ext: Extensions = NO_EXTENSIONS
    trigger: Trigger | None = None
    compensation_handler: str | None = None
    """name of the element that undoes this one"""
    undoes = False
    """a compensation handler: what it completes cannot be undone in turn"""
    is_loop = False
    listens = False
    """boundary events and event subprocesses: waiting is not being entered"""
    opens_scope = False
    """has a scope inside while it is STARTED"""
    joins_late = False
    """a join that looks at other tokens (inclusive), asked when nothing else can run"""
    interrupting = True
    conditional = True
    """outgoing conditions are evaluated (not on parallel gateways)"""
    loop: Loop | None = None
    outer_name: str = ""

    # ------------------------------------------------------------------ SpiffWorkflow's hooks
    def _update(self, my_task: Token) -> None:
        """Upstream calls this on every new child: activate it."""
        try:
            ready = self.enter(my_task)
        except StepFailed as failure:
            my_task.stop(failure, Step(my_task.at or Step.ACTIVATE))
            return
        except BpmnThrow as thrown:
            my_task.workflow.process.throw_error(my_task, thrown)
            return
        if ready and my_task._state < READY:
            my_task._ready()

    def _on_ready(self, my_task: Token) -> None:
        """Upstream's tests and assignments: not ours."""

    def _on_complete_hook(self, my_task: Token) -> None:
        """The token has left: unfired boundary events go, a compensation handler is noted, the next tokens come."""
        scope = my_task.workflow
        for child_id in sorted(my_task._children):
            child = scope.tasks.get(child_id)
            if child is not None and child.task_spec.listens and child.live:
                scope.cancel_tree(child, keep_parent=True)
        if self.compensation_handler and not self.undoes:
            handler = self._wf_spec.task_specs[self.compensation_handler]
            scope.add_compensation(my_task, handler.name, None)
        self.leave(my_task)

    def _on_cancel(self, my_task: Token) -> None:
        """Upstream's cancel hook."""
        self.cancelled(my_task)

    # ------------------------------------------------------------------ activate
    def enter(self, token: Token) -> bool:
        """Activate a token: True when it is READY."""
        internal, ext = token.internal_data, self.ext
        if token.at <= Step.INPUT and ext.inputs:
            internal[AT] = int(Step.INPUT)
            expressions.apply_inputs(token, ext.inputs)
            internal[AT] = int(Step.START)
        if ext.start_listeners and token.at <= Step.START:
            internal[AT] = int(Step.START)
            if not run_listeners(token, "start", ext.start_listeners):
                return False
        if ext.inputs or ext.start_listeners:
            internal[AT] = int(Step.ACTIVATE)
        prepared = self.prepare(token)
        if (ext.creating_listeners or ext.assigning_listeners) and not self.opening(token, prepared):
            return False
        internal.pop(AT, None)
        internal.pop(INCIDENT, None)
        if self.boundary and not self.open_boundary(token):
            return False
        return self.activate(token, prepared)

    def opening(self, token: Token, prepared: Any) -> bool:
        """Task listeners before a user task opens; False when one is pending."""
        return True

    def retry_change(self, token: Token) -> bool:
        """Go on with a change of an open user task whose listener failed; False: there is none."""
        return False

    @property
    def collection(self) -> str | None:
        """Name of the output collection that can be read inside while this is open."""
        return None

    def listener_headers(self, token: Token) -> dict[str, str]:
        """Headers that a listener's job gets besides those of the diagram."""
        return {}

    def prepare(self, token: Token) -> Any:
        """Evaluate what activation needs; may raise StepFailed, must change nothing."""

    def open_boundary(self, token: Token) -> bool:
        """Let the boundary events wait; False when one of them has ended the token at once."""
        for name in self.boundary:
            child = Token(token.workflow, self._wf_spec.task_specs[name], token)
            child.task_spec._update(child)
            if token._state >= COMPLETED:
                return False
        return True

    def activate(self, token: Token, prepared: Any) -> bool:
        """The token is active; True = READY, False = it waits or has begun."""
        return True

    # ------------------------------------------------------------------ run
    def run(self, token: Token) -> bool | None:
        """Do the work, turning a failure into an incident and a thrown code into a search for its catch event."""
        try:
            return self.perform(token)
        except StepFailed as failure:
            token.stop(failure, Step.RUN)
        except BpmnThrow as thrown:
            token.workflow.process.throw_error(token, thrown)
        return None

    def perform(self, token: Token) -> bool | None:
        """The work itself: True = done, None = the token stays STARTED."""
        return True

    def run_again(self, token: Token) -> None:
        """The incident of a failed RUN step was resolved."""
        if token._state == WAITING:
            return
        if token._state == FUTURE:
            self._update(token)
            return
        if self.manual:
            token._state = READY
            token.mark()
            return
        token._state = FUTURE
        token._set_state(READY)

    # ------------------------------------------------------------------ finish and leave
    def finish(self, token: Token) -> None:
        """COMPLETING to LEAVE; may raise StepFailed, Parked or BpmnThrow and continues there. `token.taking`: the chosen flows."""
        at, ext, internal = token.at, self.ext, token.internal_data
        if at < Step.OUTPUT:
            self._listen(token, Step.COMPLETING, "completing", ext.completing_listeners)
            self.completing(token)
        if at < Step.END:
            self._give_output(token)
        if at < Step.LEAVE:
            self._listen(token, Step.END, "end", ext.end_listeners)
        if self.flows:
            internal[AT] = int(Step.LEAVE)
        token.taking = self.choose(token)
        internal.pop(AT, None)

    def _listen(self, token: Token, step: Step, phase: str, listeners: tuple[Listener, ...]) -> None:
        """Run listeners; raises Parked when one is pending."""
        if listeners:
            token.internal_data[AT] = int(step)
            if not run_listeners(token, phase, listeners):
                raise Parked

    def _give_output(self, token: Token) -> None:
        """Output mappings, then what a loop collects from its member."""
        if self.ext.outputs:
            token.internal_data[AT] = int(Step.OUTPUT)
            expressions.apply_outputs(token, self.ext.outputs)
        if token.is_loop_member():
            token.internal_data[AT] = int(Step.OUTPUT)
            container = token.container()
            if container is not None:
                container.task_spec.child_completing(container, token)
        elif not self.flows:
            owner = token.workflow.owner
            if owner is not None:
                owner.task_spec.inner_completing(owner, token)

    def completing(self, token: Token) -> None:
        """The work is done (once, before the output mappings)."""

    def choose(self, token: Token) -> list[Flow]:
        """The flows that get a token: all whose condition holds; the default flow only if no condition did (BPMN 13.3.2)."""
        flows = self.flows
        if not self.conditional or (len(flows) == 1 and flows[0].condition is None):
            return list(flows)
        hit = [f for f in flows if not f.is_default and (f.condition is None or expressions.condition(token, f.condition))]
        if not any(f.condition is not None for f in hit):
            hit += [f for f in flows if f.is_default]
        return hit

    def leave(self, token: Token) -> None:
        """Put a token on every chosen flow."""
        for flow in token.taking:
            Token(token.workflow, flow.target, token, flow=flow.index)

    # ------------------------------------------------------------------ cancel, containers, events
    def cancelled(self, token: Token) -> None:
        """The token is being cancelled; its state is still what it was."""

    def child_done(self, token: Token, child: Token) -> None:
        """A token below a STARTED one has completed."""

    def child_completing(self, token: Token, child: Token) -> None:
        """A member of a loop is about to complete; may raise StepFailed on the member."""

    def inner_completing(self, token: Token, inner: Token) -> None:
        """An element without outgoing flows inside this subprocess is about to complete; may raise StepFailed on it."""

    def path_ended(self, token: Token, scope: Scope) -> None:
        """Something inside this subprocess completed and nothing follows it."""

    def interrupted(self, token: Token) -> None:
        """An event subprocess inside this subprocess has cancelled everything else there."""

    def may_end(self, token: Token) -> bool:
        """May the scope inside end when it is empty?"""
        return True

    def inner_finished(self, token: Token, scope: SubprocessScope) -> None:
        """Everything inside this subprocess completed."""

    def try_join(self, token: Token, *, stuck: bool) -> bool:
        """A token waits at this gateway and nothing else can run: may it go on now? `stuck`: no other join may either."""
        return False

    def occurred(self, token: Token, payload: dict[str, Any], *, repeat: bool) -> None:
        """What the waiting token waits for has happened; `repeat`: it may happen again."""

    def timer_due(self, token: Token) -> None:
        """The waiting token's timer is due."""

    def test_condition(self, token: Token, written: Set[Write] | None) -> None:
        """Variables were written while the token waits for a condition; None: look at it in any case."""

    def rearm(self, token: Token, changed: set[str] | None) -> None:
        """Variables changed while the token waits for a timer whose expression may read them; None: evaluate it in any case."""

    def catches(self, kind: str, code: str | None, token: Token) -> bool:
        """Would the waiting token catch an error or escalation with this code? No code on the event: every one."""
        trigger = self.trigger
        if trigger is None or trigger.kind != kind:
            return False
        return trigger.code is None or expressions.text(token, trigger.code) == code
