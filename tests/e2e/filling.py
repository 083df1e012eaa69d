"""Fills a form-js form as a person does: types, chooses, ticks, adds rows and picks files, field by field from the form's own schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect


class Filler:
    """One mounted form. `fill(data)` enters what `data` (keyed like a submission) holds for the fields that are shown."""

    def __init__(self, form: Locator, pdf: Path) -> None:
        self._form, self._pdf = form, pdf
        self._kinds: dict[str, Callable[[dict[str, Any], str, Any], None]] = {
            "textfield": self._type,
            "textarea": self._type,
            "number": self._type,
            "select": self._choose,
            "taglist": self._tag,
            "radio": self._radio,
            "checkbox": self._tick,
            "checklist": self._tick_several,
            "datetime": self._date,
            "filepicker": self._attach,
        }

    def fill(self, data: Mapping[str, Any]) -> None:
        """Fields of the schema in reading order; readonly, hidden and unanswered ones are passed over."""
        expect(self._form).to_have_attribute("data-ready", "true")
        schema = json.loads(self._form.locator("script.form-schema").text_content() or "")
        self._enter(schema["components"], data, "")

    # ------------------------------------------------------------------ walking
    def _enter(self, components: list[dict[str, Any]], data: Mapping[str, Any], suffix: str) -> None:
        for field in components:
            kind = field["type"]
            if kind in {"group", "dynamiclist"}:
                inner: Any = data
                for step in filter(None, str(field.get("path") or "").split(".")):
                    inner = inner.get(step) if isinstance(inner, Mapping) else None
                if kind == "group" and isinstance(inner, Mapping):
                    self._enter(field["components"], inner, suffix)
                elif kind == "dynamiclist" and isinstance(inner, list):
                    self._rows(field, inner, suffix)
                continue
            value = _value(data, field.get("key"))
            if kind in self._kinds and value not in (None, "", []) and not field.get("readonly") and self._is_shown(field, suffix):
                self._kinds[kind](field, suffix, value)

    def _rows(self, field: dict[str, Any], rows: list[Any], suffix: str) -> None:
        first = next(inner["id"] for inner in field["components"] if "key" in inner)
        box = self._form.locator(f'.fjs-form-field-dynamiclist:has([id$="-{field["id"]}{suffix}"])').first
        for index, row in enumerate(rows):
            here = f"{suffix}_{index}"
            if not self._any(first, here).count():
                box.get_by_role("button", name="新增一行").click()
                expect(self._any(first, here).first).to_be_attached()
            self._enter(field["components"], row, here)

    def _is_shown(self, field: dict[str, Any], suffix: str) -> bool:
        """A conditional field appears a moment after the answer that it depends on."""
        if "conditional" in field and not self._any(field["id"], suffix).count():
            self._form.page.wait_for_timeout(120)
        return self._any(field["id"], suffix).count() > 0

    def _any(self, field_id: str, suffix: str) -> Locator:
        """The inputs of a field: radio buttons and checklists number theirs, dates have two."""
        name = f"-{field_id}{suffix}"
        return self._form.locator(f'[id$="{name}"], [id$="{name}-0"], [id$="{name}-date"]')

    def _field(self, field_id: str, suffix: str) -> Locator:
        return self._form.locator(f'[id$="-{field_id}{suffix}"]')

    def _box(self, kind: str, field: dict[str, Any], suffix: str) -> Locator:
        return self._form.locator(f'.fjs-form-field-{kind}:has([id$="-{field["id"]}{suffix}"])')

    # ------------------------------------------------------------------ one field
    def _type(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        self._field(field["id"], suffix).fill(str(value))
        self._field(field["id"], suffix).blur()  # form-js takes over what was typed when the field is left

    def _choose(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        words = next((option["label"] for option in field.get("values", []) if option["value"] == value), str(value))
        group = self._box("select", field, suffix)
        shown = group.locator(".fjs-select-display")  # a searchable select is an input instead
        if shown.count() and shown.inner_text() == words:
            return
        (shown if shown.count() else group.locator("input").first).click(position={"x": 8, "y": 8})
        group.locator(".fjs-dropdownlist-item").get_by_text(words, exact=True).click()

    def _tag(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        labels = {option["value"]: option["label"] for option in field.get("values", [])}
        group = self._box("taglist", field, suffix)
        for one in value:
            group.locator("input").click()
            group.locator(".fjs-dropdownlist-item").get_by_text(labels.get(one, str(one)), exact=True).click()

    def _radio(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        index = next(index for index, option in enumerate(field["values"]) if option["value"] == value)
        self._field(field["id"], f"{suffix}-{index}").check()

    def _tick(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        self._field(field["id"], suffix).set_checked(bool(value))

    def _tick_several(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        for index, option in enumerate(field["values"]):
            self._field(field["id"], f"{suffix}-{index}").set_checked(option["value"] in value)

    def _date(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        day, _, time = str(value).partition("T")
        year, month, date = (int(part) for part in day.split("-"))
        if field.get("subtype", "date") != "time":
            self._field(field["id"], f"{suffix}-date").fill(f"{year}/{month}/{date}")
            self._field(field["id"], f"{suffix}-date").press("Enter")
        if field.get("subtype") in {"time", "datetime"}:
            self._field(field["id"], f"{suffix}-time").fill(time[:5])
            self._field(field["id"], f"{suffix}-time").press("Enter")

    def _attach(self, field: dict[str, Any], suffix: str, value: Any) -> None:
        """Whatever name the example gives, a real PDF is chosen; it is sent and checked at once."""
        box = self._box("filepicker", field, suffix)
        box.locator("input[type=file]").set_input_files(self._pdf)
        expect(box.locator(".file-line")).to_contain_text("已校验")


def _value(data: Mapping[str, Any], key: str | None) -> Any:
    value: Any = data
    for step in (key or "").split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
