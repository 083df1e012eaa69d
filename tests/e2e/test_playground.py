"""An analyst tries expressions and a decision with the keyboard; the page answers while one types and passes axe on desktop and phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import Engine
from handlers.directory import service as directory
from tests.e2e.city import found_city
from tests.e2e.conftest import DESKTOP, PHONE, Site

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]


@pytest.fixture
def site(engine: Engine, serve: Callable[[Engine], Site]) -> Site:
    found_city(engine)
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "fenxi", "周分析", "analyst", [])
    return serve(engine)


def test_an_expression_is_evaluated_while_one_types_and_its_mistakes_can_be_jumped_to(site: Site) -> None:
    page = site.visit("fenxi")
    page.goto("/playground")
    result = page.locator("#playground-result")
    expect(result).to_contain_text("还没有表达式")
    expect(page.get_by_label("表达式（FEEL）")).to_be_focused()
    page.keyboard.type("总投资 > 5 and )")
    expect(result).to_contain_text("表达式有误")
    result.get_by_role("button", name="第 13 个字").click()
    page.keyboard.type("true")
    expect(result).to_contain_text("没有变量“总投资”")
    page.get_by_label("变量（JSON）").fill('{"总投资": 6}')
    expect(result.locator(".play-value")).to_have_text("true")
    page.reload()
    expect(page.get_by_label("表达式（FEEL）")).to_have_value("总投资 > 5 and true")
    expect(result.locator(".play-value")).to_have_text("true")
    page.get_by_label("变量（JSON）").fill('{"总投资": 5}')
    page.keyboard.press("Control+Enter")
    expect(result.locator(".play-value")).to_have_text("false")


def test_examples_fill_the_page_and_a_decision_shows_its_trace(site: Site) -> None:
    page = site.visit("fenxi")
    page.goto("/playground")
    page.get_by_role("link", name="工作日").click()
    expect(page.locator(".play-value")).to_have_text("2022-07-27")
    page.get_by_role("link", name="决策", exact=True).click()
    page.get_by_label("已部署的决策").select_option("review_units")
    expect(page.locator("#playground-result .decision")).to_contain_text("自然资源局")
    page.get_by_label("变量（JSON）").fill('{"project": {"gcfl": "市政基础设施", "sfxxgc": true}}')
    expect(page.locator("#playground-result")).to_contain_text("没有填写：")
    page.get_by_role("button", name="清空数据").click()
    expect(page.locator("#playground-result")).to_contain_text("第 1 行")
    page.get_by_role("link", name="示例数据").click()
    expect(page.get_by_label("变量（JSON）")).to_have_value("""{
  "project": {
    "gcfl": "房屋建筑",
    "sfxxgc": false,
    "jsxz": "新建",
    "gnyt": "学校",
    "ydmj": 33000
  }
}""")


ADDRESSES = ("", "?example=null", "?example=tests&tab=tests", "?tab=decision", "?tab=decision&decision=indicator_check")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_in_anybodys_way(site: Site, axe: Callable[[Page], list[str]], size: dict[str, int]) -> None:
    page = site.visit("fenxi", size=size)
    for address in ADDRESSES:
        page.goto(f"/playground{address}")
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
