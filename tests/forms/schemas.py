"""Small builders of form-js schemas for the tests of this folder."""

from __future__ import annotations

from itertools import count
from typing import Any

_ids = count(1)
Json = dict[str, Any]


def form(*components: Json) -> Json:
    """A form of these components."""
    return {"type": "default", "id": "f", "schemaVersion": 19, "components": list(components)}


def field(kind: str, key: str, label: str = "", **options: Any) -> Json:
    """A component with a key."""
    return {"type": kind, "id": f"Field_{next(_ids)}", "key": key, "label": label or key, **options}


def text(key: str, label: str = "", **options: Any) -> Json:
    return field("textfield", key, label, **options)


def number(key: str, label: str = "", **options: Any) -> Json:
    return field("number", key, label, **options)


def select(key: str, *values: Any, label: str = "", **options: Any) -> Json:
    return field("select", key, label, values=[{"label": str(value), "value": value} for value in values], **options)


def group(path: str, *components: Json, **options: Any) -> Json:
    """A group; `path` "" for one that is only visual."""
    return {
        "type": "group",
        "id": f"Group_{next(_ids)}",
        "label": path,
        **({"path": path} if path else {}),
        "components": list(components),
        **options,
    }


def rows(path: str, *components: Json, **options: Any) -> Json:
    """A dynamic list."""
    return {
        "type": "dynamiclist",
        "id": f"List_{next(_ids)}",
        "label": path,
        "path": path,
        "isRepeating": True,
        "allowAddRemove": True,
        "components": list(components),
        **options,
    }


def hide(expression: str) -> Json:
    return {"conditional": {"hide": f"={expression}"}}
