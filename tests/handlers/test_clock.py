"""The statutory clock against the vectors A-N of the domain specification §3.6 and the properties named there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings import ROOT
from engine.workcalendar import WorkCalendar, load_overlay
from handlers.clock import service as clock
from handlers.clock.events import ClockRefused
from handlers.clock.service import Accepted, Decided, Extended, Limit, Paused, Received, Resumed

pytestmark = pytest.mark.scaled

XINJIANG = WorkCalendar(load_overlay(ROOT / "processes" / "catalogue" / "work_calendar.csv"))
NATIONAL = WorkCalendar()


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("vector", "accepted", "days", "xinjiang", "national"),
    [
        ("A", "2022-05-12", 20, "2022-06-10", "2022-06-10"),
        ("B", "2022-06-24", 20, "2022-07-27", "2022-07-22"),
        ("C", "2022-05-03", 2, "2022-05-07", "2022-05-06"),
        ("D", "2022-04-29", 5, "2022-05-11", "2022-05-10"),
        ("E", "2022-09-29", 5, "2022-10-11", "2022-10-11"),
        ("H45", "2022-05-12", 45, "2022-07-20", None),
        ("H60", "2022-05-12", 60, "2022-08-10", None),
        ("I", "2022-05-12", 100, "2022-10-11", "2022-10-08"),
        ("J", "2025-06-03", 7, "2025-06-17", "2025-06-12"),
        ("K", "2022-10-08", 3, "2022-10-11", None),
        ("M", "2026-02-10", 20, None, "2026-03-16"),
    ],
)
def test_vector(vector: str, accepted: str, days: int, xinjiang: str | None, national: str | None) -> None:
    for calendar, expected in ((XINJIANG, xinjiang), (NATIONAL, national)):
        if expected is not None:
            assert clock.due_date(day(accepted), Limit(days), calendar) == (day(expected), False), vector


def test_vector_f_pause_moves_the_due_date_by_the_excluded_days() -> None:
    assert clock.due_date(day("2022-05-23"), Limit(20), XINJIANG)[0] == day("2022-06-21")
    paused = clock.due_date(day("2022-05-23"), Limit(20), XINJIANG, [(day("2022-06-01"), day("2022-06-15"))])
    assert paused[0] == day("2022-07-04")


def test_vector_g_extension_adds_ten_days() -> None:
    events = [
        Accepted(day("2022-05-23")),
        Paused(day("2022-06-01")),
        Resumed(day("2022-06-15")),
        Extended(day("2022-06-20"), 10, "局长", "昌市自然资延〔2022〕1号"),
    ]
    assert clock.read_clock(Limit(20), events, XINJIANG, day("2022-06-20")).due == day("2022-07-21")


def test_vector_l_elapsed() -> None:
    reading = clock.read_clock(Limit(20), [Accepted(day("2022-05-12"))], XINJIANG, day("2022-06-10"))
    assert (reading.elapsed, reading.remaining) == (20, 0)


def test_vector_n_a_year_without_notice_is_provisional() -> None:
    due, provisional = clock.due_date(day("2026-12-21"), Limit(20), NATIONAL)
    assert due.year == 2027
    assert provisional


def test_calendar_days_end_on_a_working_day_civil_code_203() -> None:
    assert clock.due_date(day("2022-04-01"), Limit(30, "cd"), NATIONAL)[0] == day("2022-05-05")


def test_licensing_law_45_a_pause_hides_the_due_date_and_shows_the_projection() -> None:
    events = [Accepted(day("2022-05-23")), Paused(day("2022-06-01"), "special", "告知书", day("2022-06-15"))]
    reading = clock.read_clock(Limit(20), events, XINJIANG, day("2022-06-08"))
    assert (reading.due, reading.projected_due, reading.light, reading.paused) == (None, day("2022-07-04"), "blue", "special")


def test_licensing_law_32_4_deemed_acceptance_counts_from_the_receipt() -> None:
    events = [Received(day("2022-04-29")), Accepted(day("2022-04-29"), deemed=True)]
    assert clock.read_clock(Limit(5), events, XINJIANG, day("2022-05-12")).light == "red"
    with pytest.raises(ClockRefused):
        clock.read_clock(Limit(5), [Received(day("2022-04-29")), Accepted(day("2022-05-11"), deemed=True)], XINJIANG, day("2022-05-12"))


def test_four_times_add_up_to_the_span() -> None:
    events = [
        Received(day("2022-05-05")),
        Paused(day("2022-05-09"), "correction"),
        Resumed(day("2022-05-13")),
        Accepted(day("2022-05-13")),
        Paused(day("2022-05-20"), "special"),
        Resumed(day("2022-05-27")),
        Decided(day("2022-06-06")),
    ]
    times = clock.read_clock(Limit(20), events, XINJIANG, day("2022-12-01")).times
    assert (times.correction, times.special) == (4, 5)
    assert times.span == times.approval + times.correction + times.special + times.waiting


@pytest.mark.parametrize(
    ("events", "article"),
    [
        ([Accepted(day("2022-05-12")), Accepted(day("2022-05-13"))], "三十二"),
        ([Accepted(day("2022-05-12")), Paused(day("2022-05-13")), Paused(day("2022-05-14"))], "四十五"),
        ([Accepted(day("2022-05-12")), Resumed(day("2022-05-13"))], "四十五"),
        ([Paused(day("2022-05-12"), "special")], "四十五"),
        ([Accepted(day("2022-05-12")), Paused(day("2022-05-13")), Decided(day("2022-05-16"))], "四十五"),
        ([Decided(day("2022-05-16"))], "三十八"),
        ([Accepted(day("2022-05-12")), Extended(day("2022-05-13"), 10, "", "文书")], "四十二"),
        ([Accepted(day("2022-05-12")), Paused(day("2022-05-20"), planned=day("2022-05-19"))], "四十五"),
        ([Accepted(day("2022-05-12")), Paused(day("2022-05-11"))], "先后"),
    ],
)
def test_contradiction_is_refused_with_its_article(events: list[clock.Event], article: str) -> None:
    with pytest.raises(ClockRefused) as refused:
        clock.read_clock(Limit(20), events, XINJIANG, day("2022-06-30"))
    assert article in refused.value.message()


def test_extension_only_once() -> None:
    extension = Extended(day("2022-05-20"), 10, "局长", "文书")
    with pytest.raises(ClockRefused):
        clock.read_clock(Limit(20), [Accepted(day("2022-05-12")), extension, extension], XINJIANG, day("2022-06-30"))


def test_extension_after_expiry_is_refused() -> None:
    late = Extended(day("2022-06-13"), 10, "局长", "文书")
    with pytest.raises(ClockRefused):
        clock.read_clock(Limit(20), [Accepted(day("2022-05-12")), late], XINJIANG, day("2022-06-30"))


@pytest.mark.parametrize(("elapsed_until", "light"), [("2022-05-20", "green"), ("2022-06-06", "yellow"), ("2022-06-13", "red")])
def test_lights(elapsed_until: str, light: str) -> None:
    assert clock.read_clock(Limit(20), [Accepted(day("2022-05-12"))], XINJIANG, day(elapsed_until)).light == light


def test_before_acceptance_the_light_is_grey() -> None:
    assert clock.read_clock(Limit(20), [Received(day("2022-05-12"))], XINJIANG, day("2022-05-13")).light == "grey"


DAYS = st.dates(date(2018, 1, 1), date(2025, 6, 30))
LIMITS = st.integers(1, 100)


@given(DAYS, LIMITS)
def test_due_is_a_working_day_and_elapsed_there_is_the_limit(accepted: date, limit: int) -> None:
    due, _ = clock.due_date(accepted, Limit(limit), XINJIANG)
    assert XINJIANG.is_workday(due)
    assert clock.read_clock(Limit(limit), [Accepted(accepted)], XINJIANG, due).elapsed == limit


@given(DAYS, LIMITS, st.integers(0, 60), st.integers(1, 60))
def test_pause_of_k_working_days_moves_due_by_exactly_k(accepted: date, limit: int, offset: int, length: int) -> None:
    due, _ = clock.due_date(accepted, Limit(limit), XINJIANG)
    begin = accepted + timedelta(days=offset)
    end = begin + timedelta(days=length)
    if XINJIANG.count_workdays(accepted, begin) >= limit:
        assert clock.due_date(accepted, Limit(limit), XINJIANG, [(begin, end)])[0] == due
        return
    k = XINJIANG.count_workdays(begin, end)
    assert clock.due_date(accepted, Limit(limit), XINJIANG, [(begin, end)])[0] == XINJIANG.add_workdays(due, k)


@given(DAYS, LIMITS, st.integers(0, 40), st.integers(1, 30), st.integers(1, 30))
def test_splitting_a_pause_changes_nothing(accepted: date, limit: int, offset: int, first: int, second: int) -> None:
    begin = accepted + timedelta(days=offset)
    middle, end = begin + timedelta(days=first), begin + timedelta(days=first + second)
    whole = clock.due_date(accepted, Limit(limit), XINJIANG, [(begin, end)])
    assert clock.due_date(accepted, Limit(limit), XINJIANG, [(begin, middle), (middle, end)]) == whole
