"""The world of a scenario: a clock of its own, answers that the scenario gives, decisions from the tables. Nothing outside is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine import clock
from engine.bpmn import Completed, Failed, Outcome, Pending, Thrown
from engine.changes import Binding, JobOpened
from engine.dmn import DecisionModel
from engine.errors import DecisionNotFound, Said
from engine.feel import Environment as FeelEnvironment
from engine.feel import to_feel
from engine.process_tests.scenario import Answer, Given
from engine.workcalendar import WorkCalendar

ISSUE_HEADER = "document"
"""The task header by which a job says which document it issues."""
ISSUE_TYPE = "document.issue."
"""A listener has no headers: its job type ends with the document."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome of a decision that the scenario gives instead of the table."""

    value: object
    trace: list[dict[str, Any]]


class OutOfTime(Exception):
    """The scenarios have used up their time."""


@dataclass
class World:
    """engine.bpmn's Environment. `documents` and `messages`: what jobs issued and published, in order; `seen`: element id -> the
    variables its job saw the last time; `asked`: how often each answer was used; `end`: the
    CPU second of this thread at which the scenario is broken off."""

    given: Given
    decisions: Mapping[str, DecisionModel]
    calendar: WorkCalendar | None
    at: datetime
    end: float
    documents: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def check_time(self) -> None:
        """Raise OutOfTime when this thread has used up what the file may use."""
        if clock.cpu_seconds() > self.end:
            raise OutOfTime("测试文件用时太长：流程可能在没有等待点的环节之间循环，或者情形太多")

    @property
    def feel(self) -> FeelEnvironment:
        self.check_time()
        return FeelEnvironment(now=self.now, calendar=self.calendar)

    def now(self) -> datetime:
        return self.at

    def decide(
        self, decision_id: str, binding: Binding, version_tag: str | None, context: Mapping[str, object]
    ) -> tuple[Decided | Any, int | None]:
        """The value that the scenario gives for the decision, else the table's."""
        if decision_id in self.given.decisions:
            return Decided(to_feel(self.given.decisions[decision_id]), []), None
        model = self.decisions.get(decision_id)
        if model is None:
            reason = Said("没有这个决策，也没有在情形中给出", "there is none, and the scenario gives no value for it")
            raise DecisionNotFound(decision=decision_id, reason=reason)
        return model.evaluate(decision_id, context, self.feel), None

    def perform(self, job: JobOpened) -> Outcome:
        """The scenario's answer for the element or the job type; without one the job is done and returns nothing."""
        self.seen[job.element_id] = job.variables
        answer = self.answer(self.given.jobs, job.element_id, job.type)
        if answer is not None and answer.wait:
            return Pending()
        if answer is not None and answer.error is not None:
            return Thrown(answer.error, answer.message, answer.variables)
        if answer is not None and answer.message:
            return Failed(answer.message)
        self._note(job)
        return Completed({} if answer is None else answer.variables)

    def caught_by_caller(self, code: str) -> bool:
        """A scenario is of one process: nobody calls it."""
        return False

    def answer(self, answers: Mapping[str, list[Answer]], *names: str) -> Answer | None:
        """The next answer for the first of the names that has one."""
        for name in names:
            if name in answers:
                turn = self.asked.get(name, 0)
                self.asked[name] = turn + 1
                return answers[name][min(turn, len(answers[name]) - 1)]
        return None

    def _note(self, job: JobOpened) -> None:
        if job.headers.get(ISSUE_HEADER):
            self.documents.append(job.headers[ISSUE_HEADER])
        elif job.type.startswith(ISSUE_TYPE):
            self.documents.append(job.type.removeprefix(ISSUE_TYPE))
        if job.type == "publish_message":
            self.messages.append(str(job.variables.get("messageName")))
