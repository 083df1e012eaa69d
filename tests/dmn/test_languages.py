"""What is wrong with a decision, or went wrong in it, is said in one language; only the file's own words stand in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.dmn import DecisionModel, DmnInvalid, parse_dmn
from engine.errors import LianbanError
from engine.feel import Environment
from tests.dmn.build import definitions, table
from tests.dmn.test_cases import FILES, context_of, load
from tests.dmn.test_hostile_xml import HOSTILE
from tests.feel.test_languages import HAN, QUOTED, WORD

Said = tuple[str, str]
DMN_WORDS = {
    "true",
    "false",
    "FEEL",
    "DMN",
    "XML",
    "DOCTYPE",
    "CPU",
    "MB",
    "COLLECT",
    "UNIQUE",
    "ANY",
    "null",
    "definitions",
    "id",
    "camunda",
    "inputVariable",
}
OVERLAP = [["> 1", "1"], ["> 2", "2"]]
RECURSIVE = """<decision id="d" name="d"><contextEntry/><context><contextEntry><variable name="f"/><functionDefinition>
<formalParameter name="n"/><literalExpression><text>f(n + 1)</text></literalExpression></functionDefinition></contextEntry>
<contextEntry><literalExpression><text>f(1)</text></literalExpression></contextEntry></context></decision>"""
TABLES = {
    "overlap": table("UNIQUE", ["a"], ["b"], OVERLAP),
    "any": table("ANY", ["a"], ["b"], OVERLAP),
    "perhaps": table("UNIQUE", ["a"], ["b"], [["> x", "1"], ["> 2", "2"]]),
    "gap": table("UNIQUE", ["a", "c"], ["b"], [["1", '"x"', "1"], ["2", "-", "2"]]),
    "policy": table("BEST", ["a"], ["b"], OVERLAP),
    "priority": table("PRIORITY", ["a"], ["b"], OVERLAP),
    "aggregation": table("FIRST", ["a"], ["b"], OVERLAP, aggregation="SUM"),
    "aggregations": table("COLLECT", ["a"], ["b", "c"], [["1", "2", "3"]], aggregation="MEAN"),
    "short": table("UNIQUE", ["a"], ["b", "c"], [["1", "2"]]),
    "syntax": table("UNIQUE", ["a +"], ["b"], [["1 +", "2"]]),
    "values": table("UNIQUE", ["a"], ["b"], [["1", '"z"']], output_values='"x","y"'),
    "values found": table("UNIQUE", ["a"], ["b"], [["-", "a"]], output_values='"x","y"'),
    "empty list": table("RULE ORDER", ["a"], ["b"], [["1", "2"]]),
    "unnamed": table("UNIQUE", [""], ["", ""], [["1", "2", "3"]]),
    "recursive": definitions(RECURSIVE),
    "empty": definitions('<decision id="d" name="d"/><decision id="d" name="e"/><decision name="f"/>'),
    "broken": definitions('<decision id="d" name="d"><literalExpression><text>1 +</text></literalExpression></decision>'),
    "unknown": definitions('<decision id="d" name="d"><variable name="d" typeRef="tNone"/><other/></decision>'),
}


def told(model: DecisionModel, decision: str, context: dict[str, object]) -> Iterator[Said]:
    """All that an evaluation says, beside its value."""
    try:
        trace = model.evaluate(decision, context, Environment(max_depth=20)).trace
    except LianbanError as error:
        yield error.message("zh"), error.message("en")
        return
    yield from ((warning["message"], warning["messageEn"]) for entry in trace for warning in entry.get("warnings", []))


def check(source: str, said: Iterator[Said] | list[Said]) -> int:
    """Fails where Han characters stand in English, or English words in Chinese, that the file does not hold -> how much was said."""
    count = 0
    for chinese, english in said:
        count += 1
        assert set(HAN.findall(english)) <= set(source), english
        own = set(WORD.findall(source)) | DMN_WORDS
        assert HAN.search(chinese), chinese
        stray = [word for word in WORD.findall(QUOTED.sub("", chinese)) if word not in own]
        assert not stray, (stray, chinese)
    return count


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_that_the_cases_say(path: Path) -> None:
    source, cases = path.read_text(encoding="utf-8"), load(path)[0]
    model = parse_dmn(source.encode())
    check(source, [(finding.message, finding.message_en) for finding in model.findings])
    for case in cases:
        check(source, told(model, case["decision"], context_of(case["context"])))


@pytest.mark.parametrize("name", TABLES)
def test_what_is_wrong_with_a_file(name: str) -> None:
    source = TABLES[name].decode()
    model = parse_dmn(TABLES[name])
    count = check(source, [(finding.message, finding.message_en) for finding in model.findings])
    for value in (1, 3, "text", None):
        count += check(source, told(model, "d", {"a": value, "c": value, "x": value}))
    assert count, "it says nothing"


@pytest.mark.parametrize("name", HOSTILE)
def test_why_a_file_is_refused(name: str) -> None:
    with pytest.raises(DmnInvalid) as refused:
        parse_dmn(HOSTILE[name], "bad.dmn")
    check("bad.dmn " + HOSTILE[name][:2000].decode("utf-8", errors="replace"), [(refused.value.message("zh"), refused.value.message("en"))])
