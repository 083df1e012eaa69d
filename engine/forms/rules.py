"""Validation of one value: form-js's number and preset rules (form-js 2.0), our `properties.check` and `properties.rule`.

Messages are Chinese and name the field by its label. Where form-js's own rule is odd it is kept, so that browser and server agree:
rules look at non-empty values only, 0 counts as entered, lengths are UTF-16 units of the trimmed text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from engine.feel import Environment
from engine.forms import expressions, identifiers, patterns
from engine.forms.expressions import Scope
from engine.forms.schema import Field
from engine.forms.values import as_number, is_blank

FEEL_LIMITS = ("required", "min", "max", "minLength", "maxLength")
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)  # the HTML standard's definition of a valid e-mail address
_WIDE = Context(prec=2_200)  # values have at most 100 digits and exponents of three: every remainder is exact
_PHONE = re.compile(r"(\+|00)[1-9][0-9]{6,24}\Z")  # international only, as in form-js; Chinese mobiles use properties.check


@dataclass(frozen=True, slots=True)
class Question:
    """One value to validate. `label` is ready for people; `limits` is `validate` with its FEEL evaluated."""

    field: Field
    value: Any
    label: str
    limits: Mapping[str, Any]


def limits_of(field: Field, scope: Scope, env: Environment) -> dict[str, Any]:
    """`validate` with FEEL evaluated in required, min, max, minLength, maxLength; a null limit does not apply."""
    found = dict(field.validate)
    for name in FEEL_LIMITS:
        value = expressions.resolve(found.get(name), scope, env)
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    return found


def messages(question: Question) -> Iterator[str]:
    """What is wrong with the value by the rules of the schema."""
    if question.field.type == "number" and not is_blank(question.value):
        yield from _number(question)
    yield from _required(question)
    if question.value or question.value == 0:
        yield from _bounds(question)
    if isinstance(question.value, str) and question.value:
        yield from _lengths(question, question.value)
        yield from _formats(question, question.value)


def _required(question: Question) -> Iterator[str]:
    value = question.value
    unchecked = value is False and question.field.type == "checkbox"
    if not question.limits.get("required") or not (unchecked or value is None or value in ("", [])):
        return
    yield f"“{question.label}”必须勾选" if unchecked else f"请填写“{question.label}”"


def _number(question: Question) -> Iterator[str]:
    number = as_number(question.value)
    if number is None:
        yield f"“{question.label}”必须是数字"
        return
    if not number:
        return
    digits = as_number(question.field.options.get("decimalDigits"))
    if digits is not None and digits >= 0 and _decimals(number) > digits:
        yield f"“{question.label}”必须是整数" if digits == 0 else f"“{question.label}”最多保留 {digits} 位小数"
    increment = as_number(question.field.options.get("increment"))
    rest = _WIDE.remainder(number, increment) if increment else None
    if increment and rest:
        below = _WIDE.subtract(number, rest)
        yield f"“{question.label}”须为 {_plain(increment)} 的整数倍，最接近的是 {_plain(below)} 和 {_plain(_WIDE.add(below, increment))}"


def _decimals(number: Decimal) -> int:
    exponent = _WIDE.normalize(number).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _plain(number: Decimal) -> str:
    return format(_WIDE.normalize(number), "f")


def _bounds(question: Question) -> Iterator[str]:
    for name, word in (("min", "小于"), ("max", "大于")):
        if name not in question.limits:
            continue
        number, bound = as_number(question.value), as_number(question.limits[name])
        if number is None or bound is None:
            yield f"“{question.label}”的{'最小' if name == 'min' else '最大'}值设置无效"
        elif number < bound if name == "min" else number > bound:
            yield f"“{question.label}”不能{word} {_plain(bound)}"


def _lengths(question: Question, value: str) -> Iterator[str]:
    length = len(value.strip().encode("utf-16-le", "surrogatepass")) // 2
    minimum, maximum = as_number(question.limits.get("minLength")), as_number(question.limits.get("maxLength"))
    if minimum is not None and length < minimum:
        yield f"“{question.label}”至少 {minimum} 个字"
    if maximum is not None and length > maximum:
        yield f"“{question.label}”最多 {maximum} 个字"


def _formats(question: Question, value: str) -> Iterator[str]:
    pattern = question.limits.get("pattern")
    if isinstance(pattern, str) and pattern and patterns.matches(pattern, value) is not True:
        custom = question.limits.get("patternErrorMessage")
        yield _named(question.label, custom) if isinstance(custom, str) and custom else f"“{question.label}”格式不正确"
    kind = question.limits.get("validationType")
    if kind == "email" and _EMAIL.fullmatch(value) is None:
        yield f"“{question.label}”不是有效的电子邮箱"
    if kind == "phone" and _PHONE.search(value) is None:
        yield f"“{question.label}”不是有效的国际电话号码（如 +8613800138000）"


def _named(label: str, message: str) -> str:
    """A message of the schema's author, with the label in front unless it names the field already."""
    return message if label in message else f"“{label}”：{message}"


def identifier(question: Question, env: Environment) -> tuple[Any, str]:
    """`properties.check`: the normalised value, and the message ("" if it is right). An unknown check is lint's business."""
    kind, value = question.field.properties.get("check"), question.value
    if not isinstance(kind, str) or kind not in identifiers.CHECKS or not isinstance(value, str) or not value.strip():
        return value, ""
    try:
        return identifiers.check(kind, value, env.now().date()), ""
    except identifiers.IdentifierInvalid as error:
        return value, f"“{question.label}”{error}"


def rule_keys(field: Field) -> list[tuple[str, str]]:
    """The pairs (rule text, message) of `properties`: rule/message, rule2/message2 and so on."""
    found = []
    for key, value in field.properties.items():
        if key.startswith("rule") and (key == "rule" or key[4:].isdigit()) and expressions.is_expression(value):
            found.append((value, str(field.properties.get(f"message{key[4:]}", ""))))
    return found


def broken_rules(question: Question, scope: Scope, env: Environment) -> list[str]:
    """Messages of the cross-field rules that are false; a rule that is null (something optional is missing) does not count.

    A rule sees the whole submission, `this` (the row of a dynamic list, else everything) and `value` (the field's own value).
    """
    found = []
    for rule, message in rule_keys(question.field):
        if expressions.evaluate(rule, scope, env, value=question.value) is False:
            found.append(_named(question.label, message) if message else f"“{question.label}”不符合填写规则")
    return found
