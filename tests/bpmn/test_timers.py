"""Timers: dates, durations and cycles, static and FEEL, calendar months, re-evaluation when the value changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.bpmn.kernel.timers import parse_cycle, parse_duration, parse_moment
from tests.bpmn.support import END, NOON, START, Host, Run, boundary, chain, doc, el, timer, user


def beside(text: str, kind: str = "timeDuration", interrupting: bool = False) -> bytes:
    """A user task a with a boundary timer that leads to h."""
    body = START + user("a") + boundary("b", "a", timer(text, kind), interrupting) + user("h") + END
    return doc(body + chain("s", "a", "e") + chain("b", "h", "e"))


@pytest.mark.parametrize(
    ("start", "text", "expected"),
    [
        ("2026-01-31T10:00", "P1M", "2026-02-28T10:00"),
        ("2024-01-31T10:00", "P1M", "2024-02-29T10:00"),
        ("2024-02-29T10:00", "P1Y", "2025-02-28T10:00"),
        ("2026-01-31T10:00", "P1M1DT2H", "2026-03-01T12:00"),
        ("2026-12-15T00:00", "P2W", "2026-12-29T00:00"),
        ("2026-03-31T00:00", "-P1M", "2026-02-28T00:00"),
    ],
)
def test_row_w_months_are_calendar_months(start: str, text: str, expected: str) -> None:
    assert parse_duration(text).after(datetime.fromisoformat(start)) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "P", "PT", "1D", "P1", "P1DT", "P-1D", "R/P1D", "P1.5M"])
def test_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize("text", ["R3", "R3/", "R3/PT0S", "3/PT1H", "R3/PT1H/PT1H/PT1H", "R-1/PT1H"])
def test_not_a_cycle(text: str) -> None:
    with pytest.raises(ValueError):
        parse_cycle(text, None)


def test_moments_with_zones() -> None:
    assert parse_moment("2026-01-05T20:00+08:00", None) == NOON
    assert parse_moment("2026-01-05T20:00[Asia/Shanghai]", None) == NOON
    assert parse_moment("2026-01-05T20:00@Asia/Shanghai", None) == NOON
    assert parse_moment("2026-01-05", UTC) == datetime(2026, 1, 5, tzinfo=UTC)


def test_dated_timer() -> None:
    run = Run(beside("2026-01-06T12:00:00Z", "timeDate"))
    assert run.instance.next_due_at == NOON + timedelta(days=1)
    assert run.wait(hours=23, minutes=59) == 0
    assert run.wait(minutes=1) == 1 and run.tasks == ["a", "h"]


def test_a_cycle_fires_as_often_as_it_says_and_catches_up_in_order() -> None:
    run = Run(beside("R3/PT1H", "timeCycle"))
    assert run.wait(hours=2) == 2 and run.tasks == ["a", "h", "h"]
    assert run.wait(days=1) == 1 and run.tasks == ["a", "h", "h", "h"]
    assert run.instance.next_due_at is None


def test_an_endless_cycle_fires_at_most_a_thousand_times_a_command() -> None:
    run = Run(beside("R/PT1S", "timeCycle"), resident=True)
    assert run.wait(seconds=1005) == 1000
    assert run.wait(seconds=0) == 5
    run.complete("a")
    assert run.instance.next_due_at is None


def test_a_monthly_cycle_keeps_its_day() -> None:
    run = Run(beside("R4/2026-01-31T09:00:00Z/P1M", "timeCycle"))
    seen = []
    for _ in range(4):
        due = run.instance.next_due_at
        assert due is not None
        seen.append((due.month, due.day))
        run.host.at = due
        assert run.wait() == 1
    assert seen == [(1, 31), (2, 28), (3, 31), (4, 30)]


def test_an_interrupting_cycle_fires_once() -> None:
    run = Run(beside("R3/PT1H", "timeCycle", True))
    assert run.wait(days=1) == 1 and run.tasks == ["h"] and run.instance.next_due_at is None


def test_a_null_timer_is_unscheduled_and_follows_the_variable_it_reads() -> None:
    run = Run(beside("=clock.due", "timeDate"), {"clock": {"due": None}})
    assert run.instance.next_due_at is None and run.incidents == []
    run.do("set_variables", {"clock": {"due": "2026-01-10T12:00:00Z"}})
    assert run.instance.next_due_at == datetime(2026, 1, 10, 12, tzinfo=UTC)
    run.do("set_variables", {"clock": {"due": None}})
    assert run.instance.next_due_at is None and run.wait(days=30) == 0
    run.do("set_variables", {"clock": {"due": "2026-02-05T12:00:00Z"}, "other": 1})
    assert run.wait(days=2) == 1 and run.tasks == ["a", "h"]


def test_a_duration_counts_from_when_the_wait_began_whenever_it_changes() -> None:
    run = Run(beside("=d"), {"d": "P10D"})
    run.wait(days=4)
    run.do("set_variables", {"d": "P5D"})
    assert run.instance.next_due_at == NOON + timedelta(days=5)


def test_feel_durations_and_dates_are_values() -> None:
    run = Run(beside("=duration(&quot;P1M&quot;)"), host=Host(at=datetime(2026, 1, 31, tzinfo=UTC)))
    assert run.instance.next_due_at == datetime(2026, 2, 28, tzinfo=UTC)
    assert Run(beside("=date(&quot;2026-03-01&quot;)", "timeDate")).instance.next_due_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_timer_that_cannot_be_read_is_an_incident_of_its_event_and_the_task_goes_on() -> None:
    run = Run(beside("=d"), {"d": "soon"})
    assert run.incidents == [("b", "EXTRACT_VALUE_ERROR")] and run.tasks == ["a"]
    run.do("set_variables", {"d": "PT1H"})
    run.do("retry", run.token("b", "incidents"))
    assert run.incidents == [] and run.wait(hours=1) == 1 and run.tasks == ["a", "h"]


def test_an_unresolved_timer_incident_goes_with_its_task() -> None:
    run = Run(beside("=d"), {"d": "soon"})
    run.complete("a")
    assert run.state == "COMPLETED" and run.incidents == []


def test_timers_fire_in_the_order_of_their_dates() -> None:
    body = START + el("parallelGateway", "f") + user("a") + boundary("late", "a", timer("PT3H")) + user("b")
    body += boundary("early", "b", timer("PT1H")) + user("h1", "h2") + END + chain("s", "f", "a", "e") + chain("f", "b", "e")
    run = Run(doc(body + chain("late", "h1", "e") + chain("early", "h2", "e")))
    assert run.wait(hours=4) == 2
    order = [e.element_id for e in run.rows.history if e.kind == "entered" and e.element_id in ("late", "early")]
    assert order == ["early", "late"]
