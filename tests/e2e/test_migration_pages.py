"""In Chromium: heat, selecting instances, mapping by mouse and keyboard, dry run, a batch with progress over 1,000 running instances, undo;
axe is content."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import Engine, commands
from engine.commands import batches as running
from engine.policy import SYSTEM
from engine.store import definitions, runs
from handlers.directory import service as directory
from tests.e2e.conftest import DESKTOP, PHONE, Site
from tests.webapp.versions import MIGRATE, NEW, OLD, RUNS, add_watchers, complete, deploy, start

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]
Axe = Callable[[Page], list[str]]
MANY, CROWD = 30, 1_000


def add_instances(engine: Engine, count: int) -> None:
    """So many instances of v1, two of them at 审查; v2 has that step under another id."""
    with engine.unit_of_work() as session:
        directory.import_units(session)
    add_watchers(engine)
    deploy(engine, OLD)
    keys = start(engine, count)
    complete(engine, keys[0])
    complete(engine, keys[1])
    deploy(engine, NEW)


@pytest.fixture
def site(engine: Engine, serve: Callable[[Engine], Site]) -> Site:
    add_instances(engine, MANY)
    return serve(engine)


def box(page: Page, side: int, element: str) -> str:
    return f'[data-xml] >> nth={side} >> [data-element-id="{element}"]'


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_heat_and_the_list_of_instances(site: Site, axe: Axe, size: dict[str, int]) -> None:
    page = site.visit("fenxi", size=size)
    page.goto(f"{RUNS}?version=1")
    expect(page.locator("[data-runs-heat][data-drawn]")).to_be_visible()
    expect(page.locator(".heat-badge")).to_have_text(["28", "2"])
    fill = "e => getComputedStyle(e.querySelector('.djs-visual > :first-child')).fill"
    hot, cool = (page.locator(f'[data-element-id="{id}"]').evaluate(fill) for id in ("apply", "review"))
    assert hot == "rgb(238, 124, 84)" and cool not in (hot, "rgb(255, 255, 255)")
    page.get_by_label("累计进入").check()
    expect(page.locator(".heat-badge").first).to_have_text("30")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("现在停留").check()
    page.locator('.djs-element[data-element-id="review"]').click()
    expect(page.locator(".runs-list tbody tr")).to_have_count(2)


def test_selecting_instances_by_keyboard(site: Site) -> None:
    page = site.visit("yunwei")
    page.goto(f"{RUNS}?version=1")
    suspend = page.get_by_role("button", name="暂停办理")
    expect(suspend).to_be_disabled()
    page.locator("[name=key]").nth(1).press("Space")
    page.locator("[name=key]").nth(2).press("Space")
    expect(page.get_by_text("已选 2 个")).to_be_visible()
    suspend.press("Enter")
    expect(page.get_by_text("共 2 个流程实例")).to_be_visible()
    page.locator("#reason").fill("核查")
    page.get_by_role("button", name="开始暂停办理").press("Enter")
    expect(page.get_by_text("完成 2", exact=True).first).to_be_visible()
    page.goto(f"{RUNS}?version=1")
    page.get_by_label("全部符合条件的 30 个").press("Space")
    page.get_by_role("button", name="恢复办理").press("Enter")
    expect(page.get_by_text("共 30 个流程实例")).to_be_visible()


@pytest.fixture
def crowd(engine: Engine, serve: Callable[[Engine], Site]) -> Site:
    add_instances(engine, CROWD)
    return serve(engine)


def test_migrate_a_thousand_and_bring_them_back(crowd: Site, axe: Axe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both batches run slice by slice, as a worker runs them, while their pages show how far they are."""
    batches: list[int] = []
    jobs = type(crowd.engine.runtime.jobs)
    monkeypatch.setattr(jobs, "enqueue", lambda _jobs, _session, name, key: batches.append(key) if name == "run_batch" else None)
    page = crowd.visit("fenxi")
    page.goto(f"{RUNS}?version=1")
    expect(page.locator(".heat-badge")).to_have_text(["998", "2"])
    page.get_by_role("link", name="迁移到其他版本").press("Enter")
    expect(page.locator("[data-migration][data-drawn]")).to_be_visible()
    expect(page.locator(box(page, 0, "review") + ">> xpath=self::*[contains(@class, 'diff-removed')]")).to_be_visible()
    expect(page.locator(box(page, 1, "sign") + ">> xpath=self::*[contains(@class, 'diff-added')]")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="试算").click()
    expect(page.get_by_text("998 个可以迁移")).to_be_visible()
    expect(page.get_by_text("2 个不能迁移")).to_be_visible()
    expect(page.locator("[data-migration][data-drawn]")).to_be_visible()
    page.locator(box(page, 0, "review")).first.click()
    expect(page.locator("[data-mapping-status]")).to_contain_text("审查")
    page.locator(box(page, 1, "end")).first.click()
    expect(page.locator("[data-mapping-status]")).to_contain_text("类型不同")
    page.locator(box(page, 1, "joint_review")).first.click()
    expect(page.locator('select[name="map:review"]')).to_have_value("joint_review")
    expect(page.locator("[data-lines] path.on")).to_have_count(1)
    expect(page.get_by_text("需要指定对应元素")).to_have_count(0)
    expect(page.locator("[data-trial]")).to_have_count(0)  # it was about another mapping
    page.get_by_role("button", name="试算").click()
    expect(page.get_by_text("1000 个实例都可以迁移")).to_be_visible()
    assert axe(page) == []
    page.locator("#reason").fill("审查改为联合审查")
    page.get_by_role("button", name="执行迁移").click()
    watch(page, crowd.engine, batches)
    assert axe(page) == []
    page.get_by_role("link", name="撤销这次迁移").click()
    page.locator("#reason").fill("发现问题")
    assert axe(page) == []
    page.get_by_role("button", name="撤销迁移").click()
    watch(page, crowd.engine, batches)
    page.goto(f"{RUNS}?version=1")
    expect(page.locator(".heat-badge")).to_have_text(["998", "2"])


