"""Lights: what is left, until when, in working days (domain §2.10, §3.2)."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine.clock import CHINA
from engine.settings import ROOT
from engine.workcalendar import WorkCalendar, load_overlay
from handlers.lights import of_budget, of_due, warning_days

CALENDAR = WorkCalendar(load_overlay(ROOT / "processes" / "catalogue" / "work_calendar.csv"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.mark.parametrize(("limit", "days"), [(1, 1), (5, 1), (6, 2), (10, 2), (20, 4), (100, 20)])
def test_yellow_begins_at_a_fifth_of_the_limit_and_one_day_at_least(limit: int, days: int) -> None:
    assert warning_days(limit) == days


@pytest.mark.parametrize(
    ("now", "due", "colour", "words"),
    [
        ("2022-08-01T10:30", "2022-08-04T23:59:59", "green", "剩 3 工作日"),
        ("2022-08-01T10:30", "2022-08-02T23:59:59", "yellow", "剩 1 工作日"),
        ("2022-08-01T10:30", "2022-08-01T23:59:59", "yellow", "今日到期"),
        ("2022-08-01T21:00", "2022-08-01T20:00", "red", "今日已超时"),
        ("2022-08-03T10:30", "2022-08-01T23:59:59", "red", "超 2 工作日"),
        ("2022-07-08T10:30", "2022-07-14T23:59:59", "yellow", "剩 1 工作日"),
    ],
)
def test_the_light_of_a_due_date(now: str, due: str, colour: str, words: str) -> None:
    """The last row spans 古尔邦节: 11-13 July 2022 are no working days in Xinjiang."""
    light = of_due(CALENDAR, at(due), 3, at(now))
    assert (light.colour, light.words) == (colour, words)


def test_without_a_limit_the_light_is_grey() -> None:
    assert of_due(CALENDAR, None, None).colour == "grey"


@pytest.mark.parametrize(("used", "colour"), [(0, "green"), (79, "green"), (80, "yellow"), (85, "yellow"), (100, "yellow"), (101, "red")])
def test_the_budget_of_a_hundred_days(used: int, colour: str) -> None:
    assert of_budget(used, 100).colour == colour
