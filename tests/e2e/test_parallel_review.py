"""Eight departments review one project at the same time, each in a browser of its own (R055, 行政许可法 26(2)): nobody waits for
anybody, everybody sees the others' opinions appear, and the process goes on exactly once when the last one has answered."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import Engine
from engine.store import reads
from tests.e2e.city import bring_to_joint_review, complete, example, found_city, open_tasks
from tests.e2e.conftest import Site

pytestmark = pytest.mark.browser

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For what only concerns the browser: one database is enough."""

DEPARTMENTS = ("zrzyj", "zjj", "rfb", "cgj", "jtysj", "slj", "jyj", "gsgs")


@pytest.fixture
def project(engine: Engine) -> str:
    found_city(engine)
    return bring_to_joint_review(engine)


def _task_of(engine: Engine, project: str, unit: str) -> int:
    return next(task.key for task in open_tasks(engine, project) if f"{unit.upper()}.handler" in task.candidate_groups)


def _fill(page: Page, opinion: str) -> None:
    """Answer the joint review's form as a person would."""
    form = page.locator(".task-form[data-ready]")
    expect(form).to_be_visible()
    form.get_by_label(opinion, exact=True).check()
    if opinion == "不同意":
        form.get_by_label(re.compile("^依据条款")).fill("公路安全保护条例 第十三条")
    form.get_by_label(re.compile("^意见说明")).fill("已核对总平面图与规划条件。")
    name = form.get_by_label(re.compile("^姓名"))
    if not name.count():
        form.get_by_role("button", name="新增一行").click()
    name.first.fill("经办人")


def test_eight_departments_at_once(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    site = serve(engine)
    keys = {unit: _task_of(engine, project, unit) for unit in DEPARTMENTS}
    pages = {unit: site.visit(unit) for unit in DEPARTMENTS}
    watcher = site.visit("zrzyj2")
    watcher.goto(f"/tasks/{keys['zrzyj']}?tab=opinions")
    for unit, page in pages.items():
        page.goto(f"/tasks?box=unit&task={keys[unit]}")
        page.keyboard.press("c")
        expect(page.locator("[data-submit-form]")).to_be_enabled()
        _fill(page, "不同意" if unit == "jtysj" else "同意")
    for page in pages.values():  # every click is on its way before the first answer is awaited
        page.evaluate("setTimeout(() => document.querySelector('[data-submit-form]').click(), 0)")
    for page in pages.values():
        expect(page.get_by_text("已提交。")).to_be_visible(timeout=60_000)
    opinions = watcher.locator(".opinion", has_text="联合审查")
    expect(opinions).to_have_count(8)
    expect(opinions.filter(has_text="不同意")).to_have_count(1)
    with engine.reading() as session:
        done = [task for task in reads.tasks_of_business(session, project) if task.element_id == "mi_review" and task.state == "COMPLETED"]
    assert sorted(task.completed_by for task in done) == sorted(DEPARTMENTS), "each department once, none lost, none twice"
    rest = [task for task in open_tasks(engine, project) if task.element_id == "mi_review"]
    assert len(rest) == 4, "the other four are still asked"
    for task in rest:
        complete(engine, task)
    after = [task.element_id for task in open_tasks(engine, project, "planning_permit")]
    assert after == ["t_sum"], "the review is summed up once, when the last department has answered"


@on_sqlite
def test_two_people_of_one_department_cannot_both_answer(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    site = serve(engine)
    key = _task_of(engine, project, "zrzyj")
    first, second = site.visit("zrzyj"), site.visit("zrzyj2")
    for page in (first, second):
        page.goto(f"/tasks/{key}")
    first.locator("[data-claim]").click()
    expect(first.locator("[data-submit-form]")).to_be_enabled()
    second.locator("[data-claim]").click()
    expect(second.locator("h1")).to_have_text("无权查看或办理")
    expect(second.locator("main")).to_contain_text("已由")


@on_sqlite
def test_a_second_submit_is_refused_and_keeps_what_was_typed(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    site = serve(engine)
    key = _task_of(engine, project, "zjj")
    tabs = [site.visit("zjj"), site.visit("zjj")]
    tabs[0].goto(f"/tasks/{key}")
    tabs[0].locator("[data-claim]").click()
    for tab in tabs:
        tab.goto(f"/tasks/{key}")
        _fill(tab, "同意")
    tabs[0].locator("[data-submit-form]").click()
    expect(tabs[0].get_by_text("已提交。")).to_be_visible()
    tabs[1].locator("[data-submit-form]").click()
    expect(tabs[1].locator("[data-form-problems]")).to_be_visible()
    expect(tabs[1].locator("[data-form-problems]")).to_contain_text(re.compile("已办结|已完成|状态"))
    expect(tabs[1].get_by_label(re.compile("^意见说明"))).to_have_value("已核对总平面图与规划条件。")


@on_sqlite
def test_the_servers_objection_is_put_on_the_field(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    site = serve(engine)
    key = _task_of(engine, project, "cgj")
    page = site.visit("cgj")
    page.goto(f"/tasks/{key}")
    page.locator("[data-claim]").click()
    page.route("**/complete", lambda route: route.continue_(post_data='{"data": {"review": {"opinion": "不知道"}}}'))
    _fill(page, "同意")
    page.locator("[data-submit-form]").click()
    expect(page.locator("[data-form-problems]")).to_be_visible()
    expect(page.locator(".fjs-form-field-radio.fjs-has-errors")).to_have_count(1)
    expect(page.get_by_label(re.compile("^意见说明"))).to_have_value("已核对总平面图与规划条件。")


@on_sqlite
def test_a_draft_saves_itself_and_comes_back(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    site = serve(engine)
    key = _task_of(engine, project, "slj")
    page = site.visit("slj")
    page.goto(f"/tasks/{key}")
    page.locator("[data-claim]").click()
    page.get_by_label(re.compile("^意见说明")).fill("写到一半")
    expect(page.locator("[data-draft-note]")).to_contain_text("已暂存")
    again = site.visit("slj")
    again.goto(f"/tasks/{key}")
    expect(again.get_by_label(re.compile("^意见说明"))).to_have_value("写到一半")
    expect(again.locator("[data-draft-note]")).to_contain_text("草稿")


@on_sqlite
def test_new_tasks_are_announced_without_moving_the_list(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    site = serve(engine)
    page = site.visit("zrzyj2")
    page.goto("/tasks?box=unit")
    expect(page.locator("[data-rows] a.rowx")).to_have_count(1)
    page.wait_for_timeout(300)
    for task in open_tasks(engine, project):
        if task.element_id == "mi_review":
            complete(engine, task, example("joint_review_opinion"))
    expect(page.locator("[data-news]")).to_have_text("1 条新任务")
    expect(page.locator("[data-rows] a.rowx")).to_have_count(1)
    expect(page.locator("[data-rows] a.rowx.gone")).to_have_count(1)
    page.locator("[data-news] a").click()
    expect(page.locator("[data-rows] a.rowx")).to_contain_text("汇总联审意见")
