"""Findings about a form schema before it is deployed, and the list of its FEEL expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import ExpressionError
from engine.feel import compile_expression, compile_unary_tests
from engine.findings import Finding
from engine.forms import identifiers, patterns
from engine.forms.expressions import is_expression
from engine.forms.rules import rule_keys
from engine.forms.schema import MAX_SCHEMA_VERSION, OPTION_TYPES, TYPES, Field, mapping, read_schema

_UNARY = ("conditional.hide", "readonly")
_EXPRESSIONS = (
    "accept",
    "alt",
    "appearance.prefixAdorner",
    "appearance.suffixAdorner",
    "columnsExpression",
    "content",
    "dataSource",
    "description",
    "expression",
    "label",
    "multiple",
    "source",
    "text",
    "title",
    "url",
    "validate.max",
    "validate.maxLength",
    "validate.min",
    "validate.minLength",
    "validate.required",
    "valuesExpression",
)
_LABELLED = frozenset({"checkbox", "checklist", "filepicker", "number", "radio", "select", "taglist", "textarea", "textfield"})
_TEMPLATE = re.compile(r"\{\{(?![#/])(.*?)\}\}")


@dataclass(frozen=True, slots=True)
class FormExpression:
    """One expression of a schema. `text` has no leading "="; `kind` "unary" is evaluated as unary tests against null."""

    component_id: str
    property: str
    text: str
    kind: Literal["expression", "unary", "template"]


def form_expressions(schema: Mapping[str, Any]) -> list[FormExpression]:
    """Every FEEL expression of the schema in reading order, those inside {{templates}} and of our own properties too."""
    return [found for field in read_schema(schema).walk() for found in _expressions_of(field)]


def _expressions_of(field: Field) -> Iterator[FormExpression]:
    for name in (*_UNARY, *_EXPRESSIONS):
        value: Any = field.options
        for part in name.split("."):
            value = mapping(value).get(part)
        if is_expression(value):
            yield FormExpression(field.id, name, value[1:], "unary" if name in _UNARY else "expression")
        elif isinstance(value, str) and name not in _UNARY:
            for inner in _TEMPLATE.findall(value):
                yield FormExpression(field.id, name, inner.strip(), "template")
    for rule, _ in rule_keys(field):
        yield FormExpression(field.id, "properties.rule", rule[1:], "expression")


def lint_form(schema: Mapping[str, Any], resource: str) -> list[Finding]:
    """Findings, errors first. `resource`: file name for the findings."""
    linter = _Linter(resource, _lines(schema))
    if schema.get("type", "default") != "default" or not isinstance(schema.get("components"), list):
        linter.add("form-schema", "error", "form", "", "不是 form-js 表单（缺少 components）", "not a form-js schema (no components)")
        return linter.found
    if not schema.get("id"):
        linter.add("form-id", "error", "form", "", "表单缺少 id", "the form has no id")
    version = schema.get("schemaVersion", MAX_SCHEMA_VERSION)
    if isinstance(version, int) and version > MAX_SCHEMA_VERSION:
        message = f"表单格式版本 {version} 高于支持的 {MAX_SCHEMA_VERSION}"
        linter.add("form-version", "error", "form", "", message, f"schemaVersion {version} is newer than {MAX_SCHEMA_VERSION}")
    linter.tree(read_schema(schema), (), set(), set())
    order = {"error": 0, "warning": 1, "hint": 2}
    return sorted(linter.found, key=lambda finding: order[finding.severity])


def _lines(_schema: Mapping[str, Any]) -> Mapping[str, int]:
    """Line of each component id in the schema's canonical text (two blanks of indent, as Camunda Modeler saves it)."""
    lines: dict[str, int] = {}
    for number, line in enumerate(json.dumps(_schema, indent=2, ensure_ascii=False, default=str).splitlines(), 1):
        match = re.match(r'\s*"id": "([^"]+)"', line)
        if match:
            lines.setdefault(match.group(1), number)
    return lines


