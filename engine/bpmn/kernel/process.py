"""Process: one running process instance. The run queue, the indexes of what waits, and the record of what a command changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from engine.bpmn import spiff
from engine.bpmn.kernel.failure import BpmnThrow, Step, StepFailed, StepLimitReached
from engine.bpmn.kernel.scope import Scope, SubprocessScope
from engine.bpmn.kernel.token import Token, in_order
from engine.bpmn.kernel.variables import Variables
from engine.bpmn.spiff import READY, WAITING
from engine.changes import Changes, InstanceState, SignalBroadcast, UncaughtThrow, UserTaskClosed
from engine.errors import NotFound

if TYPE_CHECKING:
    from engine.bpmn.interface import Environment
    from engine.bpmn.kernel.element import ScopeSpec

STEP_LIMIT = 20_000
"""Automatic steps one command may take without reaching a wait state."""
TIMER_LIMIT = 1_000
"""Timers one command fires; what is still due fires with the next."""
Write = tuple[int, str, str]
"""What was written: (scope id, name, "create" or "update")."""
LAST = "last"
"""The note of an instance that is terminated when one of these elements ends (list of ids)."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970: how rows keep due dates, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The aware moment (UTC) of a stored due date."""
    return EPOCH + timedelta(microseconds=micros)


