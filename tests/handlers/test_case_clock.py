"""The clock of a case in the database: events that are only added, a summary that replaying them always gives (domain §3.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import CHINA
from engine.errors import LianbanError
from handlers.cases import service as cases
from handlers.cases.refusals import CaseRefused
from handlers.clock import ledger
from handlers.clock import service as clocks
from handlers.clock.models import CaseClockRow
from handlers.clock.service import ClockRefused
from tests.handlers.conftest import Office

pytestmark = pytest.mark.scaled


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture(scope="module")
def project_id(office: Office) -> int:
    return office.register().id


Step = tuple[int, str]


@pytest.fixture
def life(office: Office, project_id: int) -> Callable[..., int]:
    """A case received at a moment and brought through (status, moment) steps -> its id."""

    def live(received: str, *steps: Step, item: str = "ZR06", **more: object) -> int:
        with office.engine.unit_of_work() as session:
            case = cases.open_case(
                session,
                project_id=project_id,
                item_code=item,
                unit="ZRZYJ",
                applicant="liumin",
                root_key=1,
                person="guli",
                element_id="",
                now=at(received),
            )
            for status, moment in steps:
                cases.set_status(session, case.id, status, person="guli", now=at(moment), **more)  # type: ignore[arg-type]
        return case.id

    return live


def clock(office: Office, case_id: int, now: str) -> clocks.CaseClock:
    with office.engine.reading() as session:
        return clocks.clock_of(session, case_id, at(now))


def stored(office: Office, case_id: int) -> CaseClockRow:
    with office.engine.reading() as session:
        return session.scalars(select(CaseClockRow).where(CaseClockRow.case_id == case_id)).one()


def test_receipt_in_the_evening_counts_from_the_next_working_day_and_keeps_the_real_time(office: Office, life: Callable[..., int]) -> None:
    case_id = life("2022-04-29T21:15")  # Friday evening before 1 May
    assert clock(office, case_id, "2022-04-30T12:00").events == (clocks.Received(day("2022-05-06")),)
    with office.engine.reading() as session:
        assert cases.get_case(session, case_id).received_at == at("2022-04-29T21:15")


def test_promise_and_statute_run_side_by_side(office: Office, life: Callable[..., int]) -> None:
    """ZR06: the city promises 7 working days, the law allows 20 (许可法 42)."""
    now = clock(office, life("2022-05-11T10:30", (3, "2022-05-12T11:00")), "2022-05-13T11:00")
    assert (now.limit, now.statutory_limit) == (clocks.Limit(7), clocks.Limit(20))
    assert (now.reading.due, now.statutory.due) == (day("2022-05-23"), day("2022-06-10"))
    assert (now.reading.state, now.reading.elapsed, now.reading.remaining, now.reading.light) == ("running", 1, 6, "green")


def test_a_running_case_keeps_the_limits_of_its_receipt(office: Office, life: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    """R059: who changes the catalogue changes later cases only."""
    before = life("2022-05-11T10:30", (3, "2022-05-12T11:00"))
    monkeypatch.setattr(ledger, "limits_of", lambda _item: clocks.ItemLimits(clocks.Limit(40), clocks.Limit(3)))
    after = life("2022-05-11T10:30", (3, "2022-05-12T11:00"))
    limits = [(now.limit, now.statutory_limit) for now in (clock(office, case, "2022-05-13T11:00") for case in (before, after))]
    assert limits == [(clocks.Limit(7), clocks.Limit(20)), (clocks.Limit(3), clocks.Limit(40))]


def test_calendar_days_of_the_impact_assessment_law_22(office: Office, life: Callable[..., int]) -> None:
    now = clock(office, life("2022-05-11T10:30", (3, "2022-05-12T11:00"), item="HB01"), "2022-05-13T11:00")
    assert now.statutory_limit == clocks.Limit(60, "cd") and now.statutory.due == day("2022-07-14"), "11 July ends on 古尔邦节"


def test_an_item_without_a_limit_is_measured_but_never_due(office: Office, life: Callable[..., int]) -> None:
    now = clock(office, life("2022-05-11T10:30", (3, "2022-05-12T11:00"), item="ZR04"), "2022-09-13T11:00")
    assert (now.limit, now.reading.due, now.reading.remaining, now.reading.light) == (None, None, None, "grey")
    assert now.reading.times.approval > 80


def test_while_paused_nothing_is_due_and_the_end_is_projected(office: Office, life: Callable[..., int]) -> None:
    """许可法 45: the time told to the applicant gives the projection."""
    pausing = cases.Pausing("专家评审", day("2022-05-27"), "昌市自然资特告〔2022〕1号")
    case_id = life("2022-05-11T10:30", (3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"), (9, "2022-05-16T11:00"), pausing=pausing)
    now = clock(office, case_id, "2022-05-20T11:00")
    assert (now.reading.state, now.reading.light, now.reading.paused) == ("paused", "blue", "special")
    assert (now.reading.due, now.reading.projected_due, now.reading.elapsed) == (None, day("2022-06-06"), 2)
    shown = clocks.variable(now)
    assert [shown[name] for name in ("due", "overdue", "yellow", "statutory_due")] == [None] * 4
    row = stored(office, case_id)
    assert (row.state, row.light, row.due, row.projected_due) == ("paused", "blue", None, day("2022-06-06"))


def test_a_local_pause_does_not_stop_the_statutory_clock(office: Office, life: Callable[..., int]) -> None:
    """公示 is left out by the city's own count only (domain §2.7)."""
    steps = [(3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"), (9, "2022-05-16T11:00"), (10, "2022-05-25T11:00")]
    now = clock(office, life("2022-05-11T10:30", *steps, pausing=cases.Pausing("公示")), "2022-05-26T11:00")
    assert now.reading.due == day("2022-06-01") and now.statutory.due == day("2022-06-10")
    assert (now.reading.elapsed, now.statutory.elapsed) == (3, 10)


APPROVAL = [(3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"), (9, "2022-05-16T11:00")]
"""An approval (FG05) that is accepted, and two working days later put out for evaluation."""


def test_a_commissioned_evaluation_does_not_count_in_any_limit_regulation_10(office: Office, life: Callable[..., int]) -> None:
    """核准备案条例 10 (R216): neither in the twenty days of the law nor in the city's ten; nor in its hundred."""
    evaluation = cases.Pausing("委托评估", day("2022-06-27"))
    case_id = life("2022-05-11T10:30", *APPROVAL, (10, "2022-06-28T11:00"), item="FG05", pausing=evaluation)
    now = clock(office, case_id, "2022-06-29T11:00")
    assert (now.limit, now.statutory_limit) == (clocks.Limit(10), clocks.Limit(20))
    assert (now.reading.elapsed, now.statutory.elapsed) == (3, 3), "13 and 16 May, 29 June"
    assert (now.reading.due, now.statutory.due) == (day("2022-07-08"), day("2022-07-27")), "11 to 13 July are days off"
    assert now.reading.times.special == 30
    rule = clocks.procedure("委托评估")
    assert (rule.legal, rule.reform, rule.days) == (True, True, 30)


def test_an_approval_has_twenty_days_and_at_most_forty_more_regulation_10(office: Office, life: Callable[..., int]) -> None:
    """核准备案条例 10 (R216): 20 working days, extended once by no more than 40."""
    case_id = life("2022-05-11T10:30", *APPROVAL[:2], item="FG05")
    assert clock(office, case_id, "2022-05-13T11:00").statutory.due == day("2022-06-10")

    def extend(days: int) -> None:
        with office.engine.unit_of_work() as session:
            moment = at("2022-05-16T11:00")
            cases.extend(session, case_id, days, approved_by="ayinuer", document="昌市发改延〔2022〕1号", person="ayinuer", now=moment)

    with pytest.raises(CaseRefused, match="只能延长 1 到 40 个工作日（企业投资项目核准和备案管理条例第十条）"):
        extend(41)
    extend(40)
    assert clock(office, case_id, "2022-05-17T11:00").statutory.due == day("2022-08-10"), "vector H: sixty working days"
    with pytest.raises(ClockRefused, match="只能延长一次"):
        extend(1)


def test_an_unknown_procedure_is_refused(office: Office, life: Callable[..., int]) -> None:
    with pytest.raises(clocks.ProcedureUnknown, match="第四十五条"):
        life("2022-05-11T10:30", (3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"), (9, "2022-05-16T11:00"), pausing=cases.Pausing("喝茶"))


def test_five_days_of_silence_are_the_window_s_deadline_law_32(office: Office, life: Callable[..., int]) -> None:
    case_id = life("2022-04-29T11:00")  # vector D
    shown = clocks.variable(clock(office, case_id, "2022-05-06T11:00"))
    assert shown["silent5"] == "2022-05-11T20:00:00+08:00"
    assert shown["due"] is None and shown["state"] == "received"


def test_silent_acceptance_counts_from_the_receipt_and_may_be_red_at_once(office: Office, life: Callable[..., int]) -> None:
    """许可法 32(四): the start moves back; of ZJ03's three days all five are gone."""
    case_id = life("2022-04-29T11:00", item="ZJ03")
    with office.engine.unit_of_work() as session:
        moment = at("2022-05-11T20:00")
        cases.set_status(session, case_id, 3, person="system", now=moment, accepted_at=at("2022-04-29T11:00"), deemed=True)
    now = clock(office, case_id, "2022-05-11T20:00")
    assert (now.reading.accepted, now.reading.elapsed, now.reading.remaining, now.reading.light) == (day("2022-04-29"), 5, -2, "red")
    assert now.reading.times.waiting == 0


def test_corrections_are_applicants_time_and_acceptance_counts_from_the_day_they_are_in(office: Office, life: Callable[..., int]) -> None:
    """许可法 32(五), domain C9: accepted on the 20th, counted from the 18th, when all corrections were in."""
    steps = [(6, "2022-05-10T11:00"), (7, "2022-05-18T16:00"), (3, "2022-05-20T11:00")]
    case_id = life("2022-05-09T11:00", *steps, accepted_at=at("2022-05-18T16:00"), deemed=False)
    reading = clock(office, case_id, "2022-05-24T11:00").reading
    assert reading.accepted == day("2022-05-18") and reading.elapsed == 4
    assert reading.times == clocks.Times(approval=4, span=11, correction=6, special=0, waiting=1)


def test_resubmission_opens_five_new_days(office: Office, life: Callable[..., int]) -> None:
    case_id = life("2022-05-09T11:00", (6, "2022-05-10T11:00"))
    assert clocks.variable(clock(office, case_id, "2022-05-11T11:00"))["silent5"] is None, "the applicant has been told"
    with office.engine.unit_of_work() as session:
        cases.set_status(session, case_id, 7, person="liumin", now=at("2022-05-18T21:00"))
    assert clocks.variable(clock(office, case_id, "2022-05-19T11:00"))["silent5"] == "2022-05-26T20:00:00+08:00"


def test_extension_once_before_expiry_by_no_more_than_the_law_allows(office: Office, life: Callable[..., int]) -> None:
    """许可法 42(1)."""
    case_id = life("2022-05-11T10:30", (3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"))

    def extend(days: int, now: str) -> None:
        with office.engine.unit_of_work() as session:
            cases.extend(session, case_id, days, approved_by="ayinuer", document="昌市自然资延〔2022〕1号", person="ayinuer", now=at(now))

    for days in (0, 11):
        with pytest.raises(CaseRefused, match="只能延长 1 到 10 个工作日（行政许可法第四十二条第一款）"):
            extend(days, "2022-05-16T11:00")
    with pytest.raises(CaseRefused, match="期限已经届满，不能再延期（行政许可法第四十二条"):
        extend(10, "2022-05-23T20:01")
    extend(10, "2022-05-23T19:59")
    now = clock(office, case_id, "2022-05-24T11:00")
    assert (now.reading.due, now.reading.remaining) == (day("2022-06-07"), 9)
    assert now.statutory.due == day("2022-06-24")
    with pytest.raises(ClockRefused, match="只能延长一次"):
        extend(5, "2022-05-25T11:00")


def test_no_extension_before_acceptance_after_the_decision_or_for_a_filing(office: Office, life: Callable[..., int]) -> None:
    def extend(case_id: int) -> None:
        with office.engine.unit_of_work() as session:
            cases.extend(session, case_id, 5, approved_by="ayinuer", document="号", person="ayinuer", now=at("2022-05-13T11:00"))

    accepted: list[Step] = [(3, "2022-05-12T11:00"), (8, "2022-05-12T12:00")]
    with pytest.raises(ClockRefused, match="尚未受理，不能延期（行政许可法第四十二条）"):
        extend(life("2022-05-11T10:30"))
    with pytest.raises(ClockRefused, match="决定以后不再计时（行政许可法第三十八条）"):
        extend(life("2022-05-11T10:30", *accepted, (11, "2022-05-13T10:00")))
    with pytest.raises(CaseRefused, match="不能延期（行政许可法第四十二条）"):
        extend(life("2022-05-11T10:30", *accepted, item="FG06"))


def test_service_is_owed_for_ten_working_days_law_44(office: Office, life: Callable[..., int]) -> None:
    accepted: list[Step] = [(3, "2022-05-12T11:00"), (8, "2022-05-12T12:00")]
    case_id = life("2022-05-11T10:30", *accepted)

    def serve(now: str) -> None:
        with office.engine.unit_of_work() as session:
            cases.serve(session, case_id, person="guli", now=at(now))

    with pytest.raises(ClockRefused, match="尚未作出决定，不能送达（行政许可法第四十四条）"):
        serve("2022-05-13T11:00")
    with office.engine.unit_of_work() as session:
        cases.set_status(session, case_id, 11, person="ayinuer", now=at("2022-05-18T11:00"))
    shown = clocks.variable(clock(office, case_id, "2022-05-19T11:00"))
    assert (shown["state"], shown["serve10"], shown["due"]) == ("decided", "2022-06-01T20:00:00+08:00", None)
    serve("2022-05-20T11:00")
    with office.engine.reading() as session:
        assert cases.get_case(session, case_id).served_at == at("2022-05-20T11:00")
    assert clocks.variable(clock(office, case_id, "2022-05-21T11:00"))["serve10"] is None
    with pytest.raises(ClockRefused, match="送达只能有一次"):
        serve("2022-05-23T11:00")


def test_overdue_is_registered_once_and_stays_red_after_a_late_decision(office: Office, life: Callable[..., int]) -> None:
    case_id = life("2022-05-11T10:30", (3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"))
    for now in ("2022-05-23T20:00", "2022-05-24T11:00"):
        with office.engine.unit_of_work() as session:
            clocks.mark_overdue(session, case_id, at(now))
    with office.engine.unit_of_work() as session:
        cases.set_status(session, case_id, 11, person="ayinuer", now=at("2022-05-25T11:00"))
    row = stored(office, case_id)
    assert (row.overdue_at, row.light, row.remaining) == (at("2022-05-23T20:00"), "red", -2)


def test_going_on_after_a_refused_withdrawal_adds_no_event(office: Office, life: Callable[..., int]) -> None:
    steps = [(3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"), (9, "2022-05-16T11:00"), (16, "2022-05-17T11:00")]
    case_id = life("2022-05-11T10:30", *steps)
    before = clock(office, case_id, "2022-05-18T11:00").events
    with office.engine.unit_of_work() as session:
        cases.set_status(session, case_id, 9, person="guli", now=at("2022-05-18T11:00"))
    assert clock(office, case_id, "2022-05-18T11:00").events == before


def test_a_withdrawal_ends_the_clock(office: Office, life: Callable[..., int]) -> None:
    steps = [(3, "2022-05-12T11:00"), (8, "2022-05-12T12:00"), (16, "2022-05-17T11:00"), (14, "2022-05-18T11:00")]
    row = stored(office, life("2022-05-11T10:30", *steps))
    assert (row.state, row.elapsed) == ("ended", 4)


class Undo(Exception):
    """Ends a unit of work without keeping anything."""


@pytest.mark.timeout(7200)  # ten thousand walks through the database in make soak
@settings(suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_replaying_the_events_of_any_life_gives_its_stored_clock(data: st.DataObject, office: Office, project_id: int) -> None:
    """A random walk through the status dictionary at random moments; what is refused names its article and leaves no trace."""
    if office.engine.runtime.database.dialect.name == "postgresql":
        return  # one database is enough: the walk is about arithmetic
    with pytest.raises(Undo), office.engine.unit_of_work() as session:
        case_id = walk(data, session, project_id)
        row = session.scalars(select(CaseClockRow).where(CaseClockRow.case_id == case_id)).one()
        reading = clocks.clock_of(session, case_id, row.read_at).reading
        assert (row.state, row.elapsed, row.remaining, row.due) == (reading.state, reading.elapsed, reading.remaining, reading.due)
        times = reading.times
        assert (row.approval_days, row.span_days, row.correction_days) == (times.approval, times.span, times.correction)
        assert times.span == times.approval + times.correction + times.special + times.waiting and times.waiting >= 0
        raise Undo


def walk(data: st.DataObject, session: Session, project_id: int) -> int:
    moment = at("2022-03-01T09:00") + timedelta(minutes=data.draw(st.integers(0, 200_000)))
    item = data.draw(st.sampled_from(["ZR06", "HB01", "FG06", "ZR04", "ZJ03"]))
    case = cases.open_case(
        session,
        project_id=project_id,
        item_code=item,
        unit="ZRZYJ",
        applicant="liumin",
        root_key=1,
        person="guli",
        element_id="",
        now=moment,
    )
    for _ in range(data.draw(st.integers(1, 8))):
        moment += timedelta(minutes=data.draw(st.integers(0, 20_000)))
        act = data.draw(st.sampled_from(["3", "3", "6", "7", "8", "8", "9", "10", "11", "13", "14", "16", "extend", "serve"]))
        try:
            with session.begin_nested():
                if act == "extend":
                    cases.extend(session, case.id, 5, approved_by="ayinuer", document="延1号", person="ayinuer", now=moment)
                elif act == "serve":
                    cases.serve(session, case.id, person="guli", now=moment)
                else:
                    cases.set_status(session, case.id, int(act), person="guli", now=moment)
        except LianbanError as refused:
            assert re.search("第.+条|字典", refused.message()), refused.message()
    return case.id
