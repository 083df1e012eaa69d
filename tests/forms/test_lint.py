"""Lint of form schemas and the list of their expressions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.forms import form_expressions, lint_form
from tests.forms.schemas import Json, field, form, group, number, rows, select, text

FORMS = sorted((Path(__file__).resolve().parents[2] / "forms").glob("*.form"))


def rules(schema: Json) -> set[str]:
    return {finding.rule for finding in lint_form(schema, "x.form")}


@pytest.mark.parametrize(
    ("component", "rule"),
    [
        ({"type": "signature", "id": "s"}, "form-type"),
        ({"type": "textfield", "id": "s", "label": "x"}, "form-key"),
        ({"type": "textfield", "id": "s", "key": "s"}, "form-label"),
        ({"type": "dynamiclist", "id": "s", "components": []}, "form-key"),
        (text("a", conditional={"hide": "=a +"}), "form-feel"),
        (text("a", properties={"rule": "=)", "message": "x"}), "form-feel"),
        (text("a", properties={"rule": "a > 1", "message": "x"}), "form-rule"),
        (text("a", properties={"rule": "=a > 1"}), "form-rule"),
        (text("a", properties={"check": "isbn"}), "form-check"),
        (text("a", validate={"pattern": "["}), "form-pattern"),
        (text("a", validate={"required": "=x"}), "form-required-feel"),
        (number("a", validate={"min": 5, "max": 1}), "form-limits"),
        (field("select", "a"), "form-options"),
        (select("a", "x", "x"), "form-options"),
    ],
)
def test_each_finding(component: Json, rule: str) -> None:
    assert rule in rules(form(component))


def test_duplicate_keys_are_found_in_their_path_only() -> None:
    assert "form-duplicate-key" in rules(form(text("a"), group("", text("a"))))
    assert rules(form(text("a"), group("g", text("a")), rows("r", text("a")))) == set()


def test_duplicate_ids() -> None:
    one = text("a")
    assert "form-duplicate-id" in rules(form(one, {**text("b"), "id": one["id"]}))


def test_newer_schema_version() -> None:
    assert "form-version" in rules({**form(), "schemaVersion": 20})


def test_not_a_form() -> None:
    assert rules({"elements": []}) == {"form-schema"}


def test_expressions_are_listed_with_their_kind() -> None:
    schema = form(
        text("a", "{{name}}：", conditional={"hide": "=x = 1"}, readonly="=y", properties={"rule": "=z > 1", "message": "m"}),
        number("b", validate={"max": "=a"}),
        {"type": "text", "id": "t", "text": "# {{ project.name }} {{#if x}}{{/if}}"},
    )
    found = [(one.property, one.text, one.kind) for one in form_expressions(schema)]
    assert found == [
        ("conditional.hide", "x = 1", "unary"),
        ("readonly", "y", "unary"),
        ("label", "name", "template"),
        ("properties.rule", "z > 1", "expression"),
        ("validate.max", "a", "expression"),
        ("text", "project.name", "template"),
    ]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_of_the_house_have_no_errors(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert [str(finding) for finding in lint_form(schema, path.name) if finding.severity == "error"] == []
    assert schema["id"] == path.stem
