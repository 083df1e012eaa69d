"""The trace of an evaluation as JSON: why a decision came out as it did."""

from __future__ import annotations

import re
from typing import Any

from engine.dmn.model import Box, Table, Where
from engine.dmn.session import Record
from engine.errors import Said
from engine.feel import to_json


def kind_of(box: Box | None) -> str:
    """DECISION_TABLE, LITERAL_EXPRESSION, CONTEXT, INVOCATION ... (Camunda's words for the first two)."""
    if box is None:
        return "NONE"
    if isinstance(box, Table):
        return "DECISION_TABLE"
    name = type(box).__name__.removesuffix("Box")
    return "LITERAL_EXPRESSION" if name == "Literal" else re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def trace_json(record: Record) -> dict[str, Any]:
    """One decision's entry."""
    entry: dict[str, Any] = {
        "decisionId": record.decision_id,
        "decisionName": record.decision_name,
        "type": record.kind,
        "inputs": [{"id": id_, "name": name, "value": to_json(value)} for id_, name, value in record.inputs],
        "matchedRules": [
            {
                "ruleId": rule.rule_id,
                "ruleIndex": rule.index,
                "outputs": [{"name": name, "value": to_json(value)} for name, value in rule.outputs],
                **({"annotation": rule.annotation} if rule.annotation else {}),
            }
            for rule in record.rules
        ],
        "output": to_json(record.output),
    }
    if record.warnings:
        entry["warnings"] = [_warning(where, message) for where, message in record.warnings]
    return entry


def _warning(where: Where, message: Said) -> dict[str, str]:
    return {"elementId": where.id, "elementName": str(where.name), "message": str(message), "messageEn": message.english}
