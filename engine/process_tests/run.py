"""Runs scenarios on the kernel in memory: no database, no handler, no waiting. What goes wrong is told in sentences, never raised."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine import clock
from engine.bpmn import Instance, ProcessModel
from engine.changes import CallStarted, Changes, IncidentRaised, SubscriptionOpened, UncaughtThrow, UserTaskOpened
from engine.clock import CHINA
from engine.dmn import DecisionModel
from engine.errors import FormInvalid, LianbanError
from engine.feel import compile_expression, to_json
from engine.forms import validate_submission
from engine.process_tests.coverage import Coverage
from engine.process_tests.expect import shortfalls
from engine.process_tests.scenario import FIRST, LAST, Answer, Scenario, Step
from engine.process_tests.world import OutOfTime, World
from engine.workcalendar import WorkCalendar

Json = dict[str, Any]
CPU_SECONDS = 300.0
"""Of all scenarios of a file; two hundred take five."""
WORKDAYS = re.compile(r"([0-9]{1,5}) *workdays")
OUT_OF_RANGE = f"时钟只能在 {FIRST.year} 年到 {LAST.year} 年之间"
MAX_TIMERS = 1_000
"""Timers that one move of the clock may fire: a cycle of seconds over a year is a mistake of the scenario."""
CONTAINERS = frozenset({"subProcess", "transaction", "adHocSubProcess"})
"""These count when they are entered, so that they stand before what is in them; everything else counts when it is completed."""
THROWN = frozenset({"error", "cancel"})
"""End events of these kinds end together with the scope that they leave: they are terminated, not completed."""


@dataclass(frozen=True, slots=True)
class Library:
    """What a process may need beside itself. `forms`: form id -> schema; `examples`: form id -> a submission that is complete."""

    decisions: Mapping[str, DecisionModel] = field(default_factory=dict)
    forms: Mapping[str, Json] = field(default_factory=dict)
    examples: Mapping[str, Json] = field(default_factory=dict)
    calendar: WorkCalendar | None = None


@dataclass
class Outcome:
    """How one scenario went. `failures`: Chinese sentences, empty when all is as it should be. `trail`: elements gone through, in order."""

    name: str
    failures: list[str] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    state: str = ""

    @property
    def ok(self) -> bool:
        return not self.failures


@dataclass
class Report:
    """All scenarios of a file and the coverage they reach together."""

    outcomes: list[Outcome]
    coverage: Coverage

    @property
    def ok(self) -> bool:
        return all(outcome.ok for outcome in self.outcomes)


def run_scenarios(model: ProcessModel, scenarios: Sequence[Scenario], library: Library, *, cpu_seconds: float = CPU_SECONDS) -> Report:
    """Run every scenario from its own beginning; those that are left when `cpu_seconds` of this thread are used up fail."""
    coverage, end = Coverage(model), clock.cpu_seconds() + cpu_seconds
    return Report([_Run(model, scenario, library, coverage, end).outcome() for scenario in scenarios], coverage)


class StepFailed(Exception):
    """A step of the scenario could not be done; the message says why."""


class _Run:
    """One scenario."""

    def __init__(self, model: ProcessModel, scenario: Scenario, library: Library, coverage: Coverage, end: float) -> None:
        self.model, self.scenario, self.library, self.coverage = model, scenario, library, coverage
        self.world = World(scenario.given, library.decisions, library.calendar, scenario.given.now, end)
        self.result = Outcome(scenario.name)
        self.tasks: dict[int, UserTaskOpened] = {}
        self.subscriptions: dict[int, SubscriptionOpened] = {}
        self.jobs: dict[int, str] = {}
        self.calls: dict[int, CallStarted] = {}
        self.incidents: dict[int, IncidentRaised] = {}
        self.given_to_calls: dict[str, Json] = {}
        self.instance: Instance | None = None

    def outcome(self) -> Outcome:
        """Do the steps, compare, tell."""
        given = self.scenario.given
        try:
            self.instance = Instance.start(self.model, given.variables, self.world, start_element=given.start or self.only_start())
            self.follow()
            for number, step in enumerate(self.scenario.steps, 1):
                self.step(number, step)
            self.result.failures += shortfalls(self)
        except (StepFailed, OutOfTime) as failure:
            self.result.failures.append(str(failure))
        except LianbanError as error:
            self.result.failures.append(error.message())
        if self.instance is not None:
            self.result.state = self.instance.state
        return self.result

    def only_start(self) -> str | None:
        """The start event when there is but one and it is not a none start event."""
        return next(iter(self.model.start_elements)) if not self.model.has_none_start and len(self.model.start_elements) == 1 else None

    def live(self) -> Instance:
        """The instance; it was started before any step."""
        if self.instance is None:
            raise StepFailed("流程没有启动")
        return self.instance

    # ------------------------------------------------------------------ steps
    def step(self, number: int, step: Step) -> None:
        (kind, value) = step.happenings()[0]
        try:
            getattr(self, f"do_{kind}")(step, value)
        except StepFailed as failure:
            raise StepFailed(f"第 {number} 步 {kind} {value}：{failure}") from failure
        except FormInvalid as error:
            texts = "；".join(f"{path} {'、'.join(messages)}" for path, messages in error.errors.items())
            raise StepFailed(f"第 {number} 步 {kind} {value}：表单填写有误：{texts}") from error
        except LianbanError as error:
            raise StepFailed(f"第 {number} 步 {kind} {value}：{error.message()}") from error
        self.follow()

    def do_complete(self, step: Step, element_id: str) -> None:
        matching = [token for token, task in sorted(self.tasks.items()) if task.element_id == element_id and self.fits(token, step.where)]
        if not matching:
            raise StepFailed(f"没有待办的任务（现在等待：{self.waiting_text()}）")
        for token in matching if step.every else matching[:1]:
            if token in self.tasks:
                form_id = self.tasks[token].form_id
                self.live().complete_user_task(token, self.submission(token, form_id, step.with_))
                self.follow()

    def do_job(self, step: Step, element_id: str) -> None:
        token = self.find(self.jobs, element_id, "没有未完成的作业")
        if step.error is not None:
            self.live().throw_error(token, step.error, "", step.with_)
        else:
            self.live().complete_job(token, step.with_)

    def do_call(self, step: Step, element_id: str) -> None:
        token = self.find({t: c.element_id for t, c in self.calls.items()}, element_id, "没有打开的调用")
        self.end_call(token, Answer(variables=step.with_, error=step.error))

    def do_message(self, step: Step, name: str) -> None:
        token = self.find({t: s.message_name for t, s in self.subscriptions.items()}, name, "没有人在等这个消息")
        form_id = self.subscriptions[token].properties.get("formId")
        self.live().correlate(token, self.submission(token, form_id, step.with_))

    def do_signal(self, step: Step, name: str) -> None:
        if self.live().signal(name, step.with_) == 0:
            raise StepFailed("没有人在等这个信号")

    def do_retry(self, step: Step, element_id: str) -> None:
        token = self.find({t: i.element_id for t, i in self.incidents.items()}, element_id, "没有异常")
        self.live().set_variables(step.with_)
        self.live().retry(token)

    def do_clock(self, _step: Step, text: str) -> None:
        """The clock goes from one due timer to the next until it is where it should be."""
        until = self.moment(text)
        for _ in range(MAX_TIMERS):
            due = self.live().next_due_at
            if due is None or due > until or self.live().state != "ACTIVE":
                self.world.at = until
                return
            self.world.at = max(self.world.at, due.astimezone(CHINA))
            self.live().fire_due(self.world.at)
            self.follow()
        raise StepFailed(f"时钟走这一步触发了 {MAX_TIMERS} 次以上的定时器")

    def moment(self, text: str) -> Any:
        workdays = WORKDAYS.fullmatch(text)
        if workdays is not None:
            if self.library.calendar is None:
                raise StepFailed("没有工作日历")
            day = self.library.calendar.add_workdays(self.world.at.date(), int(workdays[1]))
            return self.world.at + timedelta(days=(day - self.world.at.date()).days)
        source = f'now() + duration("{text}")' if text.startswith(("P", "-P")) else f'date and time("{text}")'
        moment = compile_expression(source).evaluate({}, self.world.feel)
        if moment is None:
            raise StepFailed("既不是时长（P5D、5 workdays），也不是时刻（2022-06-01T09:00:00+08:00）")
        try:
            found = moment.to_python()
        except ValueError as error:  # a year that Python does not know
            raise StepFailed(OUT_OF_RANGE) from error
        found = found if found.tzinfo else found.replace(tzinfo=CHINA)
        if not FIRST <= found <= LAST:
            raise StepFailed(OUT_OF_RANGE)
        return found

    def submission(self, token: int, form_id: str | None, typed: Json) -> Json:
        """What the form makes of the example with the typed values over it; without a form the typed values."""
        if form_id is None or form_id not in self.library.forms:
            return typed
        filled = _overlay(self.library.examples.get(form_id, {}), typed)
        return validate_submission(self.library.forms[form_id], filled, self.live().variables(token), self.world.feel)

    # ------------------------------------------------------------------ following
    def follow(self) -> None:
        """Take what changed, until calls that are answered at once have nothing more to do."""
        while True:
            self.world.check_time()  # a loop through called processes waits for nobody
            changes = self.live().take_changes()
            self.note(changes)
            answers = [(call, self.world.answer(self.scenario.given.calls, call.element_id, call.process_id)) for call in changes.calls]
            for call, answer in answers:
                if call.token_id in self.calls and not (answer is not None and answer.wait):
                    self.end_call(call.token_id, answer or Answer())
            if not any(answer is None or not answer.wait for _call, answer in answers):
                return

    def end_call(self, token: int, answer: Answer) -> None:
        del self.calls[token]
        if answer.error is not None:
            self.live().call_failed(token, UncaughtThrow("error", answer.error, answer.message, answer.variables))
        else:
            self.live().call_completed(token, answer.variables)

    def note(self, changes: Changes) -> None:
        for event in changes.history:
            if event.kind == "entered" and event.flow_id is not None:
                self.coverage.visit(event.flow_id)
            if event.kind == self.counts_when(event.element_id):
                self.result.trail.append(event.element_id)
                self.coverage.visit(event.element_id)
        self.tasks |= {task.token_id: task for task in changes.user_tasks}
        self.subscriptions |= {opened.token_id: opened for opened in changes.subscriptions}
        self.jobs |= {job.token_id: job.element_id for job in changes.jobs}
        self.calls |= {call.token_id: call for call in changes.calls}
        self.given_to_calls |= {call.element_id: call.variables for call in changes.calls}
        self.incidents |= {incident.token_id: incident for incident in changes.incidents}
        for token in [closed.token_id for closed in changes.closed_user_tasks]:
            self.tasks.pop(token, None)
        for open_ones, closed in (
            (self.subscriptions, changes.closed_subscriptions),
            (self.jobs, changes.closed_jobs),
            (self.incidents, changes.resolved_incidents),
            (self.calls, changes.cancelled_calls),
        ):
            for token in closed:
                open_ones.pop(token, None)

    def counts_when(self, element_id: str) -> str:
        """The kind of history line by which an element counts as gone through."""
        element = self.model.elements[element_id]
        if element.kind in CONTAINERS:
            return "entered"
        return "terminated" if element.kind == "endEvent" and element.trigger in THROWN else "completed"

    # ------------------------------------------------------------------ looking
    def find(self, open_ones: Mapping[int, str], wanted: str, otherwise: str) -> int:
        for token, name in sorted(open_ones.items()):
            if name == wanted:
                return token
        raise StepFailed(f"{otherwise}（现在等待：{self.waiting_text()}）")

    def fits(self, token: int, where: Json) -> bool:
        visible = self.live().variables(token)
        return all(to_json(compile_expression(path).evaluate(visible)) == value for path, value in where.items())

    def waiting(self) -> list[str]:
        """Element ids of everything that waits for somebody outside."""
        calls = {token: call.element_id for token, call in self.calls.items()}
        catches = {token: s.element_id for token, s in self.subscriptions.items()}
        tasks = {token: task.element_id for token, task in self.tasks.items()}
        return sorted({*tasks.values(), *self.jobs.values(), *calls.values(), *catches.values()})

    def waiting_text(self) -> str:
        failed = [f"{i.element_id} 异常：{i.message}" for i in self.incidents.values()]
        return "、".join([*self.waiting(), *failed]) or "无"


def _overlay(below: Any, above: Any) -> Any:
    """`above` laid over `below`: objects key by key, everything else replaced."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {
        key: _overlay(below[key], above[key]) if key in below and key in above else above.get(key, below.get(key)) for key in below | above
    }
