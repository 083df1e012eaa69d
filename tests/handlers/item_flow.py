"""One item from receipt to service by the real diagrams, for scenario tests: who does what is the driver's, when is the test's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from engine import clock, commands
from engine.clock import CHINA
from engine.policy import SYSTEM
from engine.store import reads
from handlers.cases import service as cases
from handlers.clock import service as clocks
from handlers.documents import service as documents
from handlers.licences import service as licences
from handlers.preconditions import service as preconditions
from handlers.projects.service import Project
from tests.handlers.conftest import WINDOW, Office


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


APPLICATION = {"zjcn": True, "zljd": {"zlcs": "样板引路"}, "aqjd": {"aqcs": "专职安全员"}}
"""What the application of 施工许可 declares; other items do not read it."""


def hold_preconditions(office: Office, project: Project, code: str) -> None:
    """Enter the results that a decision on the item asks for as issued before, so that the test is about the item alone."""
    needed = [preconditions.needs()[edge.needs] for edge in preconditions.edges().get(code, ()) if edge.when == "decide"]
    with office.engine.unit_of_work() as session:
        for item in {need.items[0] for need in needed if need.items}:
            on = clock.now().astimezone(CHINA).date()
            licences.enter_existing(session, office.actor(WINDOW), project.id, item, f"{item}-{project.id}", on)


class Item:
    """A case of one item of a new project; its root is the diagram `item_handling`."""

    def __init__(
        self,
        office: Office,
        code: str = "ZR06",
        unit: str = "ZRZYJ",
        received: str = "2022-05-11T10:30",
        *,
        prepared: bool = True,
        **fields: Any,
    ) -> None:
        self.office, self.code, self.unit = office, code, unit
        office.driver.move_to(at("2022-05-09T10:00"))
        self.project: Project = office.register(**fields)
        office.driver.move_to(at(received))
        variables = {
            "itemCode": code,
            "unit": unit,
            "projectId": str(self.project.id),
            "project": self.project.data,
            "applicant": self.project.applicant,
            "application": APPLICATION,
        }
        if prepared:
            self.hold()
        with office.engine.unit_of_work() as session:
            self.root = commands.start_instance(
                session, SYSTEM, "item_handling", variables, business_id=str(self.project.id), owner=self.project.applicant
            )

    # ------------------------------------------------------------------ acting
    def hold(self) -> None:
        """Enter what the decision asks for as issued before."""
        hold_preconditions(self.office, self.project, self.code)

    def on(self, moment: str) -> Item:
        """Let time pass; timers fire on the way."""
        self.office.driver.move_to(at(moment))
        return self

    def task(self, element: str) -> Row[Any]:
        (found,) = [task for task in self.tasks() if task.element_id == element]
        return found

    def do(self, element: str, answer: Mapping[str, Any] | None = None) -> str:
        """Complete the one open task of an element with its form's example and `answer` on top -> who did it."""
        return self.office.driver.complete(self.task(element), answer or {}, self.project)[0]

    def report(self, message: str, answer: Mapping[str, Any] | None = None) -> str:
        (event,) = [row for row in self.awaited() if row.message_name == message]
        return self.office.driver.report(event, answer or {}, self.project)

    def accept(self, **intake: object) -> Item:
        self.do("t_check", {"intake": {"accept_result": "受理", **intake}})
        return self

    def claim(self) -> Item:
        self.do("t_claim")
        return self

    def review(self, opinion: str = "拟准予", **more: object) -> Item:
        self.do("t_review", {"opinion": {"opinion": opinion, **more}})
        return self

    def decide(self, decision: str = "准予", **more: object) -> Item:
        self.do("t_verify")
        self.do("t_sign", {"decision": {"decision": decision, **more}})
        return self

    # ------------------------------------------------------------------ looking
    def tasks(self) -> list[Row[Any]]:
        return [task for task in self.office.driver.open_tasks(self.project.id) if task.root_key == self.root]

    def open(self) -> set[str]:
        return {task.element_id for task in self.tasks()}

    def awaited(self) -> list[Row[Any]]:
        return [row for row in self.office.driver.awaited(self.project.id) if row.root_key == self.root]

    def case(self) -> cases.Case:
        with self.office.engine.reading() as session:
            (found,) = cases.cases_of_root(session, self.root)
        return found

    def statuses(self) -> list[int]:
        with self.office.engine.reading() as session:
            return [event.status for event in cases.case_history(session, self.case().id)]

    def clock(self) -> clocks.CaseClock:
        with self.office.engine.reading() as session:
            from engine import clock  # the business clock is set by the session just opened

            return clocks.clock_of(session, self.case().id, clock.now())

    def documents(self) -> list[str]:
        """The kinds of the case's documents, oldest first."""
        with self.office.engine.reading() as session:
            found = documents.documents_of(session, self.project.id)
        return [document.kind for document in reversed(found) if document.case_id == self.case().id]

    def next_due(self) -> datetime | None:
        """When the next timer of this root is due."""
        with self.office.engine.reading() as session:
            rows = reads.instances_of_business(session, str(self.project.id))
        return min((row.next_due_at for row in rows if row.root_key == self.root and row.next_due_at is not None), default=None)

    def state(self) -> str:
        with self.office.engine.reading() as session:
            return str(reads.instance(session, self.root).state)

    def incidents(self) -> list[str]:
        return [row.message for row in self.office.driver.incidents(self.project.id)]
