"""Files in a form: sent and checked when they are chosen, kept by the draft, refused with a reason beside the field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from engine import Engine
from tests.e2e.city import bring_to_joint_review, found_city, open_tasks
from tests.e2e.conftest import Site
from tests.pdf import pdf

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

PDF = pdf()


def test_a_file_of_a_form(engine: Engine, serve: Callable[[Engine], Site], tmp_path: Path) -> None:
    found_city(engine)
    project = bring_to_joint_review(engine)
    key = next(task.key for task in open_tasks(engine, project) if "CGJ.handler" in task.candidate_groups)
    (tmp_path / "退让示意图.pdf").write_bytes(PDF)
    (tmp_path / "伪装.pdf").write_bytes(b"MZ" + b"\0" * 500)
    page = serve(engine).visit("cgj")
    page.goto(f"/tasks/{key}")
    page.locator("[data-claim]").click()
    field = page.locator(".fjs-form-field-filepicker")
    field.locator("input[type=file]").set_input_files(tmp_path / "伪装.pdf")
    expect(field).to_contain_text("伪装.pdf：")
    expect(field.locator(".file-line")).to_have_count(0)
    field.locator("input[type=file]").set_input_files(tmp_path / "退让示意图.pdf")
    expect(field.locator(".file-line")).to_contain_text("退让示意图.pdf")
    expect(field.locator(".file-line")).to_contain_text("已校验")
    expect(page.locator("[data-draft-note]")).to_contain_text("已暂存")
    page.reload()
    expect(field.locator(".file-line")).to_contain_text("退让示意图.pdf")
    with page.expect_download() as download:
        field.get_by_role("link", name="退让示意图.pdf").click()
    assert download.value.path().read_bytes() == PDF
    field.get_by_role("button", name="移除").click()
    expect(field.locator(".file-line")).to_have_count(0)
