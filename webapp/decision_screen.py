"""Why a decision came out as it did, in words: the same for the task page, the project page and the playground (`_decision.html`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from engine.store import reads
from handlers.catalogue.service import catalogue
from webapp.rendering import number


def explain(trace: Sequence[Mapping[str, Any]], output: Any, *, name: str = "", at: datetime | None = None) -> dict[str, Any]:
    """A decision's trace (as engine.dmn gives it) for `_decision.html`: the decision itself first, then those it required."""
    parts = [_part(entry) for entry in reversed(trace)]
    return {"name": name or (parts[0]["name"] if parts else ""), "at": at, "output": in_words(output), "parts": parts}


def of_project(session: Session, project_id: int) -> list[dict[str, Any]]:
    """Every decision taken for a project, newest first. The caller has checked that the visitor may see the project."""
    rows = reads.decisions_of_business(session, str(project_id))
    return [explain(row.trace, row.output, name="" if row.trace else row.decision_id, at=row.at) for row in reversed(rows)]


def _part(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One decision of the graph: what was known of its inputs and what was not, the rules that matched, what it gave."""
    inputs = [(item.get("name") or item.get("id"), item.get("value")) for item in entry.get("inputs", [])]
    return {
        "id": entry.get("decisionId", ""),
        "name": entry.get("decisionName") or entry.get("decisionId", ""),
        "is_table": entry.get("type") == "DECISION_TABLE",
        "inputs": [(label, in_words(value)) for label, value in inputs if value is not None],
        "blank": [label for label, value in inputs if value is None],
        "rules": [_rule(rule) for rule in entry.get("matchedRules", [])],
        "output": in_words(entry.get("output")),
    }


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    outputs = rule.get("outputs", [])
    words = [in_words(item.get("value")) if len(outputs) == 1 else f"{item.get('name')} {in_words(item.get('value'))}" for item in outputs]
    return {"index": rule.get("ruleIndex"), "output": "，".join(words), "note": rule.get("annotation", "")}


def in_words(value: Any) -> str:
    """A JSON value for people: 是 and 否, lists with 、, unit codes by their names."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return str(_("是") if value else _("否"))
    if isinstance(value, (list, tuple)):
        return "、".join(in_words(item) for item in value) or _("无")
    if isinstance(value, dict):
        return "，".join(f"{name} {in_words(item)}" for name, item in value.items())
    if isinstance(value, (int, float)):
        return number(value)
    unit = catalogue().units.get(str(value))
    return str(unit.short_name) if unit is not None else str(value)