class Process(Scope, spiff.BpmnWorkflow):
    """A process instance. `called`: another instance waits for it, so an uncaught error ends it instead of raising an incident.

    `writes` counts the variables that were written, `seen_writes` how many there were when a condition began to wait: it saw those.
    """

    parent_task_id = None

    def __init__(self, spec: ScopeSpec, env: Environment, last_id: int = 0, step_limit: int = STEP_LIMIT) -> None:
        self.process = self
        self.env = env
        self.last_id = last_id
        self.step_limit = step_limit
        self.called = False
        self.state: InstanceState = "ACTIVE"
        self.header_notes: dict[str, Any] = {}
        self.stopping = False
        self.subprocesses: dict[int, SubprocessScope] = {}
        self.tokens: dict[int, Token] = {}
        self.queue: deque[Token] = deque()
        self.signal_waits: dict[str, dict[int, Token]] = {}
        self.conditions: dict[int, Token] = {}
        self.writes = 0
        self.seen_writes: dict[int, int] = {}
        self.timers: dict[int, Token] = {}
        self.watched_timers: dict[int, Token] = {}
        self.joins: dict[int, Token] = {}
        self.variables = Variables(0, self)
        self.start_recording()
        self.saved_id = 0
        self._open(spec, 0)

    # ------------------------------------------------------------------ what changed
    def start_recording(self) -> None:
        """Forget what was recorded: the host has it."""
        self.changes = Changes()
        self.dirty: dict[int, Token] = {}
        self.changed_names: dict[Write, int] = {}

    def note_written(self, scope_id: int, name: str, raw: bytes, kind: Literal["create", "update"]) -> None:
        """A variable was written."""
        self.changes.variables[(scope_id, name)] = raw
        self.writes += 1
        self.changed_names[(scope_id, name, kind)] = self.writes

    def forget_token(self, token: Token) -> None:
        """A token left the tree: its row, and its scope's rows, are deleted (if they were ever stored)."""
        token_id = token.id
        self.tokens.pop(token_id, None)
        self.dirty.pop(token_id, None)
        if token_id <= self.saved_id:
            self.changes.removed_tokens.append(token_id)
            if token.locals is not None:
                self.changes.removed_scopes.append(token_id)
        if token.locals is not None:
            for name in token.locals.raw:
                self.changes.variables.pop((token_id, name), None)

    def resolve_incident(self, token_id: int) -> None:
        """The token's incident is over; one raised since the last command disappears without a trace."""
        if not _withdraw(self.changes.incidents, token_id):
            self.changes.resolved_incidents.append(token_id)

    def close_user_task(self, token_id: int) -> None:
        """A user task was cancelled."""
        _withdraw(self.changes.changed_user_tasks, token_id)
        if not _withdraw(self.changes.user_tasks, token_id):
            self.changes.closed_user_tasks.append(UserTaskClosed(token_id, completed=False))

    def close_job(self, token_id: int) -> None:
        """A job is not wanted any more."""
        if not _withdraw(self.changes.jobs, token_id):
            self.changes.closed_jobs.append(token_id)

    def close_call(self, token_id: int) -> None:
        """A call activity was cancelled: its child instance has to go."""
        if not _withdraw(self.changes.calls, token_id):
            self.changes.cancelled_calls.append(token_id)

    def _close_subscription(self, token_id: int) -> None:
        if not _withdraw(self.changes.subscriptions, token_id):
            self.changes.closed_subscriptions.append(token_id)

    def _close_signal_wait(self, token_id: int) -> None:
        waits = self.changes.signal_waits
        for i, (waiting, _) in enumerate(waits):
            if waiting == token_id:
                del waits[i]
                return
        self.changes.closed_signal_waits.append(token_id)

    # ------------------------------------------------------------------ subscriptions
    def subscribe(self, token: Token) -> None:
        """Put a waiting token into the indexes its trigger needs."""
        trigger = token.task_spec.trigger
        if trigger is None:
            return
        if trigger.kind == "signal":
            self.signal_waits.setdefault(token.internal_data["signal"], {})[token.id] = token
        elif trigger.kind == "conditional":
            self.conditions[token.id] = token
            self.seen_writes[token.id] = self.writes
        elif trigger.kind == "timer":
            if "due" in token.internal_data:
                self.timers[token.id] = token
            if trigger.expression is not None and trigger.expression.is_feel:
                self.watched_timers[token.id] = token

    def unsubscribe(self, token: Token) -> None:
        """A token stops waiting."""
        token_id, trigger = token.id, token.task_spec.trigger
        self.joins.pop(token_id, None)
        if trigger is None:
            return
        self.conditions.pop(token_id, None)
        self.seen_writes.pop(token_id, None)
        self.timers.pop(token_id, None)
        self.watched_timers.pop(token_id, None)
        if trigger.kind == "signal":
            self.signal_waits.get(token.internal_data.get("signal", ""), {}).pop(token_id, None)
            self._close_signal_wait(token_id)
        elif trigger.kind == "message":
            self._close_subscription(token_id)

    def next_due(self) -> datetime | None:
        """The moment the next timer is due."""
        due = min((token.internal_data["due"] for token in self.timers.values()), default=None)
        return None if due is None else from_micros(due)

    # ------------------------------------------------------------------ the loop
    def run_command(self, command: Callable[[], None] | None = None) -> None:
        """Do something, then run until nothing is READY."""
        self.steps = 0
        self.stopping = False
        self._run(command)

    def _run(self, command: Callable[[], None] | None) -> None:
        if command is not None:
            command()
        self.react()
        while self.step():
            pass

    def step(self) -> bool:
        """One engine step; False when nothing is left to do."""
        queue = self.queue
        while queue:
            token = queue.popleft()
            if token._state == READY and not token.has_incident:
                self.steps += 1
                if self.steps > self.step_limit:
                    self.stop_all(token)
                    return False
                token.run()
                self.react()
                return True
        return self._join(stuck=False) or self._join(stuck=True)

    def _join(self, *, stuck: bool) -> bool:
        """Let one of the joins fire that looked at other tokens in vain until now."""
        for token in in_order(self.joins):
            if token._state == WAITING and token.task_spec.try_join(token, stuck=stuck):
                self.steps += 1
                self.react()
                return True
        return False

    def stop_all(self, first: Token) -> None:
        """Too many steps: every token that wanted to run gets an incident."""
        failure = StepLimitReached(
            "STEP_LIMIT", f"一次操作中自动步骤超过 {self.step_limit} 步，流程可能存在没有等待点的循环。", {"limit": self.step_limit}
        )
        for token in [first, *self.queue]:
            if token._state == READY and not token.task_spec.manual:
                token.stop(failure, Step.RUN)
        self.queue.clear()

    def react(self) -> None:
        """Variables changed: look at conditions and at timers that read them."""
        if self.stopping and self.state == "ACTIVE":
            self.terminate()
        while self.changed_names:
            written, self.changed_names = self.changed_names, {}
            names = {name for _, name, _ in written}
            for token in in_order(self.conditions):
                if token._state == WAITING:
                    before = self.seen_writes[token.id]
                    token.task_spec.test_condition(token, {write for write, number in written.items() if number > before})
            for token in in_order(self.watched_timers):
                if token._state == WAITING:
                    token.task_spec.rearm(token, names)

    def evaluate_conditions(self) -> None:
        """Look at every condition that is waited for, whatever was written: it may ask what time it is."""
        for token in in_order(self.conditions):
            if token._state == WAITING:
                token.task_spec.test_condition(token, None)

    def refresh_timers(self) -> None:
        """Evaluate every waiting FEEL timer again: what a function of the host gives has changed."""
        for token in in_order(self.watched_timers):
            if token._state == WAITING:
                token.task_spec.rearm(token, None)

    def fire_due(self, now: datetime) -> int:
        """Fire every timer that is due, in the order of their dates; each runs to its end before the next."""
        limit, fired = to_micros(now), 0
        self.steps = 0
        while fired < TIMER_LIMIT and self.steps <= self.step_limit:
            due = min(((token.internal_data["due"], token_id) for token_id, token in self.timers.items()), default=(limit + 1, 0))
            if due[0] > limit:
                break
            token = self.tokens[due[1]]
            self._run(partial(token.task_spec.timer_due, token))
            fired += 1
        return fired

    # ------------------------------------------------------------------ throwing
    def throw_signal(self, name: str, variables: dict[str, Any]) -> None:
        """A signal reaches every catch event of this instance now, other instances after the commit."""
        self.deliver_signal(name, variables)
        self.changes.signals.append(SignalBroadcast(name, variables))

    def deliver_signal(self, name: str, variables: dict[str, Any]) -> int:
        """Fire the catch events that wait for a signal: how many there were."""
        count = 0
        for token in in_order(self.signal_waits.get(name, {})):
            if token._state == WAITING:
                token.task_spec.occurred(token, variables, repeat=True)
                count += 1
        return count

    def throw_error(self, token: Token, thrown: BpmnThrow) -> None:
        """An error goes to the innermost event that catches its code. One that is only caught above a called instance ends that; nobody:
        an incident where it was thrown, so that nothing is lost."""
        catcher = self.find_catcher(token, "error", thrown.code)
        if catcher is not None:
            catcher.task_spec.occurred(catcher, thrown.variables, repeat=False)
        elif self.called and self.env.caught_by_caller(thrown.code):
            self.changes.uncaught.append(UncaughtThrow("error", thrown.code, thrown.message, thrown.variables))
            self.terminate()
        else:
            message = f"错误“{thrown.code}”没有被任何事件捕获。{thrown.message}"
            token.clear_incident()
            token.stop(StepFailed("UNHANDLED_ERROR_EVENT", message, {"code": thrown.code}), Step(token.at or Step.RUN))

    def throw_escalation(self, token: Token, code: str, variables: dict[str, Any]) -> bool:
        """An escalation goes to the innermost event that catches its code; nobody: it is passed to the caller or ignored."""
        catcher = self.find_catcher(token, "escalation", code)
        if catcher is not None:
            catcher.task_spec.occurred(catcher, variables, repeat=True)
        elif self.called:
            self.changes.uncaught.append(UncaughtThrow("escalation", code, "", variables))
        return catcher is not None

    def find_catcher(self, thrower: Token, kind: str, code: str) -> Token | None:
        """The waiting boundary event or event subprocess that catches a code, innermost first, an exact code before a catch-all. An event
        subprocess does not catch what it throws itself; another one of its scope does."""
        token: Token | None = thrower
        while token is not None:
            scope = token.workflow
            children = (scope.tasks[child] for child in sorted(token._children))
            catcher = _best([child for child in children if child._state == WAITING], kind, code)
            if catcher is not None:
                return catcher
            container = token.container()
            if container is not None:
                token = container
                continue
            waiting = [t for t in in_order(scope.listeners) if t._state == WAITING and t.task_spec is not token.task_spec]
            catcher = _best(waiting, kind, code)
            if catcher is not None:
                return catcher
            token = scope.owner
        return None

    # ------------------------------------------------------------------ end
    def end_with(self, element_ids: Sequence[str], known: Container[str]) -> None:
        """Note the elements that end the instance. Raises NotFound."""
        for element_id in element_ids:
            if element_id not in known:
                raise NotFound(what="元素 element", key=element_id)
        if element_ids:
            self.header_notes[LAST] = list(element_ids)

    def ends_with(self, token: Token) -> bool:
        """Was the instance started to be terminated when this element ends (Camunda 8: runtime instructions), before the next one begins?
        A multi-instance counts as a whole."""
        return self.stopping or self._is_last(token)

    def note_cancelled(self, token: Token) -> None:
        """A token is being cancelled: if the instance is to end with it, it ends with this step."""
        if self.state == "ACTIVE" and self._is_last(token):
            self.stopping = True

    def _is_last(self, token: Token) -> bool:
        last = self.header_notes.get(LAST)
        if last is None or token.task_spec.bpmn_id not in last:
            return False
        return "sign" not in token.internal_data and not token.is_loop_member()

    def finished(self) -> None:
        """The last token is gone: the instance is COMPLETED."""
        self.state = "COMPLETED"
        if self.called:
            self.changes.compensation = self.take_records()
        self.changes.result = {name: self.variables.json(name) for name in self.variables.names()}

    def terminate(self) -> None:
        """Cancel everything: the instance is TERMINATED."""
        self.completed = True
        self.cancel_all()
        self.queue.clear()
        self.stopping = False
        self.state = "TERMINATED"

    def arrive(self, token: Token) -> dict[int, Token]:
        """Let a token wait at its gateway: the tokens that wait there."""
        waiting = token.workflow.arrivals.setdefault(token.task_spec.name, {})
        waiting[token.id] = token
        token._set_state(WAITING)
        return waiting


def _best(candidates: list[Token], kind: str, code: str) -> Token | None:
    """The candidate that catches the code; one that names it wins over one that catches all."""
    found = [token for token in candidates if token.task_spec.catches(kind, code, token)]
    exact = [t for t in found if t.task_spec.trigger is not None and t.task_spec.trigger.code is not None]
    return next(iter(exact or found), None)


def _withdraw(opened: list[Any], token_id: int) -> bool:
    """Take back what was opened in this same command; False when it was opened earlier."""
    for i, item in enumerate(opened):
        if item.token_id == token_id:
            del opened[i]
            return True
    return False
