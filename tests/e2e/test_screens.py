"""Every screen in Chromium: no script error, nothing that axe-core calls serious or critical, no sideways scrolling on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import Engine
from tests.e2e.city import APPLICANT, bring_to_joint_review, complete, found_city, open_tasks
from tests.e2e.conftest import DESKTOP, PHONE, Site

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

TABS = ("form", "materials", "opinions", "diagram", "decisions")
STAFF_SCREENS = (
    "/tasks?box=mine",
    "/tasks?box=unit",
    "/tasks?box=done",
    "/tasks?box=mine&q=没有这样的项目",
    "/account",
    "/projects",
    "/projects/{project}",
    "/definitions",
    "/definitions/processes/planning_permit",
    "/definitions/decisions/review_units",
    "/definitions/forms/joint_review_opinion",
    "/notices",
    "/calendar?year=2022",
    "/cases/1/clock",
    "/nowhere",
)
APPLICANT_SCREENS = ("/tasks", "/projects", "/projects/{project}", "/projects/new", "/notices", "/cases/1/clock")
SQUEEZED = """[...document.querySelectorAll("main *")]
    .filter(each => !each.closest("svg, .visually-hidden") && [...each.childNodes].some(n => n.nodeType === 3 && n.data.trim().length > 3))
    .filter(each => each.getClientRects().length && each.clientWidth < 40 && each.clientHeight > 3 * each.clientWidth)
    .map(each => each.textContent.trim().slice(0, 40))"""
"""The texts that stand one character under the other because their column has no room."""


@pytest.fixture
def project(engine: Engine) -> str:
    found_city(engine)
    project = bring_to_joint_review(engine)
    complete(engine, next(t for t in open_tasks(engine, project) if "ZJJ.handler" in t.candidate_groups))
    return project


def _check(page: Page, axe: Callable[[Page], list[str]], faults: list[str], address: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle") if "data-live" not in page.content() else page.wait_for_timeout(400)
    faults += [f"{address}: {fault}" for fault in axe(page)]
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if width > 1:
        faults.append(f"{address}: {width} px wider than the window of {page.viewport_size}")
    faults += [f"{address}: squeezed into a column: {text}" for text in page.evaluate(SQUEEZED)]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_screens_of_staff(
    engine: Engine, project: str, serve: Callable[[Engine], Site], axe: Callable[[Page], list[str]], size: dict[str, int]
) -> None:
    site = serve(engine)
    page, faults = site.visit("zrzyj", size=size), list[str]()
    key = next(task.key for task in open_tasks(engine, project) if "ZRZYJ.handler" in task.candidate_groups)
    for address in STAFF_SCREENS:
        _check(page, axe, faults, address.format(project=project))
    for tab in TABS:
        _check(page, axe, faults, f"/tasks/{key}?tab={tab}")
    _check(page, axe, faults, f"/tasks?box=unit&task={key}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_screens_of_applicants_and_of_visitors(
    engine: Engine, project: str, serve: Callable[[Engine], Site], axe: Callable[[Page], list[str]], size: dict[str, int]
) -> None:
    site, faults = serve(engine), list[str]()
    _check(site.visit(size=size), axe, faults, "/login")
    page = site.visit(APPLICANT, size=size)
    for address in APPLICANT_SCREENS:
        _check(page, axe, faults, address.format(project=project))
    own = next(task.key for task in open_tasks(engine, project) if task.assignee == APPLICANT)
    _check(page, axe, faults, f"/tasks/{own}")
    assert not faults, "\n".join(faults)


def test_the_keyboard_alone_is_enough(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    page = serve(engine).visit("zrzyj")
    page.goto("/tasks?box=unit")
    page.keyboard.press("j")
    expect(page.locator("[data-claim]")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("[data-submit-form]")).to_be_enabled()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator(".search input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator(".task-form :focus")).to_have_count(1)
    page.keyboard.press("Control+s")
    expect(page.locator("[data-draft-note]")).to_contain_text("已暂存")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-form-problems]")).to_contain_text("请检查标出的")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.locator("#flashes")).to_contain_text("任务已释放")


def test_english_covers_the_shell(engine: Engine, project: str, serve: Callable[[Engine], Site]) -> None:
    page = serve(engine).visit("zrzyj")
    page.goto("/tasks?box=unit")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Department tasks")
    expect(page.locator("html")).to_have_attribute("lang", "en")
