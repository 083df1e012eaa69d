"""People at their browsers: each has a context of their own and does everything through the pages (page objects of the journey)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.filling import Filler

SUBMIT_SOON = "setTimeout(() => document.querySelector('[data-submit-form]').click(), 0)"


class Person:
    """Somebody at a browser. Files that a form demands are this person's PDF."""

    def __init__(self, site: Site, username: str, pdf: Path, *, password: str = "") -> None:
        self.username, self._pdf = username, pdf
        self.page = site.visit("" if password else username)
        if password:
            self._log_in(password)

    def _log_in(self, password: str) -> None:
        self.page.goto("/login")
        self.page.get_by_label("用户名").fill(self.username)
        self.page.get_by_label("密码").fill(password)
        self.page.locator(".login-form").get_by_role("button", name="登录").click()
        expect(self.page.locator("h1")).not_to_have_text("登录")

    # ------------------------------------------------------------------ tasks
    def open_task(self, title: str, box: str = "unit") -> Locator:
        """Choose the first task of this name in a box of the work list and sign for it -> its form, ready to be filled."""
        self.page.goto(f"/tasks?box={box}")
        row = self.page.locator("[data-rows] a.rowx").filter(has=self.page.locator(".t").get_by_text(title, exact=True)).first
        row.click()
        expect(self.page.locator("#pane h1")).to_have_text(title)
        if self.page.locator("#pane [data-claim]").count():
            self.page.locator("#pane [data-claim]").click()
        expect(self.page.locator("[data-submit-form]")).to_be_enabled()
        return self.page.locator(".task-form[data-ready]")

    def fill(self, data: Mapping[str, Any]) -> None:
        """Fill the open form by hand."""
        Filler(self.page.locator(".task-form"), self._pdf).fill(data)

    def submit(self) -> None:
        """Press the form's button; the page says that it was taken."""
        self.page.locator("[data-submit-form]").click()
        self.expect_submitted()

    def expect_submitted(self) -> None:
        done, wrong = self.page.get_by_text("已提交。"), self.page.locator("[data-form-problems]:visible")
        expect(done.or_(wrong).first).to_be_visible()
        assert done.is_visible(), f"{self.username}: {wrong.inner_text()}\n{self.page.locator('.fjs-has-errors').all_inner_texts()}"

    def do(self, title: str, data: Mapping[str, Any], *, box: str = "unit") -> None:
        """The whole of a task, from the work list to the answer that it was taken."""
        self.open_task(title, box)
        self.fill(data)
        self.submit()
        self.rest()

    def rest(self) -> None:
        """Leave the screen, so that it does not follow what the others do."""
        self.page.goto("about:blank")

    # ------------------------------------------------------------------ projects
    def report(self, project: int, event: str, data: Mapping[str, Any]) -> None:
        """Press the button of an outside event on the project's page, fill its form and submit it."""
        self.page.goto(f"/projects/{project}")
        self.open_event(self.page, event, data)
        self.submit_event(self.page, event)
        expect(self.page.get_by_text("已登记，流程继续。")).to_be_visible()

    def open_event(self, page: Page, event: str, data: Mapping[str, Any]) -> None:
        box = event_box(page, event)
        box.locator("summary").click()
        Filler(box.locator(".task-form"), self._pdf).fill(data)

    def submit_event(self, page: Page, event: str) -> None:
        event_box(page, event).locator("[data-submit-form]").click()


def event_box(page: Page, event: str) -> Locator:
    """The outside event of this name on a project's page; it is there only while the flow waits for it."""
    return page.locator("details.event").filter(has=page.locator("summary").get_by_text(event, exact=True))


class ProjectPage:
    """A project's page that somebody leaves open: it must follow by itself, so it is never loaded again."""

    def __init__(self, page: Page, project: int) -> None:
        self.page = page
        page.goto(f"/projects/{project}")
        page.evaluate("window.neverReloaded = true")

    def expect_stage(self, name: str, words: str) -> None:
        """The cell of the stage rail says this."""
        expect(self.page.locator("ol.rail li").filter(has=self.page.locator("b").get_by_text(name, exact=True))).to_contain_text(words)

    def flow(self, name: str) -> Locator:
        """The lane of an approval flow."""
        return self.page.locator(".lane.depth-0").filter(has=self.page.locator("b").get_by_text(name, exact=True))

    def unit(self, name: str) -> Locator:
        """The lane of a unit below its flow."""
        return self.page.locator(".lane.depth-1").filter(has=self.page.locator(".lane-name").get_by_text(name))

    def expect_untouched(self) -> None:
        assert self.page.evaluate("window.neverReloaded") is True, "the page was loaded again instead of following live"


def all_at_once(people: Iterable[Person]) -> None:
    """Everybody presses their button in the same moment: every click is on its way before the first answer is awaited."""
    people = list(people)
    for person in people:
        person.page.evaluate(SUBMIT_SOON)
    for person in people:
        person.expect_submitted()
        person.rest()
