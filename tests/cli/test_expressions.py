"""`lianban feel` and `lianban decide`: results on stdout, reasons on stderr, the place of a mistake marked; no database is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.settings import ROOT
from webapp.cli import main
from webapp.cli.expressions import marked

PROCESSES = ROOT / "processes"


@pytest.fixture(autouse=True)
def nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database address that would leave a file if it were opened."""
    monkeypatch.setenv("LIANBAN_DATABASE_URL", f"sqlite:///{tmp_path / 'opened.db'}")
    yield
    assert not (tmp_path / "opened.db").exists()


class Said:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def lianban(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> Said:
        code = main(arguments)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.mark.parametrize(
    ("expression", "context", "result"),
    [
        ("1 + 2", "{}", 3),
        ("= sum(items) * 2", '{"items": [1, 2.5]}', 7),
        ("总投资 * 0.1", '{"总投资": 12.10}', 1.21),
        ("项目 总投资 > 5", '{"项目 总投资": 6}', True),
        ('{a: date("2022-05-12"), b: [null, "x"]}', "", {"a": "2022-05-12", "b": [None, "x"]}),
        ('add workdays(date("2022-06-24"), 20)', "{}", "2022-07-27"),
        ('add workdays(date("2022-05-03"), 2)', "{}", "2022-05-07"),
    ],
)
def test_feel_prints_the_result_as_json(lianban: Any, expression: str, context: str, result: object) -> None:
    said = lianban("feel", expression, "--context", context)
    assert (said.code, json.loads(said.out), said.err) == (0, result, "")


def test_feel_keeps_every_digit_of_the_context(lianban: Any) -> None:
    assert (
        lianban("feel", "a = 0.1 + 0.2 and b = 12345678901234567890", "--context", '{"a": 0.3, "b": 12345678901234567890}').out == "true\n"
    )


def test_feel_reads_the_context_from_a_file(lianban: Any, tmp_path: Path) -> None:
    path = tmp_path / "context.json"
    path.write_text('\ufeff{"amount": 1200}', encoding="utf-8")  # as Notepad saves it
    assert lianban("feel", "amount > 1000", "--context", f"@{path}").out == "true\n"
    missing = lianban("feel", "1", "--context", f"@{tmp_path}/none.json")
    assert (missing.code, missing.out) == (1, "")
    assert "none.json" in missing.err


def test_feel_says_why_something_is_null_and_where(lianban: Any) -> None:
    said = lianban("feel", "1 + amuont")
    assert (said.code, said.out) == (0, "null\n")
    assert "第 5 个字：没有变量“amuont”" in said.err


def test_feel_marks_the_place_of_a_mistake(lianban: Any) -> None:
    said = lianban("feel", "1 + ) * 2")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[:2] == ["  1 + ) * 2", "      ^"]
    assert "第 5 个字" in said.err


def test_the_mark_stands_right_after_chinese_and_in_several_lines() -> None:
    assert marked("总投资 > )", 6).splitlines() == ["  总投资 > )", "           ^"]
    assert marked("if a\nthen )\nelse 2", 10).splitlines() == ["  then )", "       ^"]
    assert marked("1 +", 3).splitlines() == ["  1 +", "     ^"]


@pytest.mark.parametrize(
    ("tests", "value", "result"),
    [
        ("> 5, 3", "7", True),
        ("> 5, 3", "4", False),
        ('not("新建", "扩建")', '"改建"', True),
        ("? + 1 = limit", "9", True),
        ('[date("2022-05-01")..date("2022-05-31")]', 'date("2022-05-12")', True),
        ("-", "null", True),
    ],
)
def test_feel_unary_tests(lianban: Any, tests: str, value: str, result: bool) -> None:
    said = lianban("feel", tests, "--unary", value, "--context", '{"limit": 10}')
    assert (said.code, json.loads(said.out)) == (0, result)


def test_feel_marks_a_mistake_in_the_tested_value(lianban: Any) -> None:
    said = lianban("feel", "> 5", "--unary", "1 +")
    assert said.code == 1
    assert said.err.splitlines()[0] == "  1 +"


def test_feel_lists_the_variables_without_evaluating(lianban: Any) -> None:
    said = lianban("feel", "if a.b > 总投资 then items[price > 1] else count(x)", "--vars")
    assert said.out.split() == ["a", "items", "x", "总投资"]
    assert "price" in said.err
    assert lianban("feel", "> low, [1..high]", "--unary", "1", "--vars").out.split() == ["high", "low"]


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("{", "第 1 行第 2 个字"),
        ("[1]", "应为 JSON 对象"),
        ('{"a": 1,\n "b" 2}', "第 2 行第 6 个字"),
        ("{'a': 1}", "双引号"),
        ('{"a": NaN}', "NaN"),
        ('{"a":' + "[" * 100_000, "嵌套太深"),
        ('{"a": ' + "9" * 5_000 + "}", "数字太长"),
    ],
)
def test_a_context_that_is_none_is_explained(lianban: Any, context: str, words: str) -> None:
    said = lianban("feel", "1", "--context", context)
    assert (said.code, said.out) == (1, "")
    assert words in said.err


