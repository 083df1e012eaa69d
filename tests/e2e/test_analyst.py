"""What an analyst sees in Chromium: the difference of two versions, process tests with their coverage, Alt+K; axe is content."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.settings import ROOT
from handlers.directory import service as directory
from tests.e2e.city import found_city
from tests.e2e.conftest import DESKTOP, PHONE, Site

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]
Axe = Callable[[Page], list[str]]


@pytest.fixture
def site(engine: Engine, serve: Callable[[Engine], Site]) -> Site:
    found_city(engine)
    diagram = (ROOT / "processes" / "land_use_permit.bpmn").read_text()
    changed = diagram.replace('name="填报用地规划许可申请"', 'name="填报申请"').replace(
        'in ("自有", "无需")', 'in ("自有", "无需", "租赁")'
    )
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "fenxi", "周分析", "analyst", [])
        commands.deploy(session, SYSTEM, [("land_use_permit.bpmn", changed.encode())])
    return serve(engine)


def test_two_versions_with_their_difference_on_both_diagrams(site: Site, axe: Axe) -> None:
    page = site.visit("fenxi")
    page.goto("/definitions/processes/land_use_permit")
    page.get_by_role("link", name="比较版本").click()
    changes = page.locator(".diff-list li")
    expect(changes).to_have_count(2)
    expect(changes.nth(0)).to_contain_text("name: 填报用地规划许可申请 → 填报申请")
    expect(changes.nth(1)).to_contain_text('"无需", "租赁")')
    for side in page.locator("[data-xml]").all():
        expect(side.locator('[data-element-id="t_apply"].diff-changed')).to_be_visible()
    changes.nth(0).get_by_role("button").press("Enter")
    expect(page.locator('[data-element-id="t_apply"].diff-focus')).to_have_count(2)
    assert axe(page) == []


def test_process_tests_colour_the_diagram(site: Site, axe: Axe) -> None:
    page = site.visit("fenxi")
    page.goto("/definitions/processes/land_use_permit/tests?version=1")
    page.get_by_role("button", name="运行").press("Enter")
    expect(page.get_by_text("路径覆盖 100.0%")).to_be_visible()
    expect(page.locator('[data-element-id="ca_permit"].done')).to_be_visible()
    expect(page.locator(".diagram .missed")).to_have_count(0)
    assert axe(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_alt_k_goes_anywhere(site: Site, axe: Axe, size: dict[str, int]) -> None:
    page = site.visit("fenxi", size=size)
    page.goto("/definitions")
    page.keyboard.press("Alt+k")
    field = page.get_by_role("combobox", name="去哪里")
    expect(field).to_be_focused()
    page.keyboard.type("施工许可")
    expect(page.get_by_role("option", name="建筑工程施工许可").or_(page.get_by_role("option", name="施工许可")).first).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("construction_permit"))
    page.keyboard.press("Alt+k")
    page.keyboard.press("Escape")
    expect(page.locator("dialog#go")).not_to_be_visible()
