"""A player takes one project on, one act at a time, as its script says: complete an open task, report an awaited event, or wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from engine import clock
from engine.clock import CHINA
from handlers.driving.driver import Driver, Stuck
from handlers.driving.script import Rule, Script, Situation
from handlers.projects.service import Project
from handlers.tasks.service import result_of


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


class Player:
    """Plays one project. Decisions are remembered by task, so that looking twice does not draw twice."""

    def __init__(self, driver: Driver, script: Script, project: Project) -> None:
        self._driver, self._script, self.project = driver, script, project
        self._decided: dict[int, Rule] = {}
        self._since: dict[int, datetime] = {}

    def act(self) -> Act | None:
        """Do the next thing that the script lets happen now; None when everything waits. Stuck when an incident stands."""
        incidents = self._driver.incidents(self.project.id)
        if incidents:
            first = incidents[0]
            raise Stuck(reason=f"{first.process_id}/{first.element_id}：{first.kind} {first.message}")
        for task in self._driver.open_tasks(self.project.id):
            rule = self._rule(task, message="")
            if rule.claim and task.assignee is None and self._ripe(task, rule):
                return self._done(task, self._driver.claim(task), "签收")
            if not rule.hold and not rule.claim and self._ripe(task, rule):
                doer, submission = self._driver.complete(task, rule.answer, self.project)
                return self._done(task, doer, result_of(submission))
        for event in self._driver.awaited(self.project.id):
            rule = self._rule(event, message=event.message_name)
            if not rule.hold and self._ripe(event, rule):
                doer = self._driver.report(event, rule.answer, self.project)
                return Act(clock.now(), event.process_id, event.element_id, event.element_name, doer, "登记")
        return None

    def _rule(self, row: Row[Any], message: str) -> Rule:
        if row.key not in self._decided:
            today = clock.now().astimezone(CHINA).date()
            self._decided[row.key] = self._script.choose(self._situation(row, message), today)
            self._since[row.key] = clock.now()
        return self._decided[row.key]

    def _situation(self, row: Row[Any], message: str) -> Situation:
        properties: Mapping[str, str] = row.properties
        groups = [] if message else row.candidate_groups
        return Situation(
            element=row.element_id,
            form=(properties.get("formId") if message else row.form_id) or "",
            process=row.process_id,
            unit=groups[0].partition(".")[0] if groups else "",
            label=properties.get("label", ""),
            message=message,
            variables=self._driver.variables(row),
        )

    def _ripe(self, row: Row[Any], rule: Rule) -> bool:
        if not rule.wait:
            return True
        begun = self._since[row.key].astimezone(CHINA).date()
        return self._driver.calendar.count_workdays(begun, clock.now().astimezone(CHINA).date()) >= rule.wait

    @staticmethod
    def _done(task: Row[Any], doer: str, result: str) -> Act:
        return Act(clock.now(), task.process_id, task.element_id, task.name, doer, result)
