"""What is typed stays typed, however fast somebody goes on to the next field while the form is still being drawn anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from engine import Engine
from tests.e2e.city import bring_to_joint_review, found_city, open_tasks
from tests.e2e.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

TYPE_IN_BOTH = """async ([first, second]) => {
    for (const [name, text] of [[first, "已核对"], [second, "李建国"]]) {
        const field = document.querySelector(`.task-form [id$="-${name}"]`);
        field.focus();
        field.value = text;
        field.dispatchEvent(new Event("input", {bubbles: true}));
    }
    await new Promise((drawn) => setTimeout(drawn, 600));
    return [first, second].map((name) => document.querySelector(`.task-form [id$="-${name}"]`).value);
}"""
"""One field is left for the next within the same moment: the first one's change is drawn when the second one's text is there."""


def test_going_on_at_once_loses_nothing(engine: Engine, serve: Callable[[Engine], Site]) -> None:
    found_city(engine)
    project = bring_to_joint_review(engine)
    key = next(task.key for task in open_tasks(engine, project) if "CGJ.handler" in task.candidate_groups)
    page = serve(engine).visit("cgj")
    page.goto(f"/tasks/{key}")
    page.locator("[data-claim]").click()
    expect(page.locator(".task-form[data-ready]")).to_be_visible()
    assert page.evaluate(TYPE_IN_BOTH, ["Field_comment", "Field_officers_name_0"]) == ["已核对", "李建国"]
