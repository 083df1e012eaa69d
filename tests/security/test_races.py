"""Two people (or two clicks) at the same moment: one of them is done, the other is told so; on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from html import unescape
from threading import Barrier
from typing import Any

from sqlalchemy.orm import Session

from engine import clock, commands
from engine.errors import LianbanError
from engine.store import reads
from handlers.board import service as boards
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.filing import service as filing
from handlers.guide import service as guide
from handlers.licences import service as licences
from handlers.numbering import check_digit
from handlers.projects.models import ProjectRow
from tests.e2e import city
from tests.webapp.conftest import Town


def _together(town: Town, *acts: Callable[[Session], Any]) -> list[str]:
    """Run each act in a thread and a unit of work of its own, all starting together -> "done" or the refusal's code, sorted."""
    start = Barrier(len(acts))

    def run(act: Callable[[Session], Any]) -> str:
        start.wait(timeout=30)
        try:
            with town.engine.unit_of_work() as session:
                act(session)
        except LianbanError as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(run, acts))


def _review(town: Town, unit: str) -> int:
    tasks = city.open_tasks(town.engine, str(town.project))
    return next(int(task.key) for task in tasks if f"{unit}.handler" in task.candidate_groups)


def _complete(username: str, task: int) -> Callable[[Session], Any]:
    answer = city.example("joint_review_opinion")
    return lambda session: commands.complete_task(session, city.actor(session, username), task, answer)


def _claim(username: str, task: int) -> Callable[[Session], Any]:
    return lambda session: commands.claim_task(session, city.actor(session, username), task)


def _trail(town: Town, task: int, action: str) -> int:
    with town.engine.reading() as session:
        return sum(row.task_key == task and row.action == action for row in reads.audit_of_business(session, str(town.project)))


def test_one_task_submitted_four_times_counts_once(town: Town) -> None:
    task = _review(town, "JTYSJ")
    assert _together(town, *[_complete("jtysj", task)] * 4) == ["conflict"] * 3 + ["done"]
    assert _trail(town, task, "task.completed") == 1


def test_two_colleagues_claim_one_task(town: Town) -> None:
    task = _review(town, "ZRZYJ")
    assert _together(town, _claim("zrzyj", task), _claim("zrzyj2", task)) == ["done", "forbidden"]
    assert _trail(town, task, "task.claimed") == 1


def test_claiming_while_it_is_completed(town: Town) -> None:
    task = _review(town, "CGJ")
    outcome = _together(town, _complete("cgj", task), _claim("cgj", task))
    assert outcome in (["done", "done"], ["conflict", "done"]), "claimed and then completed, or completed and no more to be claimed"
    assert _trail(town, task, "task.completed") == 1


def test_two_registrations_with_one_code_are_one_project(town: Town) -> None:
    data = city.example("project_registration")
    data["project"]["xmdm"] = f"2208-652301-04-01-12345{check_digit('2208652301040112345')}"
    start = Barrier(2)

    def register(_number: int) -> int:
        client = town.visit(city.APPLICANT)
        start.wait(timeout=30)
        return client.post("/projects/new", json={"data": data}, headers={"Accept": "application/json"}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(register, range(2))) == [200, 409]
    with town.engine.reading() as session:
        assert session.query(ProjectRow).filter_by(code=data["project"]["xmdm"]).count() == 1


def test_a_double_click_applies_for_an_item_once(town: Town) -> None:
    project = town.register()
    with town.engine.reading() as session:
        item = filing.offered(session, city.actor(session, city.APPLICANT), project)[0].code

    def apply(session: Session) -> None:
        filing.file_item(session, city.actor(session, city.APPLICANT), project, item)

    assert _together(town, apply, apply, apply).count("done") == 1
    with town.engine.reading() as session:
        running = [row for row in reads.instances_of_business(session, str(project)) if row.process_id == filing.FLOW]
    assert len(running) == 1


def test_a_double_click_enters_a_licence_once(town: Town) -> None:
    project = town.register()
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "counter") is None:
            directory.create_demo_user(session, "counter", "综合窗口", "staff", [("XZSPJ", "window")])

    def enter(session: Session) -> None:
        licences.enter_existing(session, city.actor(session, "counter"), project, "FG01", "昌发改〔2021〕1号", date(2021, 5, 1))

    assert _together(town, enter, enter, enter).count("done") == 1
    with town.engine.reading() as session:
        assert len(licences.licences_of(session, project)) == 1