class _Linter:
    def __init__(self, resource: str, lines: Mapping[str, int]) -> None:
        self.resource = resource
        self.lines = lines
        self.found: list[Finding] = []

    def add(self, rule: str, severity: Literal["error", "warning", "hint"], id_: str, name: str, zh: str, en: str) -> None:
        self.found.append(Finding(rule, severity, zh, en, self.resource, id_, name, self.lines.get(id_, 0)))

    def error(self, field: Field, rule: str, zh: str, en: str) -> None:
        self.add(rule, "error", field.id, field.label, zh, en)

    def tree(self, field: Field, base: tuple[str, ...], ids: set[str], keys: set[tuple[str, ...]]) -> None:
        """One component and what is inside; `ids` and `keys` collect what is taken already."""
        path = (*base, *field.path)
        if field.id in ids:
            self.error(field, "form-duplicate-id", f"组件 id“{field.id}”重复", f'duplicate component id "{field.id}"')
        ids.add(field.id)
        for check in _CHECKS:
            check(self, field)
        if field.keyed or field.repeating:
            if path in keys:
                self.error(field, "form-duplicate-key", f"数据路径“{'.'.join(path)}”重复", f'duplicate key "{".".join(path)}"')
            keys.add(path)
        for inner in field.children:
            self.tree(inner, (*path, "*") if field.repeating else path, ids, keys)


def _check_type(linter: _Linter, field: Field) -> None:
    if field.type not in TYPES:
        linter.error(field, "form-type", f"未知的组件类型“{field.type}”", f'unknown component type "{field.type}"')
    needs_path = field.options.get("key") is not None or field.type in _LABELLED
    if field.type in _LABELLED | {"datetime", "expression"} and needs_path and not field.path:
        linter.error(field, "form-key", "组件缺少 key", "the component has no key")
    if field.type == "dynamiclist" and not field.path:
        linter.error(field, "form-key", "动态列表缺少 path", "the dynamic list has no path")


def _check_label(linter: _Linter, field: Field) -> None:
    texts = [field.options.get(name) for name in ("label", "dateLabel", "timeLabel")]
    if field.type in _LABELLED | {"datetime"} and not any(isinstance(text, str) and text.strip() for text in texts):
        linter.add("form-label", "warning", field.id, field.label, "组件没有标签", "the component has no label")


def _check_expressions(linter: _Linter, field: Field) -> None:
    for found in _expressions_of(field):
        compiler: Callable[[str], object] = compile_unary_tests if found.kind == "unary" else compile_expression
        try:
            compiler(found.text)
        except ExpressionError as error:
            linter.error(field, "form-feel", f"{found.property}：{error.message('zh')}", f"{found.property}: {error.message('en')}")
    if is_expression(field.validate.get("required")):
        message = "form-js 不计算 required 中的表达式，浏览器里总是必填；服务器按表达式判断"
        linter.add("form-required-feel", "hint", field.id, field.label, message, "form-js treats an expression in `required` as true")


def _check_options(linter: _Linter, field: Field) -> None:
    if field.type not in OPTION_TYPES:
        return
    values = field.options.get("values")
    if not any(name in field.options for name in ("values", "valuesKey", "valuesExpression")):
        linter.error(field, "form-options", "没有选项来源", "no options: values, valuesKey or valuesExpression")
    if isinstance(values, list):
        keys = [json.dumps(mapping(value).get("value"), sort_keys=True, default=str) for value in values]
        if len(set(keys)) < len(keys):
            linter.error(field, "form-options", "选项的值有重复", "duplicate option values")


def _check_validation(linter: _Linter, field: Field) -> None:
    pattern = field.validate.get("pattern")
    if isinstance(pattern, str) and pattern and patterns.compiled(pattern) is None:
        linter.error(field, "form-pattern", f"正则表达式“{pattern}”无效", f'invalid regular expression "{pattern}"')
    for low, high in (("min", "max"), ("minLength", "maxLength")):
        least, most = field.validate.get(low), field.validate.get(high)
        if isinstance(least, (int, float)) and isinstance(most, (int, float)) and least > most:
            linter.error(field, "form-limits", f"{low} 大于 {high}，无法填写", f"{low} is greater than {high}")


def _check_properties(linter: _Linter, field: Field) -> None:
    kind = field.properties.get("check")
    if kind is not None and str(kind) not in identifiers.CHECKS:
        known = "、".join(sorted(identifiers.CHECKS))
        linter.error(field, "form-check", f"未知的校验“{kind}”，可用：{known}", f'unknown check "{kind}"')
    rules = rule_keys(field)
    keys = [key for key in field.properties if key == "rule" or (key.startswith("rule") and key[4:].isdigit())]
    if len(rules) < len(keys):
        linter.error(field, "form-rule", "rule 必须以“=”开头", 'a rule must start with "="')
    if any(not message for _, message in rules):
        linter.add("form-rule", "warning", field.id, field.label, "rule 没有对应的 message", "a rule has no message")


_CHECKS = (_check_type, _check_label, _check_expressions, _check_options, _check_validation, _check_properties)
