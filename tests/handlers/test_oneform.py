"""一表申请: every field of a stage's applications once, with the items that use it; what is known is not asked; tasks show it."""

from __future__ import annotations

from typing import Any

import pytest

from engine import clock
from engine.clock import CHINA
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from handlers.catalogue.service import catalogue
from handlers.licences import service as licences
from handlers.oneform import service as oneform
from handlers.projects import service as projects
from handlers.tasks import service as tasks
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office


def form(office: Office, project_id: int, stage: str, who: str = SCHOOL) -> oneform.StageForm:
    with office.engine.reading() as session:
        return oneform.stage_form(session, office.actor(who), project_id, stage)


def save(office: Office, project_id: int, stage: str, values: dict[str, Any], who: str = SCHOOL) -> oneform.StageForm:
    with office.engine.unit_of_work() as session:
        return oneform.save(session, office.actor(who), project_id, stage, {"application": values})


def test_each_field_is_there_once_with_every_item_that_asks_for_it(office: Office) -> None:
    project = office.register()
    merged = form(office, project.id, "S1")
    keys = [field.key for field in merged.fields]
    assert len(keys) == len(set(keys)) > 20
    (shared,) = [field for field in merged.fields if field.key == "yzyjsh"]
    assert set(shared.items) == {catalogue().item("FG03").name, catalogue().item("ZR02").name}
    (group,) = merged.schema["components"]
    assert group["path"] == "application" and len(group["components"]) == len(keys)
    assert len({component["id"] for component in group["components"]}) == len(keys)


def test_what_the_registration_or_a_licence_says_is_filled_in_with_its_source(office: Office) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session:
        today = clock.now().astimezone(CHINA).date()
        licences.enter_existing(session, office.actor(WINDOW), project.id, "ZR01", "用字第652301202200088号", today)
    merged = form(office, project.id, "S1")
    sources = {field.key: field.source for field in merged.fields}
    assert merged.data["application"]["yzyjsh"] == "用字第652301202200088号" and sources["yzyjsh"] == "用地预审与选址意见书"
    assert merged.data["application"]["ydwz"] == project.data["jsdd"] and sources["ydwz"] == "项目登记"
    typed = save(office, project.id, "S1", {"ydwz": "另一处"})
    assert {field.key: field.source for field in typed.fields}["ydwz"] == ""


def test_the_tasks_of_the_items_show_what_was_filled_in(office: Office) -> None:
    project = office.register()
    save(office, project.id, "S1", {"jsgq": 18, "nothing": "x"})
    (task,) = [task for task in office.driver.open_tasks(project.id) if task.element_id == "t_proposal"]
    with office.engine.reading() as session:
        shown = tasks.task_view(session, office.actor(SCHOOL), task.key).data["application"]
    assert shown == {"jsgq": 18}


def test_only_those_who_file_save_and_only_in_an_open_project(office: Office) -> None:
    project = office.register()
    for who, error in ((DAIRY, NotFound), ("lijianguo", Forbidden)):
        with pytest.raises(error):
            save(office, project.id, "S1", {"jsgq": 18}, who)
    for values in ({}, {"nothing": 1}, {"byx": "x" * oneform.MOST_BYTES}):
        with pytest.raises(Invalid):
            save(office, project.id, "S1", values)
    for stage in ("S5", "S9"):
        with pytest.raises(NotFound):
            form(office, project.id, stage)
    assert save(office, project.id, "S1", {"jsgq": 12}, WINDOW).data["application"]["jsgq"] == 12
    with office.engine.unit_of_work() as session:
        projects.close_project(session, project.id, "completed", clock.now())
    with pytest.raises(Conflict):
        save(office, project.id, "S1", {"jsgq": 18})
