"""What people answered in a form, as label and text: for opinions, histories and lists. Labels come from the form itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RESULT_FIELDS = ("opinion", "result", "decision", "conclusion", "accept_result", "accept", "jl", "choice", "method")
"""Field keys that carry a form's main answer, most telling first."""
LONGEST_TEXT = 400


def result_of(submission: Mapping[str, Any] | None) -> str:
    """The main answer of a submission ("同意", "准予", ...), "" when it has none."""
    for part in (submission or {}).values():
        if isinstance(part, dict):
            for name in RESULT_FIELDS:
                if isinstance(part.get(name), str) and part[name]:
                    return str(part[name])
    return ""


def answer_lines(schema: Mapping[str, Any], data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, text) of every field of a form-js schema that was answered, in the form's order."""
    return list(_lines(schema.get("components", []), data))


def _lines(components: list[dict[str, Any]], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for component in components:
        kind, path = component.get("type"), component.get("path") or ""
        if kind == "dynamiclist":
            rows = _at(data, path)
            if isinstance(rows, list) and rows:
                yield component.get("label") or "", "；".join(_row_text(component, row) for row in rows)
        elif kind in ("group", "default"):
            inner = _at(data, path) if path else data
            yield from _lines(component.get("components", []), inner if isinstance(inner, dict) else {})
        elif component.get("key"):
            text = _text(component, _at(data, component["key"]))
            label = component.get("label") or component.get("dateLabel") or component.get("timeLabel")
            if text and label:
                yield label, text


def _row_text(component: Mapping[str, Any], row: Any) -> str:
    parts = _lines(component.get("components", []), row) if isinstance(row, dict) else ()
    return " ".join(text for _label, text in parts)


def _at(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _text(component: Mapping[str, Any], value: Any) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_text(component, item) for item in value if not _is_file(item)) or f"{len(value)} 个文件"
    if isinstance(value, dict):
        return " ".join(str(v) for v in value.values() if v)
    for option in component.get("values") or []:
        if option.get("value") == value:
            return str(option.get("label") or value)
    return str(value)[:LONGEST_TEXT]


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("files::")
