"""What the playground shows: an expression's or unary tests' result with every reason, and what a decision asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from engine.dmn import Decision, DecisionModel
from engine.dmn.model import Literal, Table
from engine.errors import DecisionError, ExpressionError, english
from engine.feel import (
    Environment,
    Evaluation,
    Expression,
    FeelDate,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
    find_type_problems,
    text_of,
    to_feel,
    to_json,
)
from engine.feel.ast import Name, Node, Path, children
from engine.feel.ops import chinese_kind, kind_of
from engine.feel.temporal import TEMPORAL_TYPES
from engine.settings import ROOT
from webapp.decision_screen import explain
from webapp.json_text import JsonInvalid, read_object
from webapp.languages import language

MAX_EXPRESSION = 10_000
MAX_SHOWN = 20_000
"""Characters: longer expressions are refused, longer results are cut."""
_WORD = re.compile(r"\w+|\S", re.UNICODE)
_WEEKDAYS = (
    lazy_gettext("星期一"),
    lazy_gettext("星期二"),
    lazy_gettext("星期三"),
    lazy_gettext("星期四"),
    lazy_gettext("星期五"),
    lazy_gettext("星期六"),
    lazy_gettext("星期日"),
)
_ANSWERS = ROOT / "forms" / "examples"


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed. `mode`: expression or tests; `value`: FEEL text of the value that unary tests are about."""

    mode: str = "expression"
    expression: str = ""
    value: str = ""
    context: str = ""


EXAMPLES: dict[str, tuple[LazyString, Question]] = {
    "condition": (lazy_gettext("条件"), Question(expression="总投资 > 1000 and 工期 <= 30", context='{"总投资": 1200, "工期": 45}')),
    "choice": (
        lazy_gettext("二选一"),
        Question(expression='if 建设性质 = "新建" then "联合审查" else "简易程序"', context='{"建设性质": "新建"}'),
    ),
    "filter": (
        lazy_gettext("筛选和汇总"),
        Question(
            expression="sum(材料[必要 = true].份数)",
            context='{"材料": [\n  {"名称": "总平面图", "份数": 4, "必要": true},\n  {"名称": "效果图", "份数": 1, "必要": false}\n]}',
        ),
    ),
    "workdays": (lazy_gettext("工作日"), Question(expression="add workdays(date(受理日), 20)", context='{"受理日": "2022-06-24"}')),
    "null": (lazy_gettext("为什么是 null"), Question(expression="合同价 * 0.05", context='{"合同额": 860}')),
    "tests": (lazy_gettext("单元测试"), Question("tests", "[12..24], > 100", "18")),
    "tests-not": (lazy_gettext("排除"), Question("tests", 'not("新建", "扩建")', "建设性质", '{"建设性质": "改建"}')),
}
"""Code -> name and what it fills in."""


# ---------------------------------------------------------------------- expressions and unary tests
def evaluate(question: Question, environment: Environment) -> dict[str, Any]:
    """Everything `_playground_result.html` shows: {"state": "empty"}, a refusal with its place, or the value with its reasons."""
    if not question.expression.strip():
        return {"state": "empty"}
    if len(question.expression) > MAX_EXPRESSION:
        reason = _("超过 %(n)s 个字", n=MAX_EXPRESSION)
        return _refused("expression", question.expression[:200], 0, reason)
    try:
        context = read_object(question.context, stored=False)
    except JsonInvalid as error:
        return _refused("context", question.context[:MAX_SHOWN], error.details["position"], _reason(error))
    text = _without_equals(question.expression)
    try:
        if question.mode == "tests":
            tests = compile_unary_tests(text, context)
            return _tested(tests, question, context, environment)
        return _shown(compile_expression(text, context), text, context, environment)
    except ExpressionError as error:
        return _refused("expression", text, error.details["position"], _why(error))