def test_feel_is_stopped_at_its_limits(lianban: Any) -> None:
    said = lianban("feel", "for a in 1..1000000 return for b in 1..1000000 return a * b")
    assert (said.code, said.out) == (1, "")
    assert "items)" in said.err or "CPU time)" in said.err


# ---------------------------------------------------------------------- decide
def test_decide_prints_the_result(lianban: Any) -> None:
    context = json.dumps({"project": {"tzly": "政府投资", "sfxxgc": True}})
    said = lianban("decide", str(PROCESSES / "project_variant.dmn"), "project_variant", "--context", context)
    assert (said.code, json.loads(said.out)) == (0, 2)
    assert "tdhqfs" in said.err, "what was missing is told"


def test_decide_explains_with_trace(lianban: Any) -> None:
    context = json.dumps({"application": {"jzgd": 25}, "review": {"limits": {"jzgd": 24}}})
    said = lianban("decide", str(PROCESSES), "indicator_check", "--context", context, "--trace")
    first, _, explanation = said.out.partition("\n\n")
    assert json.loads(first)["ok"] is False
    assert "不符合规划条件的指标（indicator_violations，DECISION_TABLE）" in explanation
    assert "建筑高度超出 = 1\n" in explanation
    assert "第 1 行 ->" in explanation


def test_decide_finds_a_decision_by_its_name(lianban: Any) -> None:
    context = '{"project": {"gcfl": "房屋建筑"}}'
    by_name = lianban("decide", str(PROCESSES), "联合审查单位", "--context", context)
    assert by_name.out == lianban("decide", str(PROCESSES), "review_units", "--context", context).out
    assert "ZRZYJ" in json.loads(by_name.out)


def test_decide_names_what_there_is(lianban: Any, tmp_path: Path) -> None:
    said = lianban("decide", str(PROCESSES / "review_units.dmn"), "review_unit")
    assert (said.code, said.out) == (1, "")
    assert "review_units" in said.err
    assert lianban("decide", str(tmp_path / "none.dmn"), "x").code == 1
    assert lianban("decide", str(tmp_path), "x").code == 1


def test_decide_refuses_what_is_no_dmn(lianban: Any, tmp_path: Path) -> None:
    for content in (
        b"",
        b"<a/>",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b"\xff\xfe\x00",
    ):
        (tmp_path / "x.dmn").write_bytes(content)
        said = lianban("decide", str(tmp_path / "x.dmn"), "x")
        assert (said.code, said.out) == (1, "")
        assert "root:" not in said.err


DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
BASE = f"""<definitions xmlns="{DMN}" id="base" name="base" namespace="base">
  <decision id="rate" name="rate"><variable name="rate"/>
    <literalExpression><text>amount / 10</text></literalExpression></decision>
</definitions>"""
TOP = f"""<definitions xmlns="{DMN}" id="top" name="top" namespace="top">
  <import namespace="base" name="b" locationURI="../../etc/elsewhere.dmn" importType="{DMN}"/>
  <decision id="fee" name="费用"><variable name="fee"/>
    <informationRequirement><requiredDecision href="base#rate"/></informationRequirement>
    <literalExpression><text>b.rate + 1</text></literalExpression></decision>
</definitions>"""


@pytest.mark.parametrize("whole_folder", [True, False])
def test_decide_finds_imports_in_the_same_folder_by_namespace(lianban: Any, tmp_path: Path, whole_folder: bool) -> None:
    (tmp_path / "a_broken.dmn").write_text("<", encoding="utf-8")
    (tmp_path / "base.dmn").write_text(BASE, encoding="utf-8")
    (tmp_path / "top.dmn").write_text(TOP, encoding="utf-8")
    if whole_folder:
        (tmp_path / "a_broken.dmn").unlink()
    target = tmp_path if whole_folder else tmp_path / "top.dmn"
    said = lianban("decide", str(target), "fee", "--context", '{"amount": 30}')
    assert (said.code, said.out) == (0, "4\n"), said.err
