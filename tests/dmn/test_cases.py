"""Every file of cases/: a small DMN file named after what it shows and the section of DMN 1.5, and beside it what must come out.

JSON beside the file: a list of cases or {"cases": [...], "findings": [[rule, severity, element id], ...]} (all findings, in any order).
A case: decision, context, and value (JSON) or error (code); optional rules (matched rule numbers), warnings (count), order (of decisions).
In a context {"@": "FEEL"} stands for the value of that expression.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.dmn import DecisionModel, parse_dmn
from engine.errors import LianbanError
from engine.feel import compile_expression, to_json

CASES = Path(__file__).with_name("cases")
FILES = sorted(CASES.glob("*.dmn"))


def load(path: Path) -> tuple[list[dict[str, Any]], list[list[str]] | None]:
    content = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return (content, None) if isinstance(content, list) else (content["cases"], content["findings"])


def model_of(path: Path) -> DecisionModel:
    return parse_dmn(path.read_bytes(), path.name)


def context_of(raw: dict[str, Any]) -> dict[str, Any]:
    def value(part: Any) -> Any:
        return compile_expression(part["@"]).evaluate({}) if isinstance(part, dict) and "@" in part else part

    return {key: value(part) for key, part in raw.items()}


ALL = [pytest.param(path, case, id=f"{path.stem}-{n}") for path in FILES for n, case in enumerate(load(path)[0], 1)]


@pytest.mark.parametrize(("path", "case"), ALL)
def test_case(path: Path, case: dict[str, Any]) -> None:
    model = model_of(path)
    if "error" in case:
        with pytest.raises(LianbanError) as caught:
            model.evaluate(case["decision"], context_of(case["context"]))
        assert caught.value.code == case["error"]
        return
    result = model.evaluate(case["decision"], context_of(case["context"]))
    assert to_json(result.value) == case["value"]
    last = result.trace[-1]
    if "rules" in case:
        assert [rule["ruleIndex"] for rule in last["matchedRules"]] == case["rules"]
    if "warnings" in case:
        assert sum(len(entry.get("warnings", [])) for entry in result.trace) == case["warnings"]
    if "order" in case:
        assert [entry["decisionId"] for entry in result.trace] == case["order"]
    json.dumps(result.trace)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_findings(path: Path) -> None:
    expected = load(path)[1]
    found = model_of(path).findings
    if expected is None:
        assert [str(finding) for finding in found if finding.severity == "error"] == []
        return
    assert sorted([one.rule, one.severity, one.element_id] for one in found) == sorted(expected)
    assert all(one.line > 0 and one.resource == path.name and one.message and one.message_en for one in found)
