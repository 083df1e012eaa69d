"""docs/howto/write-feel.md: every example line does what the page says, warnings included."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.feel import Environment, compile_expression, compile_unary_tests, to_json
from webapp.cli.expressions import environment

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "write-feel.md").read_text(encoding="utf-8")


def examples(kind: str) -> list[tuple[str, str, str, str]]:
    """(text, variables or value, result, reason) of every line in the page's blocks of a kind."""
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    found = []
    for line in lines:
        text, given, result, reason = re.fullmatch(r"(.+?) +// (.+) -> (.+?)(?: 因为：(.+))?", line).groups()  # type: ignore[union-attr]
        found.append((text, given, result, reason or ""))
    return found


@pytest.fixture(scope="module")
def env() -> Environment:
    return environment()


def test_the_page_has_examples() -> None:
    assert len(examples("feel")) > 25 and len(examples("unary")) > 8


@pytest.mark.parametrize(("text", "given", "result", "reason"), examples("feel"))
def test_expression(env: Environment, text: str, given: str, result: str, reason: str) -> None:
    context = json.loads(given)
    answer = compile_expression(text, context).run(context, env)
    assert to_json(answer.value) == json.loads(result)
    reasons = [warning.message for warning in answer.warnings]
    assert reason in reasons if reason else reasons == []


@pytest.mark.parametrize(("text", "given", "result", "reason"), examples("unary"))
def test_unary_tests(env: Environment, text: str, given: str, result: str, reason: str) -> None:
    assert compile_unary_tests(text).matches(compile_expression(given).evaluate({}), {}, env) is json.loads(result)
