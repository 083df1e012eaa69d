"""From the JSON of a submission to the value that is stored: one reader per component type.

form-js silently turns what its widgets cannot produce into null; a submission that did not come from its widgets is told instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.forms.schema import Field

MAX_TEXT = 100_000
MAX_CHOICES = 1_000
MAX_BITS = 4_000  # of an integer: all that a text of 100 characters with an exponent of three digits can say
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?")
_LINE_BREAKS = re.compile(r"[\r\n\t]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class ValueInvalid(ValueError):
    """What is wrong with the value, in Chinese, to be put after the field's label."""


def read_value(field: Field, value: Any) -> Any:
    """The clean value. Raises ValueInvalid if the component could not have produced it."""
    return _READERS[field.type](field, value)


def is_blank(value: Any) -> bool:
    """Nothing was entered."""
    return value is None or value == ""


def as_number(value: Any) -> Decimal | None:
    """A JSON number or numeric string as Decimal (0.1 is 0.1); None for anything else, infinities included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    if isinstance(value, (int, Decimal)):
        return Decimal(value) if isinstance(value, Decimal) or value.bit_length() <= MAX_BITS else None
    text = value if isinstance(value, str) else repr(value)
    if _NUMBER.fullmatch(text) is None or not text.isascii() or len(text) > 100:
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise ValueInvalid("必须是文字")
    text = str(value)
    if len(text) > MAX_TEXT:
        raise ValueInvalid(f"不能超过 {MAX_TEXT} 个字符")
    if _CONTROL.search(text):
        raise ValueInvalid("含有不可见的控制字符，请删除后重试")
    return _LINE_BREAKS.sub(" ", text) if field.type == "textfield" else text


def _number(field: Field, value: Any) -> Any:
    if is_blank(value):
        return None
    number = as_number(value)
    if number is None:
        raise ValueInvalid("必须是数字")
    if field.options.get("serializeToString"):
        return value.strip() if isinstance(value, str) else str(value)
    if not isinstance(value, str):
        return value
    return int(number) if number == number.to_integral_value() else float(number)


def _checkbox(_field: Field, value: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ValueInvalid("只能是“是”或“否”")
    return value


def _single(_field: Field, value: Any) -> Any:
    return None if is_blank(value) else value


def _multiple(_field: Field, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueInvalid("必须是选项的列表")
    if len(value) > MAX_CHOICES:
        raise ValueInvalid(f"不能超过 {MAX_CHOICES} 项")
    return value


def _files(field: Field, value: Any) -> list[str]:
    found = [value] if isinstance(value, str) and value else value or []
    if not isinstance(found, list) or not all(isinstance(item, str) and item and len(item) <= 200 for item in found):
        raise ValueInvalid("必须是已上传文件的编号列表")
    if len(found) > MAX_CHOICES:
        raise ValueInvalid(f"不能超过 {MAX_CHOICES} 个文件")
    if len(found) > 1 and not field.options.get("multiple"):
        raise ValueInvalid("只能上传一个文件")
    return list(dict.fromkeys(found))


def _datetime(field: Field, value: Any) -> str | None:
    if is_blank(value):
        return None
    subtype = str(field.options.get("subtype", "date"))
    if not isinstance(value, str) or not _DATETIME_FORMS.get(subtype, _is_date)(value):
        raise ValueInvalid({"time": "不是有效的时间", "datetime": "不是有效的日期时间"}.get(subtype, "不是有效的日期"))
    return value


def _is_date(text: str) -> bool:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    return text.isascii() and _TIME.fullmatch(text) is not None


def _is_datetime(text: str) -> bool:
    day, separator, clock_time = text.partition("T")
    return bool(separator) and _is_date(day) and _is_time(clock_time)


_DATETIME_FORMS: dict[str, Callable[[str], bool]] = {"date": _is_date, "time": _is_time, "datetime": _is_datetime}
_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "checkbox": _checkbox,
    "checklist": _multiple,
    "datetime": _datetime,
    "expression": lambda _field, value: value,
    "filepicker": _files,
    "number": _number,
    "radio": _single,
    "select": _single,
    "taglist": _multiple,
    "textarea": _text,
    "textfield": _text,
}