def watch(page: Page, engine: Engine, batches: list[int]) -> None:
    """Run the batch whose page is open to its end: the page follows by itself."""
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "0")
    commands.run_batch(engine.runtime, batches.pop())
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", str(running.SLICE))
    while batches:
        commands.run_batch(engine.runtime, batches.pop())
    expect(page.get_by_text(f"完成 {CROWD}", exact=False).first).to_be_visible()


def test_the_mapping_by_keyboard(site: Site) -> None:
    page = site.visit("fenxi", size=PHONE)
    page.goto(f"{MIGRATE}?version=1")
    expect(page.locator("[data-migration][data-drawn]")).to_be_visible()
    select = page.locator('select[name="map:review"]')
    select.focus()
    expect(page.locator('[data-element-id="review"].diff-focus')).to_have_count(1)
    select.select_option("joint_review")
    expect(select).to_be_focused()
    expect(page.locator('[data-element-id="joint_review"].diff-focus')).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_progress_is_shown_while_a_batch_runs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is opened before anything is done; then the job runs a slice at a time."""
    jobs = type(site.engine.runtime.jobs)
    monkeypatch.setattr(jobs, "enqueue", lambda *_args, **_named: None)
    with site.engine.unit_of_work() as session:
        version = definitions.version_of_process(session, "permit", 1)
        keys = runs.keys(session, runs.RunFilter(version.key), MANY)
        batch = commands.create_batch(session, SYSTEM, "suspend", keys, reason="核查")
    page = site.visit("yunwei")
    page.goto(f"/batches/{batch}")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "0")
    monkeypatch.setattr(running, "SLICE", 20)
    commands.run_batch(site.engine.runtime, batch)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "20")
    page.get_by_role("button", name="暂停执行").click()
    expect(page.get_by_text("已暂停，正在执行的一个做完后停下。")).to_be_visible()
    page.get_by_role("button", name="继续执行").click()
    for _ in range(3):
        commands.run_batch(site.engine.runtime, batch)
    expect(page.locator('[data-state="COMPLETED"]')).to_be_visible()
    expect(page.get_by_role("button", name="暂停执行")).to_have_count(0)
