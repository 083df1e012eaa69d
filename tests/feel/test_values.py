"""The way between FEEL values and plain Python or JSON, and laws of dates, durations and numbers checked against Python's own."""

from __future__ import annotations

import calendar
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LimitExceeded
from engine.feel import (
    Context,
    DaysDuration,
    Environment,
    FeelDate,
    FeelDateTime,
    FeelFunction,
    FeelTime,
    MonthsDuration,
    compile_expression,
    compile_unary_tests,
    text_of,
    to_feel,
    to_json,
    to_python,
)
from engine.feel.temporal import civil_from_days, days_from_civil
from engine.feel.temporal_text import parse_any, parse_date


def feel(text: str, **context: Any) -> Any:
    return compile_expression(text, names=context.keys()).evaluate(context)


class Status(StrEnum):
    OPEN = "open"


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        (1, Decimal(1)),
        (0.1, Decimal("0.1")),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("NaN"), None),
        (True, True),
        ("a", "a"),
        (Status.OPEN, "open"),
        ([1, [2]], (Decimal(1), (Decimal(2),))),
        (10**40, Decimal("1E+40")),
        (date(2024, 2, 29), FeelDate(2024, 2, 29)),
        (timedelta(hours=36), DaysDuration(36 * 3600 * 10**9)),
        (time(10, 20, 30), FeelTime(37230)),
        (datetime(2024, 2, 29, 8, tzinfo=timezone(timedelta(hours=8))), parse_any("2024-02-29T08:00:00+08:00")),
        (datetime(2024, 2, 29, 8, tzinfo=ZoneInfo("Asia/Shanghai")), parse_any("2024-02-29T08:00:00@Asia/Shanghai")),
        (datetime(2024, 2, 29, 8, tzinfo=UTC), parse_any("2024-02-29T08:00:00Z")),
    ],
)
def test_plain_python_becomes_feel(plain: Any, value: Any) -> None:
    assert to_feel(plain) == value
    assert type(to_feel(plain)) is type(value)


def test_mappings_become_contexts_that_convert_when_read() -> None:
    context = to_feel(MappingProxyType({"a": 1, "b": {"c": [1.5]}}))
    assert isinstance(context, Context)
    assert context["a"] == Decimal(1)
    assert context["b"]["c"] == (Decimal("1.5"),)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("10 ** 30", 10**30),
        ("1e400", str(10**400)),
        ("[1, null, true]", [1, None, True]),
        ('{a: @"2024-02-29"}', {"a": "2024-02-29"}),
        ('@"PT36H"', "P1DT12H"),
        ("[1..3)", "[1..3)"),
        ("function(a, b) a", "function(a, b)"),
    ],
)
def test_feel_becomes_json(text: str, plain: Any) -> None:
    assert to_json(feel(text)) == plain
    json.dumps(to_json(feel(text)))


def test_plain_data_in_a_result_stays_plain() -> None:
    data = {"rows": [{"n": 1, "d": date(2024, 1, 1)}]}
    assert to_json(feel("rows", **data)) == [{"n": 1, "d": "2024-01-01"}]


def test_json_of_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.feel.values.MAX_NODES", 10_000)
    value: Any = ()
    for _ in range(40):
        value = (value, value)
    with pytest.raises(LimitExceeded):
        to_json(value)


def test_feel_becomes_python() -> None:
    assert to_python(feel('@"2024-02-29"')) == date(2024, 2, 29)
    assert to_python(feel('@"PT36H"')) == timedelta(hours=36)
    assert to_python(feel('@"2024-02-29T08:00:00@Asia/Shanghai"')).utcoffset() == timedelta(hours=8)
    assert to_python(feel('[{a: @"2024-02-29"}]')) == [{"a": date(2024, 2, 29)}]
    assert to_python(feel('@"12345-02-28"')) == FeelDate(12345, 2, 28)


