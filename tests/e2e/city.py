"""A small city for browser tests: the real diagrams, decisions and forms, a few people per department, one project in joint review.

Everything is done by the real commands, as the people themselves would; nothing is written into tables by hand.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import Engine, commands, policy
from engine.clock import CHINA
from engine.commands.messages import insert_message
from engine.policy import SYSTEM, Actor
from engine.settings import ROOT
from engine.store import reads
from handlers.directory import service as directory
from handlers.projects import service as projects

APPLICANT = "school"
MORNING = datetime(2022, 8, 1, 10, 30, tzinfo=CHINA)
EXAMPLES = ROOT / "forms" / "examples"
STAFF = ("ZRZYJ", "ZJJ", "RFB", "CGJ", "JTYSJ", "SLJ", "JYJ", "GSGS", "GDGS", "RQGS", "RLGS", "TXGS", "FGW")
OFFICES = {"XZSPJ": ("window", "issue_window", "tf_convener"), "ZRZYJ": ("verifier", "signer", "handler"), "FGW": ("verifier", "signer")}


def example(form_id: str) -> dict[str, Any]:
    """A valid answer to a form, from the examples beside the forms."""
    answer: dict[str, Any] = json.loads((EXAMPLES / f"{form_id}.json").read_text(encoding="utf-8"))
    return answer


def found_city(engine: Engine) -> None:
    """Units, people (`zjj` is 住建局's handler, `zrzyj2` a second person of 自然资源局) and the deployed content."""
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, to=MORNING)
        directory.import_units(session)
        for unit in STAFF:
            directory.create_demo_user(session, unit.lower(), f"{unit} 经办", "staff", [(unit, "handler")])
        for unit, roles in OFFICES.items():
            for role in roles:
                directory.create_demo_user(session, f"{unit.lower()}_{role}", f"{unit} {role}", "staff", [(unit, role)])
        directory.create_demo_user(session, "zrzyj2", "ZRZYJ 经办二", "staff", [("ZRZYJ", "handler")])
        directory.create_demo_user(session, APPLICANT, "刘敏", "investor", organisation="昌吉市教育局")
        commands.deploy(session, SYSTEM, own_files(), name="lianban")


def own_files() -> list[tuple[str, bytes]]:
    """The diagrams, decisions and forms that come with the program."""
    paths = [*(ROOT / "processes").glob("*.bpmn"), *(ROOT / "processes").glob("*.dmn"), *(ROOT / "forms").glob("*.form")]
    return [(path.name, path.read_bytes()) for path in sorted(paths)]


def actor(session: Session, username: str) -> Actor:
    return directory.actor_named(session, username)


def start_planning_permit(engine: Engine) -> str:
    """Register the school and start its planning permit -> the project's id. The other items of its life cycle are left alone."""
    with engine.unit_of_work() as session:
        project = projects.register_project(session, actor(session, APPLICANT), example("project_registration"))
        variables = {
            "projectId": str(project.id),
            "project": project.data,
            "applicant": APPLICANT,
            "variant": 1,
        }
        name = "start_planning_permit"
        insert_message(session, SYSTEM, "message", name, str(project.id), variables, business_id=str(project.id), owner=APPLICANT)
    return str(project.id)


def open_tasks(engine: Engine, project_id: str, process_id: str = "") -> list[Any]:
    """The project's open tasks, oldest first."""
    with engine.reading() as session:
        tasks = reads.tasks_of_business(session, project_id)
    return [task for task in tasks if task.state == "CREATED" and (not process_id or task.process_id == process_id)]


def complete(engine: Engine, task: Any, submission: dict[str, Any] | None = None) -> str:
    """Complete a task as the first person whom policy allows, with the form's example -> who did it."""
    with engine.unit_of_work() as session:
        facts = reads.task_facts(session, reads.get_task(session, task.key))
        for user in directory.users(session):
            who = directory.actor_for(session, user)
            if policy.refusal(who, "complete", facts) is None:
                commands.claim_task(session, who, task.key)
                commands.complete_task(session, who, task.key, submission or example(task.form_id))
                return user.username
    raise AssertionError(f"nobody may complete {task.element_id}")


def bring_to_joint_review(engine: Engine) -> str:
    """A project whose planning permit stands in 联合审查 with every department's task open -> the project's id."""
    project_id = start_planning_permit(engine)
    for _ in range(20):
        if any(task.element_id == "mi_review" for task in open_tasks(engine, project_id)):
            return project_id
        for task in open_tasks(engine, project_id):
            if task.process_id in {"planning_permit", "item_intake"}:
                complete(engine, task)
    raise AssertionError("the joint review was not reached")


def found_city_in_review(engine: Engine) -> str:
    """Both: the city, and a project in joint review -> the project's id."""
    found_city(engine)
    return bring_to_joint_review(engine)