def test_a_double_click_registers_one_project(town: Town) -> None:
    client = town.visit(city.APPLICANT)
    found = re.search(r'data-submit-url="([^"]+)"', client.get("/projects/new").get_data(as_text=True))
    assert found is not None
    address, start = unescape(found[1]), Barrier(3)

    def register(data: dict[str, Any]) -> str:
        visitor = town.visit(city.APPLICANT)
        start.wait(timeout=30)
        return str(visitor.post(address, json={"data": data}, headers={"Accept": "application/json"}).get_json()["next"])

    data = city.example("project_registration")
    data["project"]["xmdm"] = ""
    other = data | {"project": data["project"] | {"xmmc": "另一个项目"}}
    with ThreadPoolExecutor(3) as pool:
        first, second, third = pool.map(register, [data, data, other])
    assert first == second != third, "the same page with other answers is another project"


def test_a_double_click_issues_one_notice(town: Town) -> None:
    project = town.register()

    def issue(session: Session) -> None:
        who = city.actor(session, city.APPLICANT)
        guide.issue(session, who, project, _all_answered(guide.project_facts(session, who, project)))

    assert _together(town, issue, issue, issue) == ["done"] * 3
    with town.engine.reading() as session:
        assert [one.kind for one in documents.documents_of(session, project)] == ["W02"]


def test_a_notice_with_other_answers_is_another_one(town: Town) -> None:
    project = town.register()
    with town.engine.unit_of_work() as session:
        who = city.actor(session, city.APPLICANT)
        known = guide.project_facts(session, who, project)
        first = guide.issue(session, who, project, _all_answered(known))
        assert guide.issue(session, who, project, _all_answered(known)).id == first.id
        assert guide.issue(session, who, project, _all_answered(known, last=True)).id != first.id


def _all_answered(facts: dict[str, Any], *, last: bool = False) -> dict[str, Any]:
    while (question := guide.next_question(facts)) is not None:
        facts = guide.answer(facts, question.code, len(question.options) - 1 if last else 0)
    return facts


def test_a_double_click_files_a_case_once(town: Town) -> None:
    project = town.register()

    def file(session: Session) -> None:
        documents.bundle.file_case(session, city.actor(session, "xzspj_window"), project)

    assert _together(town, file, file, file) == ["done"] * 3
    with town.engine.reading() as session:
        assert [one.kind for one in documents.documents_of(session, project)] == ["W34"]


def test_a_double_click_serves_a_document_once(town: Town) -> None:
    project = town.register()
    with town.engine.unit_of_work() as session:
        who = city.actor(session, "xzspj_window")
        notice = guide.issue(session, who, project, _all_answered(guide.project_facts(session, who, project)))
        handover = documents.receipts.Handover(documents.receipts.WINDOW, clock.now(), "昌吉市教育局", "刘敏")

    def serve(session: Session) -> None:
        documents.receipts.serve(session, city.actor(session, "xzspj_window"), notice.id, handover)

    def serve_to_another(session: Session) -> None:
        documents.receipts.serve(session, city.actor(session, "xzspj_window"), notice.id, replace(handover, signed_by="别人"))

    assert _together(town, serve, serve, serve) == ["done"] * 3
    assert _together(town, serve_to_another) == ["conflict"]
    with town.engine.reading() as session:
        assert [one.kind for one in documents.documents_of(session, project)] == ["W24", "W02"]


def test_two_withdrawals_are_one(town: Town) -> None:
    project = town.project  # the last test: it ends the joint review of this module
    with town.engine.reading() as session:
        who = city.actor(session, city.APPLICANT)
        asked = next(event for event in boards.awaited_events(session, who, project) if event.exit)
    values = city.example("withdrawal")

    def withdraw(session: Session) -> None:
        boards.report_event(session, city.actor(session, city.APPLICANT), project, asked.key, values)

    outcome = _together(town, withdraw, withdraw, withdraw)
    assert outcome == ["conflict", "conflict", "done"]
    with town.engine.reading() as session:
        assert not any(event.exit and event.key == asked.key for event in boards.awaited_events(session, who, project)), "no second button"
