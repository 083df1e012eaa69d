"""The public face: findings with places, imports by a resolver, trace, limits, lazy contexts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.dmn import parse_dmn
from engine.errors import DecisionError, LianbanError, LimitExceeded, NotFound
from engine.feel import Environment, to_json
from tests.dmn.build import definitions, table

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
BASE = definitions(
    """<itemDefinition name="tKind"><typeRef>string</typeRef><allowedValues><text>"a","b"</text></allowedValues></itemDefinition>
    <inputData id="i" name="amount"><variable name="amount" typeRef="number"/></inputData>
    <decision id="fee" name="fee"><variable name="fee"/><informationRequirement><requiredInput href="#i"/></informationRequirement>
    <literalExpression><text>amount * 2</text></literalExpression></decision>
    <businessKnowledgeModel id="k" name="twice"><encapsulatedLogic><formalParameter name="n"/>
    <literalExpression><text>n * 2</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>""",
    "urn:base",
)
USER = definitions(
    f"""<import name="base" namespace="urn:base" importType="{DMN}" locationURI="base.dmn"/>
    <decision id="d" name="d"><variable name="d"/>
    <informationRequirement><requiredDecision href="urn:base#fee"/></informationRequirement>
    <knowledgeRequirement><requiredKnowledge href="urn:base#k"/></knowledgeRequirement>
    <literalExpression><text>base.fee + base.twice(1)</text></literalExpression></decision>
    <decision id="t" name="t"><variable name="t" typeRef="base.tKind"/><literalExpression><text>x</text></literalExpression></decision>""",
    "urn:user",
)


def test_import_by_resolver() -> None:
    asked: list[tuple[str, str]] = []

    def resolve(namespace: str, location: str) -> bytes | None:
        asked.append((namespace, location))
        return BASE

    model = parse_dmn(USER, "user.dmn", resolve)
    assert asked == [("urn:base", "base.dmn")]
    assert [finding.rule for finding in model.findings] == []
    result = model.evaluate("d", {"amount": 5})
    assert result.value == 12
    assert [entry["decisionId"] for entry in result.trace] == ["fee", "d"]
    assert to_json(model.evaluate("t", {"x": "a"}).value) == "a"
    assert model.evaluate("t", {"x": "z"}).value is None


def test_import_without_resolver_is_an_error() -> None:
    assert {"dmn-unknown-import", "dmn-unknown-requirement"} <= {finding.rule for finding in parse_dmn(USER, "user.dmn").findings}


def test_import_cycle_is_an_error() -> None:
    findings = parse_dmn(USER, "user.dmn", lambda _namespace, _location: USER).findings
    assert {"dmn-unknown-import"} <= {finding.rule for finding in findings} or {"dmn-import-cycle"} <= {f.rule for f in findings}
    loop = definitions(f'<import name="me" namespace="urn:loop" importType="{DMN}"/>', "urn:loop")
    assert "dmn-import-cycle" in {finding.rule for finding in parse_dmn(loop, "l.dmn", lambda _n, _l: loop).findings}


def test_foreign_import_type_is_refused() -> None:
    xml = definitions('<import name="p" namespace="urn:p" importType="http://www.dmg.org/PMML-4_2"/>')
    assert "dmn-unsupported" in {finding.rule for finding in parse_dmn(xml).findings}


def test_finding_names_cell_element_and_line() -> None:
    xml = definitions("""<decision id="d" name="用地规则">
      <decisionTable id="t"><input id="i" label="面积"><inputExpression><text>area</text></inputExpression></input>
        <output id="o" name="x"/>
        <rule id="r">
          <inputEntry id="c"><text>&gt; &gt;</text></inputEntry>
          <outputEntry id="e"><text>1</text></outputEntry></rule></decisionTable></decision>""")
    (finding,) = [one for one in parse_dmn(xml, "land.dmn").findings if one.rule == "dmn-syntax"]
    assert (finding.element_id, finding.element_name, finding.line, finding.resource) == ("c", "规则 1 · 面积", 5, "land.dmn")
    assert finding.severity == "error"


def test_trace_has_inputs_matched_rules_and_outputs() -> None:
    result = parse_dmn(table("COLLECT", ["x"], ["unit", "days"], [["> 1", '"ZJJ"', "x"], ["> 5", '"SLJ"', "1"]])).evaluate("d", {"x": 2})
    assert result.trace == [
        {
            "decisionId": "d",
            "decisionName": "d",
            "type": "DECISION_TABLE",
            "inputs": [{"id": "t", "name": "x", "value": 2}],
            "matchedRules": [
                {"ruleId": "r1", "ruleIndex": 1, "outputs": [{"name": "unit", "value": "ZJJ"}, {"name": "days", "value": 2}]},
            ],
            "output": [{"unit": "ZJJ", "days": 2}],
        }
    ]


def test_null_is_explained_in_the_trace() -> None:
    xml = definitions('<decision id="d" name="d"><literalExpression id="l"><text>missing + 1</text></literalExpression></decision>')
    (entry,) = parse_dmn(xml).evaluate("d", {}).trace
    assert entry["output"] is None
    assert "missing" in entry["warnings"][0]["message"]
    assert entry["warnings"][0]["elementId"] == "l"


def test_unknown_decision() -> None:
    with pytest.raises(NotFound):
        parse_dmn(definitions("")).evaluate("nope", {})


def test_unique_with_two_matches_names_the_rules() -> None:
    with pytest.raises(DecisionError, match="规则 1、2"):
        parse_dmn(table("UNIQUE", ["x"], ["o"], [["-", "1"], ["-", "2"]])).evaluate("d", {"x": 1})


class Lazy(Mapping[str, Any]):
    """A context that refuses to be listed."""

    def __getitem__(self, key: str) -> Any:
        if key == "x":
            return 7
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a lazy context must not be iterated")

    def __len__(self) -> int:
        raise AssertionError("a lazy context must not be counted")


def test_context_may_be_lazy() -> None:
    assert parse_dmn(table("FIRST", ["x"], ["o"], [["> 5", "x + 1"]])).evaluate("d", Lazy()).value == 8


def test_endless_work_ends_with_an_error() -> None:
    loops = "<for iteratorVariable='a'><in><literalExpression><text>1..3000</text></literalExpression></in><return>" * 3
    loops = loops.replace("1..3000", "for n in 1..3000 return n")
    xml = definitions(
        f'<decision id="d" name="d">{loops}<literalExpression><text>1</text></literalExpression>{"</return></for>" * 3}</decision>'
    )
    with pytest.raises(LimitExceeded):
        parse_dmn(xml).evaluate("d", {}, Environment(cpu_ms=20))


def test_error_of_a_decision_is_ours() -> None:
    xml = definitions('<decision id="d" name="d"><literalExpression><text>)</text></literalExpression></decision>')
    with pytest.raises(LianbanError):
        parse_dmn(xml).evaluate("d", {})


def test_business_time_comes_from_the_environment() -> None:
    from datetime import UTC, datetime

    xml = definitions('<decision id="d" name="d"><literalExpression><text>today().year</text></literalExpression></decision>')
    assert parse_dmn(xml).evaluate("d", {}, Environment(now=lambda: datetime(2022, 8, 1, tzinfo=UTC))).value == 2022


def test_required_decision_is_known_by_name_and_by_id() -> None:
    xml = definitions(
        """<decision id="variant_id" name="v"><variable name="variant"/><literalExpression><text>4</text></literalExpression></decision>
        <decision id="d" name="d"><informationRequirement><requiredDecision href="#variant_id"/></informationRequirement>
        <literalExpression><text>[variant, variant_id]</text></literalExpression></decision>"""
    )
    assert to_json(parse_dmn(xml).evaluate("d", {}).value) == [4, 4]


PROCESSES = sorted((Path(__file__).resolve().parents[2] / "processes").glob("*.dmn"))


@pytest.mark.parametrize("path", PROCESSES, ids=lambda path: path.stem)
def test_decisions_of_the_house_have_no_errors(path: Path) -> None:
    model = parse_dmn(path.read_bytes(), path.name)
    assert [str(finding) for finding in model.findings if finding.severity == "error"] == []
    assert path.stem in model.decisions
    model.evaluate(path.stem, {})  # missing variables never break a decision


def test_a_table_of_500_rules_is_checked_in_bounded_time() -> None:
    rules = [[f"[{n}..{n + 1})", f">= {n % 50}", f'"{n % 7}"', str(n)] for n in range(500)]
    start = time.process_time()
    findings = parse_dmn(table("UNIQUE", ["x", "y", "z"], ["o"], rules)).findings
    assert time.process_time() - start < 5
    assert {finding.rule for finding in findings} == {"dmn-gap"}


def test_many_overlaps_are_summed_up() -> None:
    findings = parse_dmn(table("UNIQUE", ["x"], ["o"], [["-", "1"]] * 30)).findings
    assert [finding.rule for finding in findings] == ["dmn-overlap"] * 51
    assert "385" in findings[-1].message


@pytest.mark.parametrize("call", ["twice()", "twice(1, 2)", "served()", "served(1, 2)"])
def test_a_function_called_with_another_number_of_arguments_is_null_with_a_warning(call: str) -> None:
    """§10.3.2.13.1: neither a business knowledge model nor a decision service guesses what is missing."""
    model = parse_dmn(
        definitions(
            f"""<inputData id="i" name="n"><variable name="n"/></inputData>
            <decision id="out" name="out"><variable name="out"/><informationRequirement><requiredInput href="#i"/></informationRequirement>
            <literalExpression><text>n</text></literalExpression></decision>
            <decisionService id="s" name="served"><variable name="served"/><outputDecision href="#out"/><inputData href="#i"/>
            </decisionService>
            <businessKnowledgeModel id="k" name="twice"><encapsulatedLogic><formalParameter name="n"/>
            <literalExpression><text>n * 2</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>
            <decision id="d" name="d"><variable name="d"/><knowledgeRequirement><requiredKnowledge href="#k"/></knowledgeRequirement>
            <knowledgeRequirement><requiredKnowledge href="#s"/></knowledgeRequirement>
            <literalExpression><text>{call}</text></literalExpression></decision>""",
            "urn:arity",
        ),
        "arity.dmn",
    )
    result = model.evaluate("d", {})
    assert result.value is None
    assert "1 个参数" in str(result.trace)
