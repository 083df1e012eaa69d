"""A driver acts for the people of the directory: each task by somebody whom policy allows, by the real commands.

Used by the demo, the simulation and tests; it decides nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import Engine, clock, commands, policy
from engine.clock import CHINA
from engine.errors import Conflict, FormInvalid
from engine.policy import SYSTEM, Actor
from engine.settings import ROOT
from engine.store import models as m
from engine.store import reads
from engine.views import visible_variables
from handlers.directory import service as directory
from handlers.driving.answers import EXAMPLES, answer, fitted, merged
from handlers.lights import calendar_of
from handlers.policies import service as policies
from handlers.projects import service as projects

OFFICERS = frozenset({"officers", "checkers"})
"""Lists of the people who looked: the first row is whoever fills in the form."""


class Stuck(Conflict):
    """项目走不下去了：{reason}

    The project is stuck: {reason}
    """

    code = "stuck"


class Driver:
    """Acts for the people of the directory on one engine. Every method is one or a few commands, each in its own unit of work."""

    def __init__(self, engine: Engine, examples: Path = EXAMPLES) -> None:
        """`examples`: the folder of the forms' example answers; a database of an older version has older forms."""
        self.engine, self._examples = engine, examples
        self._actors: dict[str, Actor] = {}
        with engine.reading() as session:
            self.calendar = calendar_of(session)

    def actor(self, username: str) -> Actor:
        """The Actor of a user name, remembered: people do not change while a driver runs."""
        if username not in self._actors:
            with self.engine.reading() as session:
                self._actors[username] = directory.actor_named(session, username)
        return self._actors[username]

    # ------------------------------------------------------------------ time
    def move_to(self, moment: datetime) -> int:
        """Move the business clock and fire what is due on the way, timer by timer, as if the time had passed -> timers fired."""
        total = 0
        while (due := self.engine.next_due()) is not None and due <= moment:
            self._set_clock(max(due, clock.now()))
            fired = self.engine.run_due()
            total += fired
            if not fired:
                break
        self._set_clock(moment)
        return total + self.engine.run_due()

    def _set_clock(self, moment: datetime) -> None:
        with self.engine.unit_of_work() as session:
            commands.move_clock(session, SYSTEM, to=moment, driven=True)

    # ------------------------------------------------------------------ looking
    def open_tasks(self, project_id: int) -> Sequence[Row[Any]]:
        """The open user tasks of a project, oldest first."""
        statement = select(m.user_task).where(m.user_task.c.business_id == str(project_id), m.user_task.c.state == "CREATED")
        with self.engine.reading() as session:
            return session.execute(statement.order_by(m.user_task.c.created_at, m.user_task.c.key)).all()

    def awaited(self, project_id: int) -> Sequence[Row[Any]]:
        """The outside events that the project's flows wait for."""
        with self.engine.reading() as session:
            rows = reads.subscriptions_of_business(session, str(project_id))
        return [row for row in rows if row.properties.get("outsideEvent") == "true"]

    def incidents(self, project_id: int) -> Sequence[Row[Any]]:
        """The unresolved incidents of a project."""
        with self.engine.reading() as session:
            return reads.incidents(session, business_id=str(project_id))

    def variables(self, task: Row[Any]) -> dict[str, Any]:
        """What a task (or awaited event) sees."""
        with self.engine.reading() as session:
            return visible_variables(session, task.key)

    def live_flows(self, project_id: int) -> list[str]:
        """Process ids of the project's live root instances."""
        with self.engine.reading() as session:
            rows = reads.instances_of_business(session, str(project_id))
        return [row.process_id for row in rows if row.state == "ACTIVE" and row.parent_key is None]

    # ------------------------------------------------------------------ acting
    def register(self, username: str, data: Mapping[str, Any], on_behalf_of: str | None = None) -> projects.Project:
        """Register a project with the registration form's answers."""
        actor = self.actor(username)
        with self.engine.unit_of_work() as session:
            return projects.register_project(session, actor, data, on_behalf_of)

    def doer(self, task: Row[Any]) -> str:
        """Somebody who may do the task; Stuck with the reason when nobody may."""
        with self.engine.reading() as session:
            facts = reads.task_facts(session, task)
            names = [task.assignee] if task.assignee else self._candidates(session, task)
        refusals = []
        for name in names:
            refusal = policy.refusal(self.actor(name), "complete", facts)
            if refusal is None:
                return name
            refusals.append(f"{name}：{refusal}")
        raise Stuck(reason=f"没有人可以办理“{task.name}”（{'；'.join(refusals) or '候选组没有人'}）")

    def _candidates(self, session: Session, task: Row[Any]) -> list[str]:
        found = list(task.candidate_users)
        for group in task.candidate_groups:
            found += [user.username for user in directory.users_in_group(session, group)]
        return found

    def claim(self, task: Row[Any]) -> str:
        """Claim a task for somebody who may do it -> the user name."""
        name = self.doer(task)
        if task.assignee is None:
            with self.engine.unit_of_work() as session:
                commands.claim_task(session, self.actor(name), task.key)
        return name

    def complete(self, task: Row[Any], over: Mapping[str, Any], project: projects.Project) -> tuple[str, dict[str, Any]]:
        """Claim and complete a task with its form's example answer and `over` on top -> (user name, what was submitted)."""
        name = self.claim(task)
        variables = self.variables(task)
        prefilled = {"review": {"unit": variables.get("unit")}} if task.form_id == "joint_review_opinion" else {}
        submission = self._submission(task.form_id, merged(prefilled, over), project, variables)
        submission = _signed(submission, self.actor(name).display_name)
        try:
            with self.engine.unit_of_work() as session:
                commands.complete_task(session, self.actor(name), task.key, submission)
        except FormInvalid as error:
            raise Stuck(reason=f"表单 {task.form_id}（{task.element_id}）不接受：{error.errors}") from error
        return name, submission

    def report(self, event: Row[Any], over: Mapping[str, Any], project: projects.Project) -> str:
        """Report an outside event for the project's applicant, or for the first group that may -> the user name."""
        groups = [g.strip() for g in event.properties.get("groups", "").split(",")]
        name = project.applicant
        if "applicant" not in groups:
            with self.engine.reading() as session:
                name = next(user.username for group in groups for user in directory.users_in_group(session, group))
        submission = self._submission(event.properties.get("formId"), over, project, self.variables(event))
        try:
            with self.engine.unit_of_work() as session:
                commands.correlate_subscription(session, self.actor(name), event.key, submission)
        except FormInvalid as error:
            raise Stuck(reason=f"表单 {event.properties.get('formId')} 不接受：{error.errors}") from error
        return name

    def _submission(
        self, form_id: str | None, over: Mapping[str, Any], project: projects.Project, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        if not form_id:
            return dict(over)
        today = clock.now().astimezone(CHINA).date()
        example = answer(form_id, today=today, company=project.organisation, code=project.organisation_code, folder=self._examples)
        return merged(merged(example, fitted(form_id, variables)), over)


def _signed(submission: dict[str, Any], name: str) -> dict[str, Any]:
    """The submission with the doer's own name as the first officer."""
    for part in submission.values():
        for field in OFFICERS & part.keys() if isinstance(part, dict) else ():
            rows = part[field]
            if rows and isinstance(rows[0], dict) and name not in {row.get("name") for row in rows[1:]}:
                rows[0]["name"] = name
    return submission


def own_files() -> list[tuple[str, bytes]]:
    """The diagrams, decisions and forms that come with the program."""
    folders = (ROOT / "processes", ROOT / "forms")
    suffixes = {".bpmn", ".dmn", ".form"}
    return [(path.name, path.read_bytes()) for folder in folders for path in sorted(folder.iterdir()) if path.suffix in suffixes]


def deploy_everything(engine: Engine) -> None:
    """Bring the units into the directory and deploy what comes with the program; unchanged files make no new version."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
        policies.bring_in(session)
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, own_files(), name="lianban")