def _tested(tests: UnaryTests, question: Question, context: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    value_text = _without_equals(question.value) if question.value.strip() else "null"
    try:
        tested = compile_expression(value_text, context).run(context, environment)
    except ExpressionError as error:
        return _refused("value", value_text, error.details["position"], _why(error))
    answer = tests.run(tested.value, context, environment)
    return _answer(tests, tests.text, answer, context) | {
        "tested": _text(tested.value),
        "verdict": _("命中") if answer.value is True else _("不命中"),
        "value_warnings": [_warning(value_text, one.position, _by_language(one)) for one in tested.warnings],
    }


def _shown(expression: Expression, text: str, context: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    return _answer(expression, text, expression.run(context, environment), context)


def _answer(compiled: Expression | UnaryTests, text: str, result: Evaluation, context: Mapping[str, Any]) -> dict[str, Any]:
    problems = [(problem.position, _by_language(problem)) for problem in find_type_problems(compiled.node)]
    problems += [(one.position, _by_language(one)) for one in result.warnings]
    reasons = list(dict.fromkeys(problems))
    kind = kind_of(result.value)
    value = _text(result.value)
    return {
        "state": "done",
        "value": value[:MAX_SHOWN],
        "cut": len(value) > MAX_SHOWN,
        "kind": kind,
        "kind_words": kind if language() == "en" else chinese_kind(kind),
        "note": _note(result.value),
        "pieces": _pieces(text, [position for position, _message in reasons]),
        "warnings": [_warning(text, position, message) for position, message in reasons],
        "variables": [
            {"name": name, "given": name in context, "value": _short(context[name]) if name in context else "", "sure": sure}
            for names, sure in ((compiled.variables, True), (compiled.possible_variables, False))
            for name in sorted(names)
        ],
    }


def _refused(field: str, text: str, position: int, reason: str) -> dict[str, Any]:
    return {"state": "refused", "field": field, "pieces": _pieces(text, [position]), "problem": _warning(text, position, reason)}


def _warning(text: str, position: int, message: str) -> dict[str, Any]:
    """A message with its place in words and the stretch of text to select (`start`, `end`); no place when it is not known."""
    if position < 0:
        return {"message": message, "place": "", "start": 0, "end": 0}
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    place = _("第 %(line)s 行第 %(column)s 个字", line=line, column=column) if "\n" in text else _("第 %(column)s 个字", column=column)
    return {"message": message, "place": place, "start": position, "end": _end(text, position)}


def _pieces(text: str, positions: Iterable[int]) -> list[tuple[str, bool]]:
    """The text cut into pieces, each marked or not; a place behind the end is an empty marked piece."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for position in sorted({position for position in positions if position >= 0}):
        if position < done:
            continue
        end = _end(text, position)
        pieces += [(text[done:position], False), (text[position:end], True)]
        done = end
    return [piece for piece in [*pieces, (text[done:], False)] if piece[0] or piece[1]]


def _end(text: str, position: int) -> int:
    """Where the word or sign at a position ends."""
    found = _WORD.match(text, position)
    return found.end() if found else min(position, len(text))


def _without_equals(text: str) -> str:
    """The expression without the = that diagrams put before it; every other character stays at its position."""
    start = len(text) - len(text.lstrip())
    return f"{text[:start]} {text[start + 1 :]}" if text[start : start + 1] == "=" else text


def _text(value: Any) -> str:
    """A value as it is kept in the process: JSON; a date or duration as its text."""
    if isinstance(value, TEMPORAL_TYPES):
        return text_of(value)
    return json.dumps(to_json(value), ensure_ascii=False, indent=2)


def _short(value: Any) -> str:
    text = json.dumps(to_json(to_feel(value)), ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _note(value: Any) -> str:
    """What people ask next about a date: which day of the week it is."""
    return str(_WEEKDAYS[value.weekday - 1]) if isinstance(value, FeelDate) else ""


def _by_language(one: Any) -> str:
    message: str = one.message_en if language() == "en" else one.message
    return message


def _why(error: ExpressionError) -> str:
    reason: str = error.details["reason"]
    return english(reason) if language() == "en" else str(reason)


def _reason(error: JsonInvalid) -> str:
    reason: str = error.details["reason_en" if language() == "en" else "reason"]
    return reason


# ---------------------------------------------------------------------- decisions
def decide(model: DecisionModel, decision_id: str, context_text: str, environment: Environment) -> dict[str, Any]:
    """Everything `_playground_decision.html` shows: the explanation and warnings, or a refusal with its place."""
    try:
        context = read_object(context_text, stored=False)
    except JsonInvalid as error:
        return _refused("context", context_text[:MAX_SHOWN], error.details["position"], _reason(error))
    try:
        result = model.evaluate(decision_id, context, environment)
        output = to_json(result.value)
        trace = result.trace
    except (DecisionError, ExpressionError) as error:
        return {"state": "failed", "message": error.message(language())}
    said = "messageEn" if language() == "en" else "message"
    warnings = [f"{entry['decisionName']}：{warning[said]}" for entry in trace for warning in entry.get("warnings", [])]
    return {
        "state": "done",
        "decision": explain(trace, output),
        "output": json.dumps(output, ensure_ascii=False, indent=2)[:MAX_SHOWN],
        "warnings": list(dict.fromkeys(warnings)),
    }


def needs(model: DecisionModel, decision_id: str) -> tuple[list[tuple[str, str, str]], dict[str, Any]]:
    """What a decision and those it requires ask of the process: (label, expression, allowed values) of every input, and the
    variables as an object to fill in, every value null."""
    decisions = with_required(model.decisions[decision_id], model.decisions)
    own = {name for one in decisions for name in (one.id, one.name, one.variable.name)}
    rows: list[tuple[str, str, str]] = []
    skeleton: dict[str, Any] = {}
    for one in decisions:
        for label, text, values in _inputs(one):
            paths = [path for path in _paths(text) if path[0] not in own]
            for path in paths:
                _put(skeleton, path)
            if paths:
                rows.append((label or text, text, values))
    return rows, skeleton


def with_required(decision: Decision, every: Mapping[str, Decision]) -> list[Decision]:
    """A decision and, after it, those it requires, each once."""
    found = [decision]
    for current in found:
        for href in current.requires:
            required = every.get(href.removeprefix("#"))
            if required is not None and required not in found:
                found.append(required)
    return found


def _inputs(decision: Decision) -> list[tuple[str, str, str]]:
    box = decision.box
    if isinstance(box, Table):
        return [(column.label, column.expression.text, column.values) for column in box.inputs]
    return [(decision.name, box.text, "")] if isinstance(box, Literal) else []


def _paths(text: str) -> list[tuple[str, ...]]:
    """The variables and their parts that an expression reads: `project.ztze` is ("project", "ztze")."""
    try:
        expression = compile_expression(text)
    except ExpressionError:  # the definition's page tells what is wrong with it
        return []
    found: dict[tuple[str, ...], None] = {}
    _collect(expression.node, found)
    return [path for path in found if path[0] in expression.variables]


def _collect(node: Node, found: dict[tuple[str, ...], None]) -> None:
    parts: list[str] = []
    current = node
    while isinstance(current, Path):
        parts.insert(0, current.name)
        current = current.source
    if isinstance(current, Name):
        found[(current.name, *parts)] = None
        return
    for child in children(node):
        _collect(child, found)


def _put(skeleton: dict[str, Any], path: Sequence[str]) -> None:
    for name in path[:-1]:
        if not isinstance(skeleton.get(name), dict):
            skeleton[name] = {}
        skeleton = skeleton[name]
    skeleton.setdefault(path[-1], None)


def filled(skeleton: Mapping[str, Any]) -> dict[str, Any]:
    """The skeleton with the values of the examples that come with the forms, where one has them."""
    answers = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_ANSWERS.glob("*.json"))]
    return {name: _fill(part, [answer[name] for answer in answers if name in answer]) for name, part in skeleton.items()}


def _fill(part: Any, sources: Sequence[Any]) -> Any:
    """The source that knows most of the wanted names gives the values."""
    if not isinstance(part, dict):
        return next((source for source in sources if not isinstance(source, dict)), part)
    known = [source for source in sources if isinstance(source, dict)]
    best = max(known, key=lambda source: len(part.keys() & source.keys()), default={})
    return {name: _fill(inner, [best[name]] if name in best else []) for name, inner in part.items()}


def limited(environment: Environment) -> Environment:
    """Smaller limits for what somebody tries while typing."""
    return replace(environment, max_items=10_000, max_chars=100_000)
