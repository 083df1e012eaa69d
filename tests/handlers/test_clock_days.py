"""The clock explains every day, and what several cases hold together counts once (domain §3.3)."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from handlers.catalogue.service import catalogue_calendar
from handlers.clock.ledger import CaseClock
from handlers.clock.service import (
    Accepted,
    Closed,
    Decided,
    Event,
    Limit,
    Paused,
    Received,
    Resumed,
    explain_days,
    held_days,
    project_budget,
    read_clock,
)

XINJIANG = catalogue_calendar()
TWENTY = Limit(20)


def day(text: str) -> date:
    return date.fromisoformat(f"2022-{text}")


def clock(today: str, *events: Event, limit: Limit | None = TWENTY) -> CaseClock:
    reading = read_clock(limit, events, XINJIANG, day(today))
    return CaseClock(1, "ZR06", 1, limit, limit, events, reading, reading, None, XINJIANG)


def test_vector_b_explains_the_days_off_of_xinjiang() -> None:
    found = clock("07-28", Received(day("06-23")), Accepted(day("06-24")))
    days = {d.day: d for d in explain_days(found, day("07-28"))}
    assert days[day("06-23")].marks == ("收件",) and days[day("06-24")].kind == "accepted"
    assert (days[day("07-11")].kind, days[day("07-11")].reason) == ("off", "古尔邦节")
    assert (days[day("07-09")].kind, days[day("07-09")].reason) == ("off", "周末")
    assert (days[day("07-27")].number, days[day("07-27")].marks) == (20, ("到期",))
    assert max(d.number or 0 for d in days.values()) == found.reading.elapsed == 21


def test_paused_days_carry_the_procedure_and_its_notice_law_45() -> None:
    """Vector F."""
    found = clock("06-20", Accepted(day("05-23")), Paused(day("06-01"), "special", "特告1号", None, "专家评审"), Resumed(day("06-15")))
    days = explain_days(found, day("06-20"))
    paused = [d for d in days if d.kind == "paused"]
    assert (paused[0].day, paused[-1].day, paused[0].reason) == (day("06-02"), day("06-15"), "专家评审（特告1号）")
    assert [d.marks for d in days if d.day == day("06-01")] == [("专家评审开始",)]
    assert days[-1].day == day("07-04") and days[-1].future and days[-1].number == 20
    assert max(d.number or 0 for d in days if not d.future) == found.reading.elapsed


def test_an_open_pause_lasts_to_its_planned_end() -> None:
    found = clock("06-06", Accepted(day("05-23")), Paused(day("06-01"), "special", "", day("06-10")))
    days = {d.day: d for d in explain_days(found, day("06-06"))}
    assert days[day("06-10")].kind == "paused" and days[day("06-13")].kind == "counted"
    assert "预计到期" in days[found.reading.projected_due].marks if found.reading.projected_due else False


def test_an_ended_case_stops_there_and_one_before_acceptance_only_waits() -> None:
    ended = explain_days(clock("06-20", Received(day("05-12")), Accepted(day("05-13")), Decided(day("05-18"))), day("06-20"))
    assert ended[-1].day == day("05-18") and ended[-1].marks == ("决定",)
    waiting = explain_days(clock("05-17", Received(day("05-12")), Closed(day("05-17"), "不受理")), day("05-17"))
    assert Counter(d.kind for d in waiting) == {"received": 1, "waiting": 3, "off": 2}


def test_calendar_days_count_on_days_off_too() -> None:
    days = explain_days(clock("06-20", Accepted(day("05-23")), limit=Limit(30, "cd")), day("06-20"))
    assert {d.kind for d in days} == {"accepted", "counted"} and days[-1].number == 30


def test_days_that_several_cases_hold_count_once() -> None:
    first = clock("06-10", Accepted(day("05-23")), Decided(day("06-02")))
    second = clock("06-10", Accepted(day("05-30")), Decided(day("06-08")))
    assert held_days([first], XINJIANG, day("06-10")) == 8
    assert held_days([first, second], XINJIANG, day("06-10")) == XINJIANG.count_workdays(day("05-23"), day("06-08")) == 11
    assert held_days([first, first], XINJIANG, day("06-10")) == 8
    apart = clock("06-30", Accepted(day("06-20")), Decided(day("06-22")))
    assert held_days([first, apart], XINJIANG, day("06-30")) == 8 + 2


def test_the_pause_of_one_branch_pauses_no_other() -> None:
    paused = clock("06-10", Accepted(day("05-23")), Paused(day("05-25")), Resumed(day("06-08")))
    other = clock("06-10", Accepted(day("05-23")), Decided(day("06-08")))
    assert held_days([paused], XINJIANG, day("06-10")) == 4
    assert held_days([paused, other], XINJIANG, day("06-10")) == XINJIANG.count_workdays(day("05-23"), day("06-10"))


@pytest.mark.parametrize("today", ["05-23", "06-10"])
def test_before_acceptance_nothing_is_held(today: str) -> None:
    assert held_days([clock(today, Received(day("05-20")))], XINJIANG, day(today)) == 0


def test_vector_i_the_hundred_days_of_a_project() -> None:
    running = clock("10-12", Accepted(day("05-12")), limit=None)
    assert held_days([running], XINJIANG, day("10-11")) == 100 == project_budget()
    assert held_days([running], XINJIANG, day("10-12")) == 101


def publication(item: str = "ZR06") -> CaseClock:
    """Accepted on 9 May, publication from the 11th to the 18th of May by the city's own rule."""
    events: list[Event] = [
        Accepted(day("05-09")),
        Paused(day("05-11"), "special", "特告2号", None, "公示", legal=False),
        Resumed(day("05-18")),
    ]
    reading = read_clock(TWENTY, events, XINJIANG, day("05-20"))
    statutory = read_clock(TWENTY, events, XINJIANG, day("05-20"), statutory=True)
    return CaseClock(1, item, 1, TWENTY, TWENTY, tuple(events), reading, statutory, None, XINJIANG)


def test_in_the_statutory_view_a_publication_counts_and_in_the_reform_view_it_does_not() -> None:
    """Domain trap 6: 公示 stops the city's count, not the law's."""
    found = publication()
    counted = {}
    for view in ("promise", "statutory", "reform"):
        days = explain_days(found, day("05-20"), view)
        counted[view] = sum(one.number is not None and not one.future for one in days)
        if view == "statutory":
            assert next(one.reason for one in days if one.day == day("05-16")) == "公示期间照常计时"
        else:
            assert next(one.reason for one in days if one.day == day("05-16")) == "公示（特告2号）"
    assert counted == {"promise": found.reading.elapsed, "statutory": found.statutory.elapsed, "reform": found.reading.elapsed}
    assert (counted["statutory"], counted["promise"]) == (9, 4)


def test_items_of_the_parallel_stage_do_not_count_towards_the_hundred_days() -> None:
    days = explain_days(publication("HB01"), day("05-20"), "reform")
    assert all(one.number is None for one in days)
    assert {one.reason for one in days if one.day in (day("05-10"), day("05-19"))} == {"并行推进的事项不计入百个工作日"}
