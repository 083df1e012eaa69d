"""The working calendar: vectors A-N of the domain (放假办法, 第四条 for Xinjiang's own days) and the laws every calendar obeys."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.workcalendar import CalendarError, OverlayDay, WorkCalendar, load_overlay

FILE = Path(__file__).parents[1] / "processes" / "catalogue" / "work_calendar.csv"
XINJIANG = WorkCalendar(load_overlay(FILE))
NATIONAL = WorkCalendar()


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("vector", "accepted", "days", "due", "national"),
    [
        ("A", "2022-05-12", 20, "2022-06-10", "2022-06-10"),
        ("B", "2022-06-24", 20, "2022-07-27", "2022-07-22"),
        ("C", "2022-05-03", 2, "2022-05-07", "2022-05-06"),
        ("D", "2022-04-29", 5, "2022-05-11", "2022-05-10"),
        ("E", "2022-09-29", 5, "2022-10-11", "2022-10-11"),
        ("F without its pause", "2022-05-23", 20, "2022-06-21", "2022-06-21"),
        ("F", "2022-05-23", 29, "2022-07-04", "2022-07-04"),
        ("G", "2022-05-23", 39, "2022-07-21", "2022-07-18"),
        ("H", "2022-05-12", 45, "2022-07-20", "2022-07-15"),
        ("H", "2022-05-12", 60, "2022-08-10", "2022-08-05"),
        ("I", "2022-05-12", 100, "2022-10-11", "2022-10-08"),
        ("J", "2025-06-03", 7, "2025-06-17", "2025-06-12"),
        ("K", "2022-10-08", 3, "2022-10-11", "2022-10-11"),
        ("M", "2026-02-10", 20, "2026-03-16", "2026-03-16"),
    ],
)
def test_due_date(vector: str, accepted: str, days: int, due: str, national: str) -> None:
    assert XINJIANG.add_workdays(day(accepted), days) == day(due), vector
    assert NATIONAL.add_workdays(day(accepted), days) == day(national), vector


def test_elapsed_days_of_vector_l_and_pause_of_vector_f() -> None:
    assert XINJIANG.count_workdays(day("2022-05-12"), day("2022-06-10")) == 20
    assert XINJIANG.count_workdays(day("2022-06-01"), day("2022-06-15")) == 9


def test_vector_n_a_year_without_notice_is_provisional() -> None:
    due = XINJIANG.add_workdays(day("2026-12-21"), 20)
    assert due.year == 2027
    assert XINJIANG.provisional(due)
    assert not XINJIANG.provisional(day("2026-12-31"))
    assert not WorkCalendar(official_until=2027).provisional(due)


@pytest.mark.parametrize(("year", "xinjiang", "national"), [(2022, 245, 249), (2023, 245, 249), (2025, 244, 248)])
def test_working_days_of_a_year(year: int, xinjiang: int, national: int) -> None:
    start, end = date(year - 1, 12, 31), date(year, 12, 31)
    assert XINJIANG.count_workdays(start, end) == xinjiang
    assert NATIONAL.count_workdays(start, end) == national


@pytest.mark.parametrize("text", ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"])
def test_make_up_working_days_of_2026(text: str) -> None:
    assert NATIONAL.is_workday(day(text))


def test_an_overlay_adds_and_removes_days() -> None:
    rows = [OverlayDay("x", day("2024-05-11"), "off", "r", "s"), OverlayDay("x", day("2024-05-12"), "work", "r", "s")]
    calendar = WorkCalendar(rows)
    assert not calendar.is_workday(day("2024-05-11"))
    assert NATIONAL.is_workday(day("2024-05-11"))
    assert calendar.is_workday(day("2024-05-12"))


def test_another_regions_days_do_not_count() -> None:
    assert load_overlay(FILE, "110000") == ()


def test_a_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calendar.csv"
    path.write_text("region,date,kind,reason,source\n650000,2022-13-01,off,r,s\n", encoding="utf-8")
    with pytest.raises(CalendarError, match="第 2 行"):
        load_overlay(path)
    path.write_text("region,date,kind,reason,source\n650000,2022-12-01,maybe,r,s\n", encoding="utf-8")
    with pytest.raises(CalendarError, match="kind"):
        load_overlay(path)


def test_years_outside_the_data_are_refused() -> None:
    with pytest.raises(CalendarError):
        XINJIANG.add_workdays(day("2100-12-01"), 500)


DAYS = st.dates(min_value=date(2004, 1, 1), max_value=date(2026, 12, 31))


@given(DAYS, st.integers(min_value=1, max_value=400))
def test_the_due_day_works_and_counts_back(start: date, n: int) -> None:
    due = XINJIANG.add_workdays(start, n)
    assert XINJIANG.is_workday(due)
    assert XINJIANG.count_workdays(start, due) == n


@given(DAYS, st.integers(min_value=1, max_value=200), st.integers(min_value=1, max_value=200))
def test_adding_in_two_steps_changes_nothing(start: date, a: int, b: int) -> None:
    assert XINJIANG.add_workdays(XINJIANG.add_workdays(start, a), b) == XINJIANG.add_workdays(start, a + b)


@given(DAYS, st.integers(min_value=1, max_value=200))
def test_going_back_ends_on_a_working_day_as_far_away(start: date, n: int) -> None:
    before = XINJIANG.add_workdays(start, -n)
    assert XINJIANG.is_workday(before)
    assert XINJIANG.count_workdays(before, start - timedelta(days=1)) == n - 1


@given(DAYS, DAYS)
def test_counting_agrees_with_looking_at_every_day(a: date, b: date) -> None:
    after, until = min(a, b), min(max(a, b), min(a, b) + timedelta(days=400))
    each = sum(XINJIANG.is_workday(after + timedelta(days=k)) for k in range(1, (until - after).days + 1))
    assert XINJIANG.count_workdays(after, until) == each
