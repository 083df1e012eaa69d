"""The analysts' playground: results with their reasons and places, refusals in place, limits, decisions with their trace; analysts only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.settings import ROOT
from engine.store import reads
from handlers.directory import service as directory
from tests.snapshots import Snapshots
from tests.webapp.conftest import add_people, log_in
from webapp import SMALL_BODY_BYTES
from webapp.composition import open_lianban
from webapp.languages import COOKIE as LANGUAGE
from webapp.playground_screen import EXAMPLES, MAX_EXPRESSION

FRAGMENT = {"X-Fragment": "result"}


def add_analyst(engine: Engine) -> None:
    """A filling: the usual people and an analyst."""
    add_people(engine)
    with engine.unit_of_work() as session:
        directory.create_demo_user(session, "fenxi", "周分析", "analyst", [])


@pytest.fixture
def people(request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots) -> Iterator[Engine]:
    """The engine with the working calendar; nothing here depends on the kind of database."""
    with snapshots.opened("sqlite", request, tmp_path, add_analyst, open_lianban) as (engine, _nothing):
        yield engine


@pytest.fixture
def analyst(app: Flask) -> FlaskClient:
    return log_in(app, "fenxi")


@pytest.fixture
def decisions(people: Engine) -> None:
    files = [ROOT / "processes" / name for name in ("review_units.dmn", "indicator_check.dmn")]
    with people.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [(file.name, file.read_bytes()) for file in files], name="lianban")


def ask(client: FlaskClient, **form: str) -> str:
    """The fragment that answers what was typed, as text without its tags."""
    answer = client.post("/playground", data={"tab": "expression"} | form, headers=FRAGMENT)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "<html" not in page
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize("username", ["li", "muge"])
def test_only_those_who_deploy_may_try(app: Flask, username: str) -> None:
    client = log_in(app, username)
    assert client.get("/playground").status_code == 403
    assert client.post("/playground", data={"expression": "1"}).status_code == 403
    assert "/playground" not in client.get("/tasks").get_data(as_text=True)


def test_nobody_else_may_try(client: FlaskClient) -> None:
    assert client.post("/playground", data={"expression": "1"}).status_code in {302, 303, 401}


def test_another_site_may_not_evaluate(analyst: FlaskClient) -> None:
    assert analyst.post("/playground", data={"expression": "1"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_analysts_find_it(analyst: FlaskClient, decisions: None) -> None:
    assert 'href="/playground"' in analyst.get("/definitions").get_data(as_text=True)
    assert "/playground?tab=decision" in analyst.get("/definitions/decisions/review_units").get_data(as_text=True)


def test_the_empty_page_says_what_will_appear(analyst: FlaskClient) -> None:
    assert "还没有表达式" in analyst.get("/playground").get_data(as_text=True)
    assert "还没有选择决策" in analyst.get("/playground?tab=decision").get_data(as_text=True)
    assert "还没有部署决策" in analyst.get("/playground?tab=decision").get_data(as_text=True)


@pytest.mark.parametrize(
    ("expression", "context", "words"),
    [
        ("总投资 * 0.1", '{"总投资": 12.10}', "1.21 类型 数字"),
        ('= "a" + "b"', "", '"ab" 类型 字符串'),
        ('add workdays(date("2022-05-03"), 2)', "{}", "2022-05-07 类型 日期 date · 星期六"),
        ('duration("P1DT2H")', "{}", "P1DT2H 类型 天时长"),
        ("[1, {a: null}]", "{}", "类型 列表"),
        ("1 = 1", "{}", "true 类型 布尔值"),
        ("function(x) x + 1", "{}", "类型 函数"),
    ],
)
def test_a_result_with_its_type(analyst: FlaskClient, expression: str, context: str, words: str) -> None:
    assert words in ask(analyst, expression=expression, context=context)


def test_the_variables_it_reads_and_whether_they_are_given(analyst: FlaskClient) -> None:
    said = ask(analyst, expression="总投资 > 1 and count(材料[份数 > 1]) = n", context='{"总投资": 2, "材料": []}')
    assert "总投资 2" in said
    assert "n 没有给出" in said
    assert re.search("份数 *可能", said)
    assert "不读取任何变量" in ask(analyst, expression="1")


def test_warnings_tell_the_place(analyst: FlaskClient) -> None:
    said = ask(analyst, expression="1 +\n  合同价", context='{"合同额": 1}')
    assert "第 2 行第 3 个字 没有变量“合同价”" in said
    html = analyst.post("/playground", data={"expression": "1 + 合同价"}, headers=FRAGMENT).get_data(as_text=True)
    assert '<mark class="doubt">合同价</mark>' in html
    assert 'data-start="4" data-end="7"' in html


def test_certain_type_errors_are_told_even_when_not_reached(analyst: FlaskClient) -> None:
    assert "第 25 个字" in ask(analyst, expression='if true then 1 else "a" - 2')


@pytest.mark.parametrize(
    ("form", "title", "place", "marked"),
    [
        ({"expression": "总投资 > 5 and )"}, "表达式有误", "第 13 个字", ")"),
        ({"expression": "= 1 + * 2"}, "表达式有误", "第 7 个字", "*"),
        ({"expression": "1 +"}, "表达式有误", "第 4 个字", " "),
        ({"expression": "1", "context": '{"a" 1}'}, "变量不是有效的 JSON", "第 6 个字", "1"),
        ({"expression": "1", "context": "[1]"}, "变量不是有效的 JSON", "第 1 个字", "["),
        ({"tab": "tests", "expression": "> 1", "value": "1 + )"}, "被测试的值有误", "第 5 个字", ")"),
        ({"tab": "tests", "expression": ">", "value": "1"}, "表达式有误", "第 2 个字", " "),
    ],
)
def test_a_mistake_is_told_in_its_place(analyst: FlaskClient, form: dict[str, str], title: str, place: str, marked: str) -> None:
    answer = analyst.post("/playground", data={"tab": "expression"} | form, headers=FRAGMENT)
    html = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert title in html and place in html
    assert f'<mark class="wrong">{marked}</mark>' in html


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("for a in 1..1000000 return for b in 1..1000000 return a", "超过"),
        ('count(for a in 1..9000 return for b in 1..9000 return matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$"))', "毫秒"),
        ("(" * 3_000 + "1" + ")" * 3_000, "嵌套"),
        ("1 + " * (MAX_EXPRESSION // 4 + 1) + "1", f"超过 {MAX_EXPRESSION} 个字"),
    ],
)
def test_limits_are_refused_in_place(analyst: FlaskClient, expression: str, words: str) -> None:
    said = ask(analyst, expression=expression)
    assert "表达式有误" in said
    assert words in said


def test_a_body_that_is_too_large_is_413(analyst: FlaskClient) -> None:
    assert analyst.post("/playground", data={"expression": "1", "context": "x" * SMALL_BODY_BYTES}).status_code == 413
    assert "超过 1000000 个字" in ask(analyst, expression="1", context="{" + " " * 1_000_000)


def test_what_was_typed_is_escaped(analyst: FlaskClient) -> None:
    page = analyst.post("/playground", data={"expression": '"</pre><script>alert(1)</script>"', "context": '{"</textarea><script>": 1}'})
    html = page.get_data(as_text=True)
    assert "<html" in html, "without the script the whole page comes back"
    assert "<script>alert" not in html and "</textarea><script>" not in html


@pytest.mark.parametrize(
    ("tests", "value", "verdict"), [("> 5, 3", "7", "命中"), ("> 5, 3", "4", "不命中"), ("-", "", "命中"), ("", "1", "还没有")]
)
def test_unary_tests(analyst: FlaskClient, tests: str, value: str, verdict: str) -> None:
    assert ask(analyst, tab="tests", expression=tests, value=value).strip().startswith(verdict)


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_example_can_be_clicked(analyst: FlaskClient, code: str) -> None:
    html = analyst.get(f"/playground?example={code}").get_data(as_text=True)
    assert "play-refused" not in html
    assert ("play-value" in html) and ("还没有" not in html)
    assert ('class="reasons"' in html) is (code == "null")


def test_in_english(analyst: FlaskClient) -> None:
    analyst.set_cookie(LANGUAGE, "en")
    assert 'no variable "x"' in ask(analyst, expression="x + 1")


# ---------------------------------------------------------------------- decisions
def test_a_decision_starts_with_example_data_and_its_trace(analyst: FlaskClient, decisions: None) -> None:
    html = unescape(analyst.get("/playground?tab=decision&decision=review_units").get_data(as_text=True))
    assert '"gcfl": "房屋建筑"' in html
    assert "第 1 行" in html and "城乡规划法第四十条" in html
    assert "自然资源局" in html


def test_a_decision_with_what_it_requires(analyst: FlaskClient, decisions: None) -> None:
    context = '{"application": {"jzgd": 25}, "review": {"limits": {"jzgd": 24}}}'
    said = ask(analyst, tab="decision", decision="indicator_check", context=context)
    assert "不符合规划条件的指标" in said and "建筑高度超出 1 " in said
    assert "没有填写：容积率超出" in said
    assert "条警告" in said


def test_a_decision_refuses_data_in_its_place(analyst: FlaskClient, decisions: None) -> None:
    assert "变量不是有效的 JSON" in ask(analyst, tab="decision", decision="review_units", context="{")


def test_an_unknown_decision_is_404(analyst: FlaskClient) -> None:
    assert analyst.get("/playground?tab=decision&decision=nothing").status_code == 404


def test_trying_leaves_nothing_behind(analyst: FlaskClient, people: Engine, decisions: None) -> None:
    ask(analyst, tab="decision", decision="review_units", context="{}")
    with people.reading() as session:
        assert list(reads.audit_of_business(session, "review_units")) == []
        assert list(reads.decisions_of_root(session, 0)) == []
