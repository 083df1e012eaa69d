"""Identifiers with check digits: vectors of the domain specification (GB 32100-2015, GB 11643-1999, GB/T 40058-2021)."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import FormInvalid
from engine.forms import validate_submission
from engine.forms.identifiers import IdentifierInvalid, check, is_old_project_code
from tests.forms.schemas import form, text

TODAY = date(2022, 8, 1)
VALID = {
    "uscc": ["91110000600037341L", "914403001922038216", "91330100799655058B", "91330100799655058b", " 91330100799655058B "],
    "idcard": ["11010519491231002X", "440524188001010014", "652301199003071231", "65230119851115002X", "65230119851115002x"],
    "project_code": [
        "2509-320193-89-01-544060",
        "2603-141124-89-05-346948",
        "2411-130202-89-01-637015",
        "2112-440404-04-05-629469",
        "2106-220203-04-01-950623",
        "2111-522323-04-01-342068",
        "2018-350122-26-03-007365",
        "2204-652301-04-01-123455",
        "2205-652301-04-02-000016",
        "2203-652301-07-02-456787",
        "2206-652301-04-05-314152",
        "25093201938901544060",
    ],
    "mobile": ["13800138000"],
    "permit18": ["652301202208010101"],
    "phone": ["13800138000", "0994-2345678", "2345678"],
    "postcode": ["831100"],
}
INVALID = {
    "uscc": ["91310000132204312A", "91110000600037341M", "9111000060003734IL", "911100006000373410", "9111 0000600037341L", "1"],
    "idcard": ["110105194912310021", "11010519491331002X", "652301209003071237", "11010549123100", "１１０１０５19491231002X"],
    "project_code": ["2509-320193-89-01-544061", "2513-320193-89-01-544060", "2204-652301-04-01-12345", "x", "2204-652301-04-01-123456"],
    "mobile": ["12800138000", "1380013800", "+8613800138000", "１３800138000"],
    "permit18": ["65230120220801010", "652301202213010101", "65230120220801010X"],
    "phone": ["110-", "abc"],
    "postcode": ["83110"],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in VALID.items() for value in values])
def test_valid(kind: str, value: str) -> None:
    assert check(kind, value, TODAY) == value.strip().upper()


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in INVALID.items() for value in values])
def test_invalid(kind: str, value: str) -> None:
    with pytest.raises(IdentifierInvalid):
        check(kind, value, TODAY)


def test_birth_in_the_future_is_refused() -> None:
    with pytest.raises(IdentifierInvalid, match="出生日期"):
        check("idcard", "440524188001010014", date(1880, 1, 1).replace(year=1879))


def test_old_project_code_is_recognised() -> None:
    assert is_old_project_code("2018-350122-26-03-007365")
    assert not is_old_project_code("2204-652301-04-01-123455")


def test_check_of_a_component_normalises_and_names_the_label() -> None:
    schema = form(text("dm", "统一社会信用代码", properties={"check": "uscc"}))
    assert validate_submission(schema, {"dm": "91330100799655058b"}) == {"dm": "91330100799655058B"}
    with pytest.raises(FormInvalid) as caught:
        validate_submission(schema, {"dm": "91310000132204312A"})
    assert caught.value.errors == {"dm": ["“统一社会信用代码”不是有效的统一社会信用代码（18 位，含校验码）"]}


def test_check_does_not_make_a_field_required() -> None:
    assert validate_submission(form(text("dm", properties={"check": "uscc"})), {"dm": ""}) == {"dm": ""}
