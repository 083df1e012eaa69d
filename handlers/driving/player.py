"""A player takes one project on, one act at a time, as its script says: complete an open task, report an awaited event, or wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from engine import clock
from engine.clock import CHINA
from engine.errors import Refused
from handlers.driving.driver import Driver, Stuck
from handlers.driving.script import Rule, Script, Situation
from handlers.driving.worktime import add_office_hours, after_workdays
from handlers.projects.service import Project
from handlers.tasks.service import result_of

Pace = Callable[[], float]
"""Office hours that pass before somebody turns to a task."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done: at which business time, in which flow, where, by whom, with which main answer."""

    at: datetime
    process: str
    element: str
    name: str
    actor: str
    result: str

    def as_dict(self) -> dict[str, Any]:
        """For reports: JSON-able values."""
        return {
            "at": self.at.astimezone(CHINA).isoformat(timespec="minutes"),
            "process": self.process,
            "element": self.element,
            "name": self.name,
            "actor": self.actor,
            "result": self.result,
        }


@dataclass(frozen=True, slots=True)
class _Chance:
    """An open task or awaited event that may be done from `at` on."""

    at: datetime
    row: Row[Any]
    rule: Rule
    is_event: bool


class Player:
    """Plays one project. What was drawn for a task is remembered, so that looking twice does not draw twice."""

    def __init__(self, driver: Driver, script: Script, project: Project, pace: Pace = lambda: 0.0) -> None:
        self._driver, self._script, self._pace, self.project = driver, script, pace, project
        self._drawn: dict[int, tuple[Rule, datetime]] = {}

    def next_time(self) -> datetime | None:
        """When the next act can happen; None when everything waits for something else."""
        return min((chance.at for chance in self._chances()), default=None)

    def act(self) -> Act | None:
        """Do what is due longest; None when nothing is. Stuck when an incident stands."""
        incidents = self._driver.incidents(self.project.id)
        if incidents:
            first = incidents[0]
            raise Stuck(reason=f"{first.process_id}/{first.element_id}：{first.kind} {first.message}")
        now = clock.now()
        due = [chance for chance in self._chances() if chance.at <= now]
        if not due:
            return None
        first_due = min(due, key=lambda chance: chance.at)
        return self._report(first_due) if first_due.is_event else self._work(first_due)

    def _work(self, chance: _Chance) -> Act:
        task = chance.row
        if chance.rule.claim:
            doer, result = self._driver.claim(task), "签收"
        else:
            try:
                doer, submission = self._driver.complete(task, chance.rule.answer, self.project)
            except Refused as refusal:
                return self._put_off(task, refusal)
            result = result_of(submission)
        return Act(clock.now(), task.process_id, task.element_id, task.name, doer, result)

    def _put_off(self, task: Row[Any], refusal: Refused) -> Act:
        """The law wants something else first: think again on the next working day, when it may be there, or decide otherwise."""
        del self._drawn[task.key]
        rule, _ = self._draw(task, is_event=False)
        self._drawn[task.key] = (rule, after_workdays(self._driver.calendar, clock.now(), 1))
        return Act(clock.now(), task.process_id, task.element_id, task.name, "", f"暂缓：{refusal.message()}")

    def _report(self, chance: _Chance) -> Act:
        event = chance.row
        doer = self._driver.report(event, chance.rule.answer, self.project)
        del self._drawn[event.key]  # a non-interrupting event is awaited again: that is a new occasion
        return Act(clock.now(), event.process_id, event.element_id, event.element_name, doer, "登记")

    # ------------------------------------------------------------------ what could be done
    def _chances(self) -> Iterator[_Chance]:
        for task in self._driver.open_tasks(self.project.id):
            rule, at = self._draw(task, is_event=False)
            if not rule.hold and not (rule.claim and task.assignee is not None):
                yield _Chance(at, task, rule, is_event=False)
        for event in self._driver.awaited(self.project.id):
            rule, at = self._draw(event, is_event=True)
            if not rule.hold:
                yield _Chance(at, event, rule, is_event=True)

    def _draw(self, row: Row[Any], *, is_event: bool) -> tuple[Rule, datetime]:
        if row.key not in self._drawn:
            rule = self._script.choose(self._situation(row, is_event), clock.now().astimezone(CHINA).date())
            at = after_workdays(self._driver.calendar, row.created_at, rule.wait)
            hours = self._pace()
            if hours:
                at = add_office_hours(self._driver.calendar, at, hours)
            if rule.until:
                at = max(row.created_at, datetime.fromisoformat(rule.until).replace(tzinfo=CHINA))
            self._drawn[row.key] = (rule, at)
        return self._drawn[row.key]

    def _situation(self, row: Row[Any], is_event: bool) -> Situation:
        groups = [] if is_event else row.candidate_groups
        return Situation(
            element=row.element_id,
            form=(row.properties.get("formId") if is_event else row.form_id) or "",
            process=row.process_id,
            unit=groups[0].partition(".")[0] if groups else "",
            label=row.properties.get("label", ""),
            message=row.message_name if is_event else "",
            variables=self._driver.variables(row),
        )
