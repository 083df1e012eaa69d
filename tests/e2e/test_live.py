"""Live parts of a page refresh independently: a slow answer to one of them holds up no other, and the row clicked last wins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from engine import Engine
from tests.e2e.city import bring_to_joint_review, complete, example, found_city, open_tasks
from tests.e2e.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]


def test_a_slow_part_holds_up_no_other(engine: Engine, serve: Callable[[Engine], Site]) -> None:
    found_city(engine)
    project = bring_to_joint_review(engine)
    page = serve(engine).visit("zrzyj2")
    held: list[Route] = []
    page.goto(f"/projects/{project}")
    expect(page.locator(".lane", has_text="联合审查")).to_have_count(1)

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/rail", hold)
    page.wait_for_timeout(300)  # the stream is open
    for task in open_tasks(engine, project):
        if task.element_id == "mi_review":
            complete(engine, task, example("joint_review_opinion"))
    expect(page.locator("aside")).to_contain_text("汇总联审意见")
    expect(page.locator(".lane.depth-0", has_text="汇总联审意见")).to_have_count(1)
    assert held
    for route in held:
        route.continue_()


def test_the_row_chosen_last_is_shown(engine: Engine, serve: Callable[[Engine], Site]) -> None:
    found_city(engine)
    for _ in range(3):
        bring_to_joint_review(engine)
    page = serve(engine).visit("zjj")
    page.goto("/tasks?box=unit")
    rows = page.locator("[data-rows] a.rowx")
    expect(rows).to_have_count(3)
    held: list[Route] = []
    page.route("**/pane", lambda route: held.append(route) if len(held) < 1 else route.continue_())
    for index in range(3):
        rows.nth(index).click()
    expect(page.locator("#pane article.task")).to_have_attribute("data-task", rows.nth(2).get_attribute("data-task") or "")
    expect(rows.nth(2)).to_have_attribute("aria-current", "")
