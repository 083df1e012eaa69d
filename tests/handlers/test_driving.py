"""Scripts, answers and office time of the driver."""

from __future__ import annotations

import random
from datetime import date, datetime

import pytest

from engine.clock import CHINA
from engine.errors import NotFound
from engine.settings import ROOT
from engine.workcalendar import WorkCalendar, load_overlay
from handlers.driving.answers import answer, fitted, merged
from handlers.driving.script import Script, Situation, rules_of
from handlers.driving.worktime import add_office_hours, after_workdays, into_office

CALENDAR = WorkCalendar(load_overlay(ROOT / "processes" / "catalogue" / "work_calendar.csv"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def place(**more: object) -> Situation:
    values = {
        "element": "t_check",
        "form": "intake_check",
        "process": "item_intake",
        "unit": "XZSPJ",
        "label": "",
        "message": "",
        "variables": {},
    }
    return Situation(**(values | more))  # type: ignore[arg-type]


def test_answers_move_with_the_day_and_name_the_company() -> None:
    moved = answer("start_report", today=date(2023, 1, 10))
    assert moved["startReport"]["start_date"] == "2023-01-10"
    parties = answer("construction_application", today=date(2022, 8, 1), company="甲公司", code="9165")["application"]["parties"]
    assert (parties[0]["dw"], parties[0]["uscc"]) == ("甲公司", "9165")


def test_an_unknown_form_has_no_answer() -> None:
    with pytest.raises(NotFound):
        answer("nothing", today=date(2022, 8, 1))


def test_fits_come_from_the_project_and_null_changes_nothing() -> None:
    project = {"jzmj": 1000, "jzgd": 20, "ydmj": None, "jsdd": "延安北路"}
    assert fitted("planning_application", {"project": project})["application"]["zjzmj"] == 1000
    assert fitted("land_preapproval_application", {"project": project}) == {"application": {"ydwz": "延安北路"}}
    assert fitted("case_claim", {}) == {}


def test_merging_is_deep_and_changes_neither() -> None:
    base, over = {"a": {"b": 1, "c": [1]}}, {"a": {"b": 2}}
    assert merged(base, over) == {"a": {"b": 2, "c": [1]}} and base == {"a": {"b": 1, "c": [1]}}


def test_the_first_rule_that_fits_decides() -> None:
    rules = rules_of(
        [
            {"form": "other", "answer": {"x": 1}},
            {"form": "intake_check", "when": "=n > 3", "answer": {"x": 2}},
            {"unit": "XZSPJ", "most": 1, "answer": {"day": "{+10}"}},
            {"element": "t_check", "hold": True},
        ]
    )
    script = Script(rules, random.Random(1))
    today = date(2022, 8, 1)
    assert script.choose(place(variables={"n": 4}), today).answer == {"x": 2}
    assert script.choose(place(variables={"n": 1}), today).answer == {"day": "2022-08-11"}
    assert script.choose(place(variables={"n": 1}), today).hold, "the third rule applies once only"


def test_rules_for_tasks_and_events_do_not_mix() -> None:
    script = Script(rules_of([{"message": "stop_reported", "hold": True}]), random.Random(1))
    assert not script.choose(place(), date(2022, 8, 1)).hold
    assert script.choose(place(message="stop_reported"), date(2022, 8, 1)).hold
    assert not script.choose(place(message="other"), date(2022, 8, 1)).hold


def test_chance_is_reproducible() -> None:
    def draws(seed: int) -> list[bool]:
        script = Script(rules_of([{"form": "intake_check", "chance": 0.5, "hold": True}]), random.Random(seed))
        return [script.choose(place(), date(2022, 8, 1)).hold for _ in range(40)]

    assert draws(1) == draws(1) != draws(2) and any(draws(1)) and not all(draws(1))


def test_an_unknown_key_of_a_rule_is_an_error() -> None:
    with pytest.raises(TypeError):
        rules_of([{"elment": "t_check"}])


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2022-08-01T10:30", 2, "2022-08-01T12:30"),
        ("2022-08-01T18:30", 2, "2022-08-02T11:00"),
        ("2022-07-29T19:00", 1, "2022-08-01T10:30"),
        ("2022-07-08T19:00", 1, "2022-07-14T10:30"),
        ("2022-08-01T03:00", 1, "2022-08-01T11:00"),
    ],
)
def test_office_hours_skip_nights_weekends_and_holidays(start: str, hours: float, end: str) -> None:
    assert add_office_hours(CALENDAR, at(start), hours) == at(end)


def test_office_time_itself_is_kept() -> None:
    assert into_office(CALENDAR, at("2022-08-01T12:00")) == at("2022-08-01T12:00")
    assert after_workdays(CALENDAR, at("2022-07-08T12:00"), 0) == at("2022-07-08T12:00")
    assert after_workdays(CALENDAR, at("2022-07-08T12:00"), 1) == at("2022-07-14T10:00")
