"""An instance's page in Chromium: an incident repaired, tokens moved by mouse and keyboard, live, past moments; axe is content."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import Engine, commands
from engine.store import reads
from handlers.directory import service as directory
from tests.e2e.conftest import DESKTOP, PHONE, Site
from tests.webapp.office import Office, staff_office

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]
Axe = Callable[[Page], list[str]]


@pytest.fixture
def office(engine: Engine) -> Office:
    staff_office(engine)
    return Office(engine, None)


@pytest.fixture
def site(office: Office, serve: Callable[[Engine], Site]) -> Site:
    return serve(office.engine)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_incident_is_fixed_and_retried(site: Site, office: Office, axe: Axe, size: dict[str, int]) -> None:
    key = office.stuck()
    page = site.visit("ada", size=size)
    page.goto(f"/instances/{key}")
    expect(page.locator('[data-element-id="x"].failed')).to_be_visible()
    expect(page.get_by_text("fee > 1000", exact=True)).to_be_visible()
    assert axe(page) == []
    page.get_by_label("新值（JSON）").fill("2000")
    page.get_by_role("button", name="修复并重试").press("Enter")
    expect(page.get_by_text("已重试，流程继续。")).to_be_visible()
    expect(page.locator('[data-element-id="big"].active')).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_tokens_are_moved_by_keyboard_alone_and_single_changes_undone(site: Site, office: Office, axe: Axe) -> None:
    key = office.start(fee=500)
    page = site.visit("ana")
    page.goto(f"/instances/{key}/modify")
    expect(page.locator('[data-element-id="fill"].active')).to_be_visible()
    elements = page.get_by_role("region", name="元素")
    elements.get_by_role("button", name=re.compile("填报费用")).press("Enter")
    expect(page.get_by_role("button", name="新增令牌")).to_be_focused()
    page.get_by_role("button", name="新增令牌").press("Enter")
    page.get_by_role("button", name="移动到…").press("Enter")
    expect(page.get_by_role("status").filter(has_text="移动到哪里")).to_be_visible()
    expect(elements.get_by_role("button", name=re.compile("start2"))).to_be_disabled()
    elements.get_by_role("button", name=re.compile("财务复核")).press("Enter")
    pending = page.locator("[data-pending] li")
    expect(pending).to_have_text([re.compile("新增令牌：填报费用"), re.compile("移动：填报费用 → 财务复核")])
    expect(page.locator(".change.plus")).to_have_count(2)
    page.get_by_role("button", name="撤销：新增令牌：填报费用").press("Enter")
    expect(pending).to_have_count(1)
    page.get_by_role("button", name="核对并执行").press("Enter")
    summary = page.get_by_role("dialog", name="核对改动")
    expect(summary.get_by_text("财务复核：0 → 1 个令牌")).to_be_visible()
    assert axe(page) == []
    page.keyboard.type("填错了流程")
    summary.get_by_role("button", name="执行").press("Enter")
    expect(page.get_by_text("改动已执行。")).to_be_visible()
    expect(page.locator('[data-element-id="check"].active')).to_be_visible()
    assert sorted(office.live(key)) == ["check", "sp_check"]


def test_a_token_is_moved_with_the_mouse_and_a_refusal_keeps_the_list(site: Site, office: Office) -> None:
    key = office.start(fee=500)
    page = site.visit("ana")
    page.goto(f"/instances/{key}/modify")
    page.locator('[data-element-id="fill"]').click()
    page.get_by_role("button", name="移动到…").click()
    page.locator('[data-element-id="big"]').click()
    page.locator('[data-element-id="fill"]').click()
    office.fill(key)  # meanwhile 李建国 completes the task
    page.get_by_role("button", name="核对并执行").click()
    expect(page.get_by_role("alert")).to_contain_text("流程可能已有变化")
    expect(page.locator("[data-pending] li")).to_have_count(1)
    page.get_by_role("button", name="全部放弃").click()
    expect(page.get_by_text("还没有改动。")).to_be_visible()


def test_the_diagram_and_the_tree_follow_and_an_open_form_keeps_what_is_typed(site: Site, office: Office) -> None:
    key = office.start(fee=500)
    page = site.visit("ada")
    page.goto(f"/instances/{key}")
    expect(page.locator('[data-element-id="fill"].active')).to_be_visible()
    office.fill(key)
    expect(page.locator('[data-element-id="check"].active')).to_be_visible()
    expect(page.locator('.element-tree [data-element="check"]')).to_be_visible()
    page.get_by_label("修改 fee").click()
    page.get_by_label("fee 的新值（JSON）").fill("12345")
    with page.expect_response(re.compile("/part/head")):  # the rest of the page follows
        office.fill(key)
    expect(page.get_by_label("fee 的新值（JSON）")).to_have_value("12345")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("变量 fee 已修改。")).to_be_visible()
    expect(page.locator('[data-element-id="wait_pay"].active')).to_be_visible()


def test_a_past_moment_by_slider_and_by_steps(site: Site, office: Office, axe: Axe) -> None:
    key = office.start(fee=500)
    office.fill(key)
    page = site.visit("ana")
    page.goto(f"/instances/{key}")
    slider = page.get_by_role("slider", name="第几步")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("只能查看")).to_be_visible()
    expect(page.locator('[data-element-id="fill"].active')).to_be_visible()
    assert axe(page) == []
    page.get_by_role("link", name="后一步").click()
    expect(page.locator('[data-element-id="check"].active')).to_be_visible()
    page.get_by_role("link", name="回到现在").click()
    expect(page.get_by_text("只能查看")).to_have_count(0)


def test_the_operations_log(site: Site, office: Office, axe: Axe) -> None:
    key = office.start(fee=500)
    with office.engine.unit_of_work() as session:
        commands.suspend_instance(session, directory.actor_named(session, "ada"), key, "等政策")
    page = site.visit("ana", size=PHONE)
    page.goto("/operations")
    expect(page.get_by_text("理由：等政策")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("谁").fill("刘洋")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_text("没有符合条件的记录")).to_be_visible()
    with office.engine.reading() as session:
        assert reads.instance(session, key).suspended_at is not None
