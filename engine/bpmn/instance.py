"""Instance: one process instance as engine.commands uses it. Load it, do one thing, take the changes.

Every public method runs the instance until nothing is READY. Raises NotFound for a token that does not exist and Conflict for one that is
in the wrong state. After any exception the caller discards the object: its state is not defined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.bpmn import state as rows
from engine.bpmn.elements import task_listeners
from engine.bpmn.elements.ad_hoc_subprocess import AdHocSubProcess
from engine.bpmn.elements.call_activity import CallActivity
from engine.bpmn.elements.compensation import undo_process
from engine.bpmn.elements.user_task import UserTask
from engine.bpmn.interface import Environment, TokenInfo
from engine.bpmn.kernel import listeners
from engine.bpmn.kernel.failure import BpmnThrow, Step, StepFailed
from engine.bpmn.kernel.placing import start_at
from engine.bpmn.kernel.process import STEP_LIMIT, Process
from engine.bpmn.kernel.signing import SIGN, sign, signers
from engine.bpmn.kernel.token import Token
from engine.bpmn.kernel.variables import deliver, set_variables, visible_json
from engine.bpmn.model import ProcessModel
from engine.bpmn.operations import Operations
from engine.bpmn.spiff import READY, STARTED, STATE_NAMES, WAITING
from engine.changes import Changes, InstanceState, StoredState, UncaughtThrow, Undoing
from engine.errors import Conflict, Invalid, NotFound

Json = dict[str, Any]


class Instance(Operations):
    """A process instance in memory."""

    def __init__(self, model: ProcessModel, process: Process) -> None:
        self.model = model
        self._process = process

    # ------------------------------------------------------------------ make
    @classmethod
    def start(
        cls,
        model: ProcessModel,
        variables: Mapping[str, Any],
        env: Environment,
        *,
        start_element: str | None = None,
        called: bool = False,
        until: Sequence[str] = (),
        step_limit: int = STEP_LIMIT,
    ) -> Instance:
        """Start a new instance at its none start events, or at `start_element` (a message, signal or timer start event).

        `called`: a call activity waits for it, so an error that is caught above ends it (Changes.uncaught). `until`: the instance is
        terminated when one of these elements has ended. Raises Invalid when there is no such start, NotFound when there is no such element.
        """
        starts = [start_element] if start_element else list(model.spec.starts)
        if not starts or (start_element and start_element not in model.start_elements):
            raise Invalid(reason=f"流程“{model.name or model.process_id}”没有启动事件 {start_element or '（空启动事件）'}")
        process = Process(model.spec, env, step_limit=step_limit)
        process.called = called
        process.end_with(until, model.elements)
        for name, value in variables.items():
            process.variables.put(name, value)
        process.changed_names.clear()
        process.run_command(lambda: process.begin(starts))
        return cls(model, process)

    @classmethod
    def start_at(
        cls, model: ProcessModel, variables: Mapping[str, Any], env: Environment, element_ids: Sequence[str], *, until: Sequence[str] = ()
    ) -> Instance:
        """Start a new instance at any elements instead of at a start event; `until` as in `start`. Raises NotFound, Invalid (what cannot
        be activated)."""
        process = Process(model.spec, env)
        process.end_with(until, model.elements)
        for name, value in variables.items():
            process.variables.put(name, value)
        process.changed_names.clear()
        process.run_command(lambda: start_at(process, element_ids))
        return cls(model, process)

    @classmethod
    def undo(
        cls, model: ProcessModel, variables: Mapping[str, Any], records: list[Any], env: Environment, *, step_limit: int = STEP_LIMIT
    ) -> Instance:
        """Start an instance that compensates an earlier, completed one of a called process: it runs the handlers of `records` with the
        variables that one had at its end, and completes when they are done. Nothing else of the diagram runs."""
        process = Process(model.spec, env, step_limit=step_limit)
        process.called = True
        for name, value in variables.items():
            process.variables.put(name, value)
        process.changed_names.clear()
        process.run_command(lambda: undo_process(process, records))
        return cls(model, process)

    @classmethod
    def load(cls, model: ProcessModel, stored: StoredState, env: Environment, *, step_limit: int = STEP_LIMIT) -> Instance:
        """Rebuild an instance from its rows."""
        return cls(model, rows.restore(model.spec, stored, env, step_limit))

    # ------------------------------------------------------------------ look
    @property
    def env(self) -> Environment:
        """The world around; set it anew before each command on a cached instance."""
        return self._process.env

    @env.setter
    def env(self, env: Environment) -> None:
        self._process.env = env

    @property
    def state(self) -> InstanceState:
        """ACTIVE, COMPLETED or TERMINATED."""
        return self._process.state

    @property
    def next_due_at(self) -> datetime | None:
        """When the next timer is due."""
        return self._process.next_due()

    def live_tokens(self) -> list[TokenInfo]:
        """Every live token in id order."""
        live = [token for token_id, token in sorted(self._process.tokens.items()) if token_id > 0 and token.live]
        return [
            TokenInfo(
                token.id,
                token.task_spec.bpmn_id,
                STATE_NAMES[token._state],
                token.scope_id(),
                token.task_spec.kind,
                token.has_incident,
            )
            for token in live
        ]

    def variables(self, scope_id: int = 0) -> Json:
        """Fresh JSON values of all variables visible at a token; 0: those of the process instance."""
        if scope_id == 0:
            own = self._process.variables
            return {name: own.json(name) for name in own.names()}
        return visible_json(self._token(scope_id))

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        return rows.take_changes(self._process)

    # ------------------------------------------------------------------ user tasks and jobs
    def complete_user_task(self, token_id: int, variables: Mapping[str, Any] | None = None) -> None:
        """A person completed a READY user task with these result variables."""
        token = self._token(token_id)
        if isinstance(token.task_spec, UserTask) and signers(token):
            raise Conflict(reason=f"“{token.task_spec.bpmn_name or token.task_spec.bpmn_id}”的加签尚未办完（signatures are still open）")
        token = self._token(token_id, READY)
        if not isinstance(token.task_spec, UserTask):
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 不是用户任务（not a user task）")
        if SIGN in token.internal_data:
            self._run(lambda: sign(token))
            return
        if task_listeners.CHANGE in token.internal_data:
            raise Conflict(reason=f"“{token.task_spec.bpmn_name or token.task_spec.bpmn_id}”正在改派或修改（is being changed）")
        element = token.task_spec

        def complete() -> None:
            token.settle()
            element.submit(token, variables or {})
            token.run()

        self._run(complete)

    def change_user_task(self, token_id: int, event: task_listeners.TaskEvent, attributes: Mapping[str, Any], action: str = "") -> bool:
        """Assign a READY user task or change its attributes (JSON values, named as in UserTaskOpened): True when it is done, False when
        one of its listeners is pending or has failed. Raises TransitionDenied when one refuses at once."""
        token = self._token(token_id, READY)
        if not isinstance(token.task_spec, UserTask):
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 不是用户任务（not a user task）")
        done: list[bool] = []
        self._run(lambda: done.append(task_listeners.begin_change(token, event, attributes, action)))
        return done[0]

    def complete_job(
        self,
        token_id: int,
        variables: Mapping[str, Any] | None = None,
        *,
        denied: bool = False,
        corrections: Mapping[str, Any] | None = None,
    ) -> None:
        """A worker finished the pending job of a token (its own, or that of a listener). A task listener may have `denied` its transition,
        or give `corrections` of the task's attributes."""
        token = self._pending_job(token_id)
        if (denied or corrections) and (listeners.NOTE not in token.internal_data or not isinstance(token.task_spec, UserTask)):
            raise Conflict(reason="只有任务监听器能拒绝或更正（only a task listener may deny or correct）")

        def complete() -> None:
            token.forget("job")
            if listeners.NOTE in token.internal_data:
                token.clear_incident()
                if denied:
                    task_listeners.denied(token)
                    return
                listeners.take_pending(token, variables or {}, corrections or {})
                self._resume(token)
                return
            token.settle()
            deliver(token, variables or {})
            token.complete()

        self._run(complete)

    def _resume(self, token: Token) -> None:
        """Go on after a listener."""
        if task_listeners.CHANGE in token.internal_data:
            task_listeners.go_on_changing(token)
        elif token._state < READY:
            token.task_spec._update(token)
        else:
            token.complete()

    def throw_error(self, token_id: int, code: str, message: str = "", variables: Mapping[str, Any] | None = None) -> None:
        """A worker threw a BPMN error from a pending job (or a person from a READY user task)."""
        token = self._token(token_id)
        if "job" not in token.internal_data:
            token = self._active(token_id)
        token.forget("job", listeners.NOTE)
        self._run(lambda: self._process.throw_error(token, BpmnThrow(code, message, dict(variables or {}))))

    def throw_escalation(self, token_id: int, code: str, variables: Mapping[str, Any] | None = None) -> None:
        """Escalate from an active element: it goes on unless the catching event interrupts it."""
        token = self._active(token_id)
        self._run(lambda: void(self._process.throw_escalation(token, code, dict(variables or {}))))

    # ------------------------------------------------------------------ events
    def correlate(self, token_id: int, variables: Mapping[str, Any] | None = None) -> None:
        """A message reached the token that waits for it."""
        token = self._token(token_id, WAITING)
        trigger = token.task_spec.trigger
        if trigger is None or trigger.kind != "message":
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 不在等待消息（not waiting for a message）")
        self._run(lambda: token.task_spec.occurred(token, dict(variables or {}), repeat=True))

    def signal(self, name: str, variables: Mapping[str, Any] | None = None) -> int:
        """A signal came from outside: how many catch events took it."""
        count = 0

        def deliver_signal() -> None:
            nonlocal count
            count = self._process.deliver_signal(name, dict(variables or {}))

        self._run(deliver_signal)
        return count

    def fire_due(self, now: datetime) -> int:
        """Fire the timers that are due at `now` (at most 1,000 a call): how many fired."""
        self._active_instance()
        return self._process.fire_due(now)

    def refresh_timers(self, variables: Mapping[str, Any] | None = None) -> None:
        """The host's own values changed: write them to the process scope and evaluate again the waiting timers that read one of them
        (conditions too); without variables every waiting FEEL timer, because an expression may call a function of the host."""

        def refresh() -> None:
            for name, value in (variables or {}).items():
                self._process.variables.put(name, value)
            if not variables:
                self._process.refresh_timers()

        self._run(refresh)

    # ------------------------------------------------------------------ called processes
    def is_calling(self, token_id: int) -> bool:
        """Does this token still wait for the instance it called?"""
        token = self._process.tokens.get(token_id)
        return token is not None and token._state == STARTED and "call" in token.internal_data

    def catches_error(self, token_id: int, code: str) -> bool:
        """Would an error of the called instance be caught, here or further above? Looks only."""
        token = self._process.tokens.get(token_id)
        if token is None or not self.is_calling(token_id):
            return False
        caught = self._process.find_catcher(token, "error", code) is not None
        return caught or (self._process.called and self._process.env.caught_by_caller(code))

    def call_completed(self, token_id: int, variables: Mapping[str, Any] | None = None, undoing: Undoing | None = None) -> None:
        """The child instance of a call activity completed with these variables; `undoing` is what compensation can undo of it."""
        token = self._call(token_id)
        element = token.task_spec
        assert isinstance(element, CallActivity)

        def complete() -> None:
            token.settle()
            element.called_done(token, dict(variables or {}), undoing)

        self._run(complete)

    def call_failed(self, token_id: int, thrown: UncaughtThrow) -> None:
        """The child instance ended by an error that is caught here, or passed on an escalation and goes on."""
        token = self._call(token_id)
        variables = dict(thrown.variables)
        if thrown.kind == "escalation":
            self._run(lambda: void(self._process.throw_escalation(token, thrown.code, variables)))
            return
        token.forget("call")
        self._run(lambda: self._process.throw_error(token, BpmnThrow(thrown.code, thrown.message, variables)))

    # ------------------------------------------------------------------ incidents
    def raise_incident(self, token_id: int, kind: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        """The host found that a live token cannot go on (job out of retries, called process unknown, form missing)."""
        token = self._token(token_id)
        if not token.live:
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 已结束（has ended）")
        token.clear_incident()
        if isinstance(token.task_spec, CallActivity):
            token.forget("call")
        token.stop(StepFailed(kind, message, dict(details or {})), Step(token.at or Step.RUN))

    def retry(self, token_id: int) -> None:
        """Resolve the incident of a token: the failed sub-step runs again."""
        token = self._token(token_id)
        if not token.has_incident:
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 没有异常（has no incident）")
        self._run(token.retry)

    # ------------------------------------------------------------------ the whole instance
    def cancel(self) -> None:
        """End the instance: every token is terminated."""
        self._active_instance()
        self._process.terminate()

    def set_variables(self, values: Mapping[str, Any], scope_id: int = 0, *, local: bool = False) -> None:
        """Write variables: at the process, at a token (each to the nearest scope that has it), or with `local` into the token's own."""
        self._active_instance()
        token = None if scope_id == 0 else self._token(scope_id)

        def write() -> None:
            if token is not None and not local:
                set_variables(token, values)
                return
            scope = self._process.variables if token is None else token.local()
            for name, value in values.items():
                scope.put(name, value)

        self._run(write)

    def activate_ad_hoc(self, token_id: int, elements: Mapping[str, Mapping[str, Any]], *, cancel_remaining: bool = False) -> None:
        """Activate elements inside an open ad-hoc subprocess, each with variables of its own; what runs inside may be cancelled first."""
        token = self._token(token_id, STARTED)
        element, scope = token.task_spec, self._process.subprocesses.get(token_id)
        if not isinstance(element, AdHocSubProcess) or scope is None:
            raise Conflict(reason=f"{element.bpmn_id} 不是打开的临时子流程（not an open ad-hoc subprocess）")
        for name in elements:
            if name not in scope.elements():
                raise NotFound(what="元素 element", key=name)
        self._run(lambda: element.add_all(token, scope, elements, cancel_remaining=cancel_remaining))

    # ------------------------------------------------------------------ helpers
    def _run(self, command: Callable[[], None]) -> None:
        self._active_instance()
        self._process.run_command(command)

    def _active_instance(self) -> None:
        if self._process.state != "ACTIVE":
            raise Conflict(reason="流程实例已结束（the process instance has ended）")

    def _token(self, token_id: int, state: int | None = None) -> Token:
        token = self._process.tokens.get(token_id)
        if token is None or token_id <= 0:
            raise NotFound(what="元素实例 element instance", key=str(token_id))
        if state is not None and token._state != state:
            raise Conflict(reason=f"{token.task_spec.bpmn_id}：{STATE_NAMES.get(token._state, '')}")
        return token

    def _active(self, token_id: int) -> Token:
        token = self._token(token_id)
        if token._state not in (READY, STARTED):
            raise Conflict(reason=f"{token.task_spec.bpmn_id}：{STATE_NAMES.get(token._state, '')}")
        return token

    def _pending_job(self, token_id: int) -> Token:
        token = self._token(token_id)
        if "job" not in token.internal_data:
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 没有未完成的作业（no pending job）")
        return token

    def _call(self, token_id: int) -> Token:
        token = self._token(token_id, STARTED)
        if "call" not in token.internal_data:
            raise Conflict(reason=f"{token.task_spec.bpmn_id} 没有在等待被调用的流程（no open call）")
        return token


def void(_value: object) -> None:
    """Throw a result away."""