def test_a_function_of_the_host_is_called_with_feel_values_and_returns_plain_ones() -> None:
    seen: list[Any] = []

    def rate(amount: Any, kind: Any) -> Any:
        seen.extend([amount, kind])
        return {"rate": 0.5}

    env = Environment(functions={"fee rate": rate})
    assert compile_expression('fee rate(100, "a").rate * 2').evaluate({}, env) == 1
    assert seen == [Decimal(100), "a"]
    assert compile_expression('fee rate(kind: "b", amount: 1).rate').evaluate({}, env) == Decimal("0.5")


def test_a_function_value_in_the_context_hides_a_built_in_of_the_same_name() -> None:
    function = FeelFunction("sum", ("a",), lambda run, args: args[0] * 2)
    assert feel("sum(4)", sum=function) == 8
    assert feel("sum([1, 2])", sum=5) == 3


def test_compilation_is_cached_by_text_and_names() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1", names={"a"})
    assert compile_expression("a-b") is not compile_expression("a-b", names={"a-b"})
    assert compile_unary_tests("> 1") is compile_unary_tests("> 1")


def test_an_empty_cell_matches_everything() -> None:
    assert compile_unary_tests("  ").matches(None, {}) is True


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"), places=6)


@given(NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_decimal128(a: Decimal, b: Decimal) -> None:
    with localcontext(prec=34, rounding=ROUND_HALF_EVEN):
        assert feel("a + b", a=a, b=b) == a + b
        assert feel("a - b", a=a, b=b) == a - b
        assert feel("a * b", a=a, b=b) == a * b
        assert feel("a / b", a=a, b=b) == (a / b if b else None)


@given(st.integers(-(10**8), 10**8))
def test_day_numbers_are_bijective_for_any_year(days: int) -> None:
    assert days_from_civil(*civil_from_days(days)) == days
    following = civil_from_days(days + 1)
    assert following > civil_from_days(days)


@given(st.dates(), st.integers(-40_000, 40_000))
def test_adding_days_is_pythons(day: date, count: int) -> None:
    try:
        expected = day + timedelta(days=count)
    except OverflowError:
        return
    result = feel("d + n", d=day, n=timedelta(days=count))
    assert result.to_python() == expected
    assert feel("e - d", d=day, e=expected) == DaysDuration(count * 86_400 * 10**9)


@given(st.dates(min_value=date(100, 1, 1), max_value=date(9000, 1, 1)), st.integers(-1000, 1000))
def test_adding_months_keeps_the_day_or_takes_the_last(day: date, months: int) -> None:
    result = feel("d + m", d=day, m=MonthsDuration(months))
    index = day.year * 12 + day.month - 1 + months
    assert (result.year, result.month) == (index // 12, index % 12 + 1)
    assert result.day == min(day.day, calendar.monthrange(result.year, result.month)[1])


@given(st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Paris"), None])))
def test_text_and_value_of_a_moment_agree(moment: datetime) -> None:
    value = FeelDateTime.from_python(moment)
    assert parse_any(str(value)) == value
    if moment.tzinfo is None or not _ambiguous(moment):
        assert value.to_python().replace(fold=0) == moment.replace(fold=0)


def _ambiguous(moment: datetime) -> bool:
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


@given(st.integers(-(10**18), 10**18))
def test_text_and_value_of_a_duration_agree(nanos: int) -> None:
    duration = DaysDuration(nanos)
    assert parse_any(str(duration)) == duration
    months = MonthsDuration(nanos % 10**9)
    assert parse_any(str(months)) == months


@given(st.integers(-999_999_999, 999_999_999), st.integers(1, 12), st.integers(1, 28))
def test_text_and_value_of_a_date_of_any_year_agree(year: int, month: int, day: int) -> None:
    assert parse_date(str(FeelDate(year, month, day))) == FeelDate(year, month, day)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSONISH)
def test_json_survives_the_round_trip(value: Any) -> None:
    assert to_json(to_feel(value)) == value
    assert to_json(feel("x", x=value)) == value
    assert feel("x = x", x=value) is True


@given(st.text(max_size=20).filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text)))
def test_a_string_literal_means_its_text(text: str) -> None:
    from engine.feel.text import quote

    assert feel(quote(text)) == text
    assert text_of(feel(f"[{quote(text)}]")) == f"[{quote(text)}]"
