"""A form-js schema (schemaVersion up to 19) as a tree of fields: what each component type is and where its value lives.

Source of the component types and of their data paths: form-js 2.0 (keyed components have `key`, groups and dynamic lists `path`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_SCHEMA_VERSION = 19
KEYED = frozenset(
    {
        "checkbox",
        "checklist",
        "datetime",
        "expression",
        "filepicker",
        "number",
        "radio",
        "select",
        "taglist",
        "textarea",
        "textfield",
    }
)
CONTAINERS = frozenset({"default", "group", "dynamiclist"})
PRESENTATION = frozenset({"button", "documentPreview", "html", "iframe", "image", "separator", "spacer", "table", "text"})
TYPES = KEYED | CONTAINERS | PRESENTATION
OPTION_TYPES = frozenset({"checklist", "radio", "select", "taglist"})
MULTIPLE = frozenset({"checklist", "taglist", "filepicker"})


@dataclass(frozen=True, slots=True)
class Field:
    """One component. `path`: its own part of the data path (dots split); `options`: the component as in the schema."""

    type: str
    id: str
    path: tuple[str, ...]
    options: Mapping[str, Any]
    children: tuple[Field, ...]

    @property
    def keyed(self) -> bool:
        """True if the component carries a value of the submission."""
        return self.type in KEYED and bool(self.path)

    @property
    def repeating(self) -> bool:
        """True for a dynamic list whose rows repeat (form-js makes every dynamic list repeat unless told otherwise)."""
        return self.type == "dynamiclist" and bool(self.path) and self.options.get("isRepeating", True) is not False

    @property
    def validate(self) -> Mapping[str, Any]:
        """The `validate` part, empty if none."""
        return mapping(self.options.get("validate"))

    @property
    def properties(self) -> Mapping[str, Any]:
        """Custom properties (strings by key), empty if none."""
        return mapping(self.options.get("properties"))

    @property
    def label(self) -> str:
        """The label as written in the schema (may be an expression or a template)."""
        for name in ("label", "dateLabel", "timeLabel"):
            text = self.options.get(name)
            if isinstance(text, str) and text.strip():
                return text
        return self.path[-1] if self.path else self.id

    @property
    def hide(self) -> str:
        """The expression of `conditional.hide` with its leading "=", "" if none."""
        hide = mapping(self.options.get("conditional")).get("hide")
        return hide if isinstance(hide, str) else ""

    def walk(self) -> Iterator[Field]:
        """This field and everything below it, in the order of the schema."""
        yield self
        for inner in self.children:
            yield from inner.walk()


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is a JSON object, else an empty one: a hand-written schema may hold anything."""
    return value if isinstance(value, Mapping) else {}


def read_schema(schema: Mapping[str, Any]) -> Field:
    """The root field of a schema. Unknown component types stay in the tree (lint names them) but carry no value."""
    return _field({"type": "default", **schema}, "root")


def _field(component: Mapping[str, Any], position: str) -> Field:
    kind = str(component.get("type", ""))
    raw = component.get("key") if kind in KEYED else component.get("path") if kind in ("group", "dynamiclist") else None
    children = component.get("components")
    return Field(
        type=kind,
        id=str(component.get("id") or position),
        path=tuple(part for part in raw.split(".")) if isinstance(raw, str) and raw else (),
        options=component,
        children=tuple(
            _field(part, f"{position}.{index}")
            for index, part in enumerate(children if isinstance(children, list) else [])
            if isinstance(part, Mapping)
        ),
    )
