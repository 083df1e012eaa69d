"""What FEEL gives to forms, handlers and other systems: ISO 8601 with an offset, never FEEL's own zone notation."""

from __future__ import annotations

import pytest

from engine.feel import compile_expression, to_json


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ('date and time("2022-08-01T10:30:00@Asia/Shanghai")', "2022-08-01T10:30:00+08:00"),
        ('date and time("2022-08-01T10:30:00.5@Asia/Urumqi")', "2022-08-01T10:30:00.500000+06:00"),
        ('date and time("2022-08-01T10:30:00Z")', "2022-08-01T10:30:00Z"),
        ('date and time("2022-08-01T10:30:00")', "2022-08-01T10:30:00"),
        ('date and time("99999-08-01T10:30:00@Asia/Shanghai")', "99999-08-01T10:30:00@Asia/Shanghai"),
    ],
)
def test_a_date_and_time_is_iso_8601(text: str, json: str) -> None:
    assert to_json(compile_expression(text).evaluate({})) == json
