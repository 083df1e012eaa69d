"""JSON that people type: read exactly (numbers keep every digit), and refused with line and column in words an analyst understands."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from engine.errors import Invalid
from webapp.submission import check_storable

MAX_CHARS = 1_000_000
"""Longer texts are refused before they are read."""


class JsonInvalid(Invalid):
    """不是有效的 JSON（第 {line} 行第 {column} 个字）：{reason}

    Not valid JSON (line {line}, column {column}): {reason_en}
    """

    code = "json_invalid"


REASONS = {
    "Expecting value": "这里应有一个值",
    "Expecting property name enclosed in double quotes": "名称要用英文双引号括起来",
    "Expecting ':' delimiter": "名称后缺少英文冒号",
    "Expecting ',' delimiter": "这里缺少英文逗号",
    "Extra data": "多余的内容",
    "Unterminated string starting at": "字符串没有结束",
    "Invalid control character at": "字符串里有换行或控制字符，换行请写 \\n",
    "Invalid \\escape": "反斜杠后的字符不对",
    "Invalid \\uXXXX escape": "\\u 后应是 4 位十六进制数",
    "Illegal trailing comma before end of object": "最后一项后面多了逗号",
    "Illegal trailing comma before end of array": "最后一项后面多了逗号",
}
"""What Python's reader objects to, in Chinese."""


def read_json(text: str) -> Any:
    """The value of a JSON text that is to be stored; fractions are Decimals, so that 0.1 stays 0.1.

    Raises JsonInvalid, and BodyUnreadable for what no database can keep: deep nesting, NUL, whole numbers beyond 64 bits.
    """
    value = _read(text)
    check_storable(value)
    return value


def _read(text: str) -> Any:
    """The value of a JSON text. Raises JsonInvalid; its details tell line and column (from 1) and position (from 0)."""
    if len(text) > MAX_CHARS:
        _refuse(text, MAX_CHARS, f"超过 {MAX_CHARS} 个字", f"more than {MAX_CHARS} characters")

    def refuse_constant(name: str) -> NoReturn:  # NaN and Infinity are no JSON
        _refuse(text, text.find(name), f"没有 {name}", f"no {name}")

    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        _refuse(text, error.pos, REASONS.get(error.msg, error.msg), error.msg)
    except RecursionError:
        _refuse(text, 0, "嵌套太深", "nested too deep")
    except ValueError:  # Python refuses whole numbers of more than 4,300 digits
        _refuse(text, 0, "数字太长", "a number is too long")
    if _has_half_character(value):
        _refuse(text, max(text.lower().find("\\ud"), 0), "含有半个字符（\\uD800 至 \\uDFFF）", "half a character (\\uD800 to \\uDFFF)")
    return value


def _has_half_character(value: Any) -> bool:
    """Whether any text in it could not be written anywhere."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            left += part
        elif isinstance(part, str) and any("\ud800" <= character <= "\udfff" for character in part):
            return True
    return False


def read_object(text: str, *, stored: bool = True) -> dict[str, Any]:
    """The variables in a JSON object; an empty text is none. `stored`: they are to be kept, not only to be computed with. Raises as
    read_json."""
    value = (read_json(text) if stored else _read(text)) if text.strip() else {}
    if not isinstance(value, dict):
        _refuse(text, 0, "应为 JSON 对象 {…}", "must be an object {…}")
    return value


def _refuse(text: str, position: int, reason: str, reason_en: str) -> NoReturn:
    before = text[: max(position, 0)]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    raise JsonInvalid(line=line, column=column, position=position, reason=reason, reason_en=reason_en) from None
