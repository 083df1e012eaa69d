"""The working calendar of an installation: office hours, notices that are imported, provisional years (domain §3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest

from engine import commands
from engine.clock import CHINA
from engine.errors import Conflict, Forbidden, NotFound
from engine.policy import SYSTEM
from engine.store import reads
from engine.workcalendar import CalendarError, load_hours
from handlers import lights
from handlers.calendar import service as calendars
from handlers.calendar.service import NoticeInvalid
from handlers.catalogue.service import catalogue_calendar
from tests.handlers.conftest import Office
from tests.handlers.item_flow import Item
from webapp.cli import doctor

NOTICE = """date,kind,reason
2027-01-01,off,元旦
2027-02-05,off,春节
2027-02-08,off,春节
2027-02-06,work,春节调休
2027-03-10,off,肉孜节
"""
SOURCE = "国办发明电〔2026〕9号；新政办发〔2026〕88号"
XINJIANG = catalogue_calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.fixture
def without_notices(office: Office) -> Iterator[None]:
    yield
    with office.engine.unit_of_work() as session:
        for notice in calendars.notices(session):
            if notice.undone_at is None:
                calendars.undo_notice(session, SYSTEM, notice.id)


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        ("2022-05-12T08:00", "2022-05-12"),  # before the doors open: today
        ("2022-05-12T14:30", "2022-05-12"),  # at noon
        ("2022-05-12T20:00", "2022-05-12"),  # the last minute in summer
        ("2022-05-12T20:01", "2022-05-13"),
        ("2022-10-12T19:30", "2022-10-12"),  # winter hours since 1 October
        ("2022-10-12T19:31", "2022-10-13"),
        ("2022-05-05T11:00", "2022-05-06"),  # 肉孜节 in Xinjiang
        ("2022-05-07T11:00", "2022-05-07"),  # Saturday, 调休
        ("2022-07-08T20:30", "2022-07-14"),  # Friday evening before 古尔邦节
    ],
)
def test_receipt_outside_office_hours_counts_from_the_next_working_day(moment: str, counts: str) -> None:
    assert XINJIANG.clock_date(at(moment)) == date.fromisoformat(counts)


def test_business_closes_with_the_season_civil_code_203() -> None:
    assert XINJIANG.closing(date(2022, 9, 30)) == at("2022-09-30T20:00")
    assert XINJIANG.closing(date(2022, 10, 8)) == at("2022-10-08T19:30")
    assert XINJIANG.closing(date(2022, 2, 8)) == at("2022-02-08T19:30"), "winter goes on over the new year"
    assert XINJIANG.opening(date(2022, 2, 8)) == at("2022-02-08T10:00")


@pytest.mark.parametrize("row", ["650000,05-01,", "650000,05-01,10:00-09:00", "650000,5月,10:00-14:00", "110000,05-01,09:00-18:00"])
def test_bad_office_hours_are_refused(tmp_path_factory: pytest.TempPathFactory, row: str) -> None:
    path = tmp_path_factory.mktemp("hours") / "office_hours.csv"
    path.write_text(f"region,begins,sessions\n{row}\n", encoding="utf-8")
    with pytest.raises(CalendarError):
        load_hours(path)


@pytest.mark.parametrize(
    ("text", "year", "source", "reason"),
    [
        ("2027-01-01,off,元旦\n2027-01-01,off,元旦", 2027, SOURCE, "第 2 行：2027-01-01 出现了两次"),
        ("2026-12-31,off,元旦", 2027, SOURCE, "不在 2027 年"),
        ("2027-13-01,off,元旦", 2027, SOURCE, "第 1 行：日期"),
        ("2027-01-01,holiday,元旦", 2027, SOURCE, "off（放假）或 work（上班）"),
        ("2027-01-01,off", 2027, SOURCE, "事由"),
        ("", 2027, SOURCE, "实有 0 天"),
        (NOTICE, 2027, "  ", "文号或来源"),
        (NOTICE, 1800, SOURCE, "年份"),
        ("x" * 20_001, 2027, SOURCE, "20000 字"),
    ],
)
def test_a_bad_notice_is_refused_with_its_line(text: str, year: int, source: str, reason: str) -> None:
    with pytest.raises(NoticeInvalid, match=reason):
        calendars.parse_notice(text, year, source)


def test_preview_shows_the_changed_days_and_stores_nothing(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        shown = calendars.preview(session, NOTICE, 2027, SOURCE)
    assert date(2027, 3, 10) in shown.becomes_off
    assert shown.becomes_work == (date(2027, 2, 6),)
    with office.engine.reading() as session:
        assert calendars.notices(session) == []
        assert lights.calendar_of(session).provisional(date(2027, 3, 10))


@pytest.mark.usefixtures("without_notices")
def test_an_applied_notice_holds_for_every_process_and_can_be_undone(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        notice = calendars.apply_notice(session, SYSTEM, NOTICE, 2027, SOURCE)
    with office.engine.reading() as session:
        calendar = lights.calendar_of(session)
        assert not calendar.provisional(date(2027, 3, 10)) and calendar.provisional(date(2028, 3, 10))
        assert not calendar.is_workday(date(2027, 3, 10)) and calendar.is_workday(date(2027, 2, 6))
        assert not calendar.is_workday(date(2022, 5, 5)), "other years stay"
        assert [n.active for n in calendars.notices(session)] == [True]
    with office.engine.unit_of_work() as session:
        calendars.undo_notice(session, SYSTEM, notice.id)
    with office.engine.reading() as session:
        assert lights.calendar_of(session).is_workday(date(2027, 3, 10))
        assert lights.calendar_of(session).provisional(date(2027, 3, 10))
    with office.engine.unit_of_work() as session:
        calendars.undo_notice(session, SYSTEM, notice.id)
        with pytest.raises(Conflict):
            calendars.undo_notice(session, replace(SYSTEM, username="another"), notice.id)


@pytest.mark.usefixtures("without_notices")
def test_a_later_notice_of_the_year_replaces_the_earlier_and_undoing_it_brings_that_back(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        calendars.apply_notice(session, SYSTEM, NOTICE, 2027, SOURCE)
    with office.engine.unit_of_work() as session:
        second = calendars.apply_notice(session, SYSTEM, "2027-03-11,off,肉孜节", 2027, "更正")
    with office.engine.reading() as session:
        calendar = lights.calendar_of(session)
        assert calendar.is_workday(date(2027, 3, 10)) and not calendar.is_workday(date(2027, 3, 11))
        assert sorted((n.source, n.active) for n in calendars.notices(session) if n.undone_at is None) == [(SOURCE, False), ("更正", True)]
    with office.engine.unit_of_work() as session:
        calendars.undo_notice(session, SYSTEM, second.id)
    with office.engine.reading() as session:
        assert not lights.calendar_of(session).is_workday(date(2027, 3, 10))


def test_only_administrators_change_the_calendar(office: Office) -> None:
    with office.engine.unit_of_work() as session, pytest.raises(Forbidden):
        calendars.apply_notice(session, office.actor("guli"), NOTICE, 2027, SOURCE)
    with office.engine.unit_of_work() as session, pytest.raises(Forbidden):
        calendars.undo_notice(session, office.actor("guli"), 1)
    with office.engine.unit_of_work() as session, pytest.raises(NotFound):
        calendars.undo_notice(session, SYSTEM, 999_999)


@pytest.mark.parametrize(("today", "missing"), [("2026-10-31", None), ("2026-11-01", 2027), ("2027-01-04", 2027), ("2025-12-31", None)])
def test_from_november_on_the_next_years_notice_is_missed(today: str, missing: int | None) -> None:
    assert calendars.missing_year(XINJIANG, date.fromisoformat(today)) == missing


def test_doctor_asks_for_the_missing_notice_until_it_is_imported(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.clock.wall_now", lambda: at("2026-11-02T10:00"))
    assert "2027" in doctor._calendar(office.engine).advice
    with office.engine.unit_of_work() as session:
        notice = calendars.apply_notice(session, SYSTEM, NOTICE, 2027, SOURCE)
    assert doctor._calendar(office.engine).advice == ""
    with office.engine.unit_of_work() as session:
        calendars.undo_notice(session, SYSTEM, notice.id)


# ---------------------------------------------------------------------- what counts working days follows a notice
def due_of(office: Office, element: str, project_id: int) -> date:
    (task,) = [row for row in office.driver.open_tasks(project_id) if row.element_id == element]
    due: datetime = task.due_date
    return due.astimezone(CHINA).date()


def move(office: Office, text: str, source: str = SOURCE) -> tuple[int, int]:
    """Import a notice and let the flows follow -> (its number, due dates moved)."""
    with office.engine.unit_of_work() as session:
        notice = calendars.apply_notice(session, SYSTEM, text, 2022, source)
    return notice.id, calendars.follow_notices(office.engine)


def test_open_tasks_counted_in_working_days_follow_a_notice_with_audit_and_back(office: Office, without_notices: None) -> None:
    """The due date of a task is counted again from the day it came, not from today."""
    item = Item(office, received="2022-05-11T10:30").accept()
    before = due_of(office, "t_claim", item.project.id)
    item.on("2022-05-11T16:00")
    number, moved = move(office, f"{before},off,临时放假")
    after = due_of(office, "t_claim", item.project.id)
    assert moved >= 1 and after == XINJIANG.add_workdays(before, 1)
    with office.engine.reading() as session:
        told = [e for e in reads.audit_of_business(session, str(item.project.id)) if e.action == "task.due_moved"]
    assert [(e.actor, e.data["after"][:10]) for e in told] == [("system", after.isoformat())]
    assert calendars.follow_notices(office.engine) == 0, "once"
    with office.engine.unit_of_work() as session:
        calendars.undo_notice(session, SYSTEM, number)
    assert calendars.follow_notices(office.engine) >= 1 and due_of(office, "t_claim", item.project.id) == before


def test_a_due_date_that_a_person_has_set_stays(office: Office, without_notices: None) -> None:
    item = Item(office, received="2022-05-11T10:30").accept()
    before = due_of(office, "t_claim", item.project.id)
    task = item.task("t_claim")
    with office.engine.unit_of_work() as session:
        commands.update_task(session, SYSTEM, task.key, {"due_date": at(f"{before}T18:00")})
    move(office, f"{before},off,临时放假", "再次通知")
    assert due_of(office, "t_claim", item.project.id) == before


def test_timers_counted_in_working_days_follow_a_notice(office: Office, without_notices: None) -> None:
    """行政许可法 47: five working days to ask for a hearing, from the notice."""
    item = Item(office, received="2022-05-11T10:30").accept().claim()
    item.review("需特别程序", special_kind="听证")
    item.do("t_request")
    item.do("t_approve")
    before = item.next_due()
    assert before is not None
    day = before.astimezone(CHINA).date()
    move(office, f"{day},off,临时放假", "听证期间放假")
    after = item.next_due()
    assert after is not None and after.astimezone(CHINA).date() == XINJIANG.add_workdays(day, 1)
