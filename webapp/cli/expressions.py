"""feel, decide: an analyst tries an expression or a decision at the terminal. Nothing is deployed and no database is opened.

Expressions see what deployed ones see: business days of the region and the functions of the handlers; only the time is the real one.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from engine.dmn import DecisionModel, DecisionResult, DmnInvalid, parse_dmn
from engine.errors import ExpressionError, NotFound, english
from engine.feel import Environment, UnaryTests, Warning_, compile_expression, compile_unary_tests, to_json
from handlers.catalogue.service import catalogue_calendar
from webapp.cli.opening import Commands, command
from webapp.json_text import read_object

EXIT_REFUSED = 1


def add_commands(commands: Commands) -> None:
    feel = command(commands, "feel", evaluate_feel, "计算一个 FEEL 表达式 / evaluate a FEEL expression")
    feel.add_argument("expression", metavar="EXPR", help="表达式，开头的 = 可有可无 / with or without the leading =")
    feel.add_argument("--context", default="{}", metavar="JSON|@FILE", help="变量 / variables")
    feel.add_argument("--unary", metavar="VALUE", help="EXPR 是单元测试，VALUE（FEEL）是被测的值 / EXPR is unary tests for this value")
    feel.add_argument("--vars", action="store_true", help="只列出读取的变量，不计算 / list the variables that it reads, evaluate nothing")
    decide = command(commands, "decide", evaluate_decision, "计算文件里的一个决策 / evaluate a decision of a file")
    decide.add_argument("file", type=Path, metavar="FILE", help="DMN 文件或文件夹；导入的模型在同一文件夹里找 / a DMN file or a folder")
    decide.add_argument("decision", metavar="DECISION", help="决策的 id 或名称 / its id or name")
    decide.add_argument("--context", default="{}", metavar="JSON|@FILE", help="变量 / variables")
    decide.add_argument("--trace", action="store_true", help="在结果之后说明依据 / explain the result after it")


def environment() -> Environment:
    """What expressions of the deployed content may use, without a database."""
    return Environment(calendar=catalogue_calendar(), functions=_HandlerFunctions())


class _HandlerFunctions(Mapping[str, Callable[..., Any]]):
    """The functions of the handlers. Those are loaded when an expression calls one that is not built in: most call none."""

    @cached_property
    def _functions(self) -> Mapping[str, Callable[..., Any]]:
        from handlers.registry import registry

        return registry().functions

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


# ---------------------------------------------------------------------- feel
def evaluate_feel(arguments: argparse.Namespace) -> int:
    """The result as JSON on stdout, warnings with their position on stderr; exit code 1 with the position marked when it is none."""
    text = arguments.expression.strip().removeprefix("=")
    context = read_context(arguments.context)
    try:
        compiled = compile_expression(text, context) if arguments.unary is None else compile_unary_tests(text, context)
        if arguments.vars:
            return _list_variables(compiled)
        if isinstance(compiled, UnaryTests):
            tested = compile_expression(arguments.unary, context).run(context, environment())
            _warn(arguments.unary, tested.warnings)
            result = compiled.run(tested.value, context, environment())
        else:
            result = compiled.run(context, environment())
    except ExpressionError as error:
        _show_position(error)
        return EXIT_REFUSED
    print(json_text(result.value))
    _warn(text, result.warnings)
    return 0


def _list_variables(compiled: Any) -> int:
    for name in sorted(compiled.variables):
        print(name)
    if compiled.possible_variables:
        print(f"也可能读取（筛选条件里的名称） / may also read: {', '.join(sorted(compiled.possible_variables))}", file=sys.stderr)
    return 0


def _show_position(error: ExpressionError) -> None:
    details = error.details
    print(marked(details["expression"], details["position"]), file=sys.stderr)
    print(f"{place(details['expression'], details['position'])}：{details['reason']} ({english(details['reason'])})", file=sys.stderr)


def _warn(text: str, warnings: tuple[Warning_, ...]) -> None:
    for warning in warnings:
        where = f"{place(text, warning.position)}：" if warning.position >= 0 else ""
        print(f"{where}{warning.message} / {warning.message_en}", file=sys.stderr)


def place(text: str, position: int) -> str:
    """Where a 0-based position is, as people count: 第 5 个字, or with its line when there are several."""
    before = text[:position]
    column = position - (before.rfind("\n") + 1) + 1
    return f"第 {before.count(chr(10)) + 1} 行第 {column} 个字" if "\n" in text else f"第 {column} 个字"


def marked(text: str, position: int) -> str:
    """The line of the text that holds the position, and under it a ^ that stands right although Chinese characters are two cells wide."""
    start = text.rfind("\n", 0, position) + 1
    line = text[start:].split("\n", 1)[0].replace("\t", " ")
    return f"  {line}\n  {' ' * _cells(line[: position - start])}^"


def _cells(text: str) -> int:
    return sum(0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


# ---------------------------------------------------------------------- decide
def evaluate_decision(arguments: argparse.Namespace) -> int:
    """The result as one line of JSON; with --trace, after an empty line, every decision with its inputs, matched rules and output."""
    context = read_context(arguments.context)
    model, decision_id = find_decision(arguments.file, arguments.decision)
    result = model.evaluate(decision_id, context, environment())
    print(json_text(result.value))
    told = [f"{entry['decisionName']}：{warning['message']}" for entry in result.trace for warning in entry.get("warnings", [])]
    for text in dict.fromkeys(told):  # cells of one table repeat each other
        print(text, file=sys.stderr)
    if arguments.trace:
        print(f"\n{explained(result)}")
    return 0


def find_decision(path: Path, wanted: str) -> tuple[DecisionModel, str]:
    """The model with the decision (or decision service) and its id. NotFound lists what is there; DmnInvalid for a file that is no DMN."""
    files = sorted(path.glob("*.dmn")) if path.is_dir() else [path]
    if not files or not files[0].exists():
        raise NotFound(what="DMN 文件", key=str(path))
    resolve = _resolver(path if path.is_dir() else path.parent)
    known: list[str] = []
    for file in files:
        model = parse_dmn(file.read_bytes(), file.name, resolve)
        names = {id_: item.name for id_, item in model.decisions.items()} | dict.fromkeys(model.definitions.services, "")
        found = wanted if wanted in names else next((id_ for id_, name in names.items() if name == wanted), None)
        if found is not None:
            return model, found
        known += names
    raise NotFound(what="决策", key=f"{wanted}（有 / there is: {'、'.join(known)}）")


def _resolver(folder: Path) -> Callable[[str, str], bytes | None]:
    """Imports by namespace among the DMN files of one folder; the location that a file names is never opened."""

    @lru_cache(maxsize=1)
    def by_namespace() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for file in sorted(folder.glob("*.dmn")):
            content = file.read_bytes()
            try:
                found.setdefault(parse_dmn(content, file.name).namespace, content)
            except DmnInvalid:  # a neighbour that is broken is not what was asked about
                continue
        return found

    return lambda namespace, _location: by_namespace().get(namespace)


def explained(result: DecisionResult) -> str:
    """The trace for people: per decision what went in, which rules matched and what came out."""
    return "\n\n".join("\n".join(_entry_lines(entry)) for entry in result.trace)


def _entry_lines(entry: Mapping[str, Any]) -> list[str]:
    lines = [f"{entry['decisionName'] or entry['decisionId']}（{entry['decisionId']}，{entry['type']}）"]
    lines += [f"  输入 / input   {item['name'] or item['id']} = {json_text(item['value'])}" for item in entry["inputs"]]
    for rule in entry["matchedRules"]:
        outputs = "，".join(
            f"{item['name']} = {json_text(item['value'])}" if item["name"] else json_text(item["value"]) for item in rule["outputs"]
        )
        note = f"  {rule['annotation']}" if rule.get("annotation") else ""
        lines.append(f"  规则 / rule    第 {rule['ruleIndex']} 行 -> {outputs}{note}")
    if entry["type"] == "DECISION_TABLE" and not entry["matchedRules"]:
        lines.append("  规则 / rule    没有命中 (none matched)")
    return [*lines, f"  得出 / output  {json_text(entry['output'])}"]


# ---------------------------------------------------------------------- shared
def read_context(text: str) -> dict[str, Any]:
    """The variables of --context: JSON, or @ and the name of a file with JSON. Raises JsonInvalid, NotFound."""
    if text.startswith("@"):
        path = Path(text[1:])
        if not path.is_file():
            raise NotFound(what="文件", key=str(path))
        text = path.read_text(encoding="utf-8-sig")
    return read_object(text, stored=False)


def json_text(value: Any) -> str:
    """A FEEL value as one line of JSON."""
    return json.dumps(to_json(value), ensure_ascii=False)
