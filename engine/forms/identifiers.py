"""Chinese identifiers with check digits: the checks that a component asks for with `properties.check`.

Sources: GB 32100-2015 (unified social credit code), GB 11643-1999 (citizen identity number), GB/T 40058-2021 with 发改投资〔2020〕1439号
(project code: ISO/IEC 7064 MOD 11,10 over 19 digits; codes given before November 2020 have no check digit),
住建部 numbering of construction permits (18 digits: region 6, date 8, serial 2, class 2).
A region that is not in python-stdnum's table is no error: tables age, check digits do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2, mod_11_10

_PROJECT_CODE = re.compile(r"(\d{4})-?(\d{6})-?(\d{2})-?(\d{2})-?(\d{6})")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"(0\d{2,3}-?)?[1-9]\d{6,7}(-\d{1,6})?|1[3-9]\d{9}")
_POSTCODE = re.compile(r"\d{6}")
FIRST_OLD_YEAR, LAST_OLD_YEAR = 2013, 2020


class IdentifierInvalid(ValueError):
    """What is wrong, in Chinese, to be put after the field's label."""


def check(kind: str, text: str, today: date) -> str:
    """The normalised identifier (upper case, no blanks around). Raises IdentifierInvalid; KeyError for an unknown kind."""
    normal = text.strip().upper()
    CHECKS[kind](normal, today)
    return normal


def _uscc(text: str, _today: date) -> None:
    try:
        uscc.validate(text)
    except ValidationError as error:
        raise IdentifierInvalid("不是有效的统一社会信用代码（18 位，含校验码）") from error
    if len(text) != 18:
        raise IdentifierInvalid("不是有效的统一社会信用代码（18 位，不含空格和短横线）")


def _idcard(text: str, today: date) -> None:
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text) or not mod_11_2.is_valid(text):
        raise IdentifierInvalid("不是有效的公民身份号码（18 位，含校验码）")
    birth = _date(text[6:14])
    if birth is None or birth > today:
        raise IdentifierInvalid("中的出生日期无效")


def _project_code(text: str, _today: date) -> None:
    match = _PROJECT_CODE.fullmatch(text)
    if match is None:
        raise IdentifierInvalid("不是有效的项目代码（如 2204-652301-04-01-123455）")
    digits = "".join(match.groups())
    if is_old_project_code(text):
        return
    if not 1 <= int(digits[2:4]) <= 12:
        raise IdentifierInvalid("中的年月无效")
    if not mod_11_10.is_valid(digits):
        raise IdentifierInvalid("的校验码不正确，请核对项目代码")


def is_old_project_code(text: str) -> bool:
    """A code that starts with a year 2013..2020 was given before November 2020 and has no check digit (旧码)."""
    return _PROJECT_CODE.fullmatch(text) is not None and FIRST_OLD_YEAR <= int(text[:4]) <= LAST_OLD_YEAR


def _permit18(text: str, _today: date) -> None:
    if not re.fullmatch(r"[0-9]{18}", text):
        raise IdentifierInvalid("不是有效的施工许可证编号（18 位数字）")
    if _date(text[6:14]) is None:
        raise IdentifierInvalid("中的发证日期无效")


def _plain(pattern: re.Pattern[str], message: str) -> Callable[[str, date], None]:
    def run(text: str, _today: date) -> None:
        if pattern.fullmatch(text) is None or not text.isascii():
            raise IdentifierInvalid(message)

    return run


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


CHECKS: dict[str, Callable[[str, date], None]] = {
    "uscc": _uscc,
    "idcard": _idcard,
    "project_code": _project_code,
    "permit18": _permit18,
    "mobile": _plain(_MOBILE, "不是有效的手机号码（11 位）"),
    "phone": _plain(_LANDLINE, "不是有效的电话号码（手机或带区号的座机）"),
    "postcode": _plain(_POSTCODE, "不是有效的邮政编码（6 位）"),
}
