"""Nothing typed is lost when the log-in runs out in the middle of a form, and an old copy in the browser never hides a newer draft."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from engine import Engine, commands
from engine.store import reads
from tests.e2e.city import actor, bring_to_joint_review, found_city, open_tasks
from tests.e2e.conftest import Site, open_session_for
from webapp.sessions import COOKIE, WebSession

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]
COMMENT = '.task-form [id$="-Field_comment"]'


def _claimed(engine: Engine) -> int:
    found_city(engine)
    project = bring_to_joint_review(engine)
    key = next(int(task.key) for task in open_tasks(engine, project) if "CGJ.handler" in task.candidate_groups)
    with engine.unit_of_work() as session:
        commands.claim_task(session, actor(session, "cgj"), key)
    return key


def _open(page: Page, key: int) -> None:
    page.goto(f"/tasks/{key}")
    expect(page.locator(".task-form[data-ready]")).to_be_visible()


def _wait_for_draft(engine: Engine, page: Page, key: int) -> None:
    for _ in range(300):
        with engine.reading() as session:
            if reads.draft(session, key, "cgj") is not None:
                return
        page.wait_for_timeout(100)
    raise AssertionError("the draft that leaving the page saves never arrived")


def _log_in_again(site: Site, page: Page) -> None:
    with site.engine.unit_of_work() as session:
        token = open_session_for(site, session, "cgj")
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": site.address}])


def test_what_was_typed_is_there_after_logging_in_again(engine: Engine, serve: Callable[[Engine], Site]) -> None:
    key, site = _claimed(engine), serve(engine)
    page = site.visit("cgj")
    _open(page, key)
    page.locator(COMMENT).fill("写到一半")
    with engine.unit_of_work() as session:
        session.execute(delete(WebSession))
    page.goto("/tasks")  # at once, before the form saves by itself
    expect(page).to_have_url(f"{site.address}/login?next=/tasks")
    _log_in_again(site, page)
    _open(page, key)
    expect(page.locator(COMMENT)).to_have_value("写到一半")


def test_a_newer_draft_from_elsewhere_counts(engine: Engine, serve: Callable[[Engine], Site]) -> None:
    key, site = _claimed(engine), serve(engine)
    page = site.visit("cgj")
    _open(page, key)
    page.locator(COMMENT).fill("旧的")
    page.goto("/tasks")
    _wait_for_draft(engine, page, key)  # the page saves as it is left; that request may still be on its way
    with engine.unit_of_work() as session:
        commands.save_draft(session, actor(session, "cgj"), key, {"review": {"comment": "在另一台电脑上写的"}})
    _open(page, key)
    expect(page.locator(COMMENT)).to_have_value("在另一台电脑上写的")
