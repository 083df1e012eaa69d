"""R005 快审批、快落地、快开工: the measures of a period, against numbers counted by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import clock
from engine.errors import Forbidden, Invalid
from engine.policy import SYSTEM
from handlers.cases import service as cases
from handlers.performance import service as performance
from handlers.performance.service import Average, Interval
from handlers.projects import service as projects
from tests.handlers.conftest import DAIRY, Office
from tests.handlers.item_flow import Item


def line(office: Office, project_id: int, first: date, last: date) -> performance.ProjectMeasures | None:
    with office.engine.reading() as session:
        found = performance.measures(session, SYSTEM, first, last).lines
    return next((one for one in found if one.project_id == project_id), None)


def test_landing_and_starting_are_calendar_days_between_milestones_and_the_permit(office: Office) -> None:
    item = Item(office, "ZJ03", "ZJJ").accept().claim().review().decide()
    permit = item.case().decided_at
    assert permit is not None
    granted = permit.astimezone(clock.CHINA).date()
    with office.engine.unit_of_work() as session:
        projects.record_milestone(session, item.project.id, "signed", date(2022, 3, 31))
        projects.record_milestone(session, item.project.id, "land", date(2022, 5, 2))
    found = line(office, item.project.id, date(2022, 1, 1), date(2022, 12, 31))
    assert found is not None
    assert found.landing == Interval(date(2022, 3, 31), date(2022, 5, 2), 32)
    assert found.starting == Interval(date(2022, 5, 2), granted, (granted - date(2022, 5, 2)).days)


def test_approval_counts_the_working_days_that_the_offices_held_the_project_and_of_s5_none(office: Office) -> None:
    """Accepted on Wednesday 11 May; Thursday, Friday, Monday and Tuesday are four working days. 环评 runs beside them."""
    item = Item(office, received="2022-05-11T10:30").accept()
    with office.engine.unit_of_work() as session:
        beside = cases.open_case(
            session,
            project_id=item.project.id,
            item_code="HB01",
            unit="STHJ",
            applicant=item.project.applicant,
            root_key=item.root,
            person="guli",
            element_id="",
            now=clock.now(),
        )
        cases.set_status(session, beside.id, 3, person="guli", now=clock.now())
    item.on("2022-05-17T12:00")
    found = line(office, item.project.id, date(2022, 1, 1), date(2022, 12, 31))
    assert found is not None and (found.approval, found.approval_end, found.light.colour) == (4, None, "green")


def test_a_measure_belongs_to_the_period_in_which_it_ended(office: Office) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session:
        projects.record_milestone(session, project.id, "signed", date(2021, 3, 1))
        projects.record_milestone(session, project.id, "land", date(2021, 3, 11))
    with office.engine.reading() as session:
        then = performance.measures(session, SYSTEM, date(2021, 3, 1), date(2021, 3, 31))
        later = performance.measures(session, SYSTEM, date(2021, 4, 1), date(2021, 4, 30))
    assert then.landing == Average(1, 10.0) and [one.project_id for one in then.lines] == [project.id]
    assert later.landing == Average(0, None) and later.lines == []


@pytest.mark.parametrize(("days", "mean"), [([], None), ([7], 7.0), ([1, 2], 1.5), ([1, 1, 2], 1.3), ([10, 10, 10, 11], 10.3)])
def test_the_mean_is_rounded_half_up_to_a_tenth(days: list[int], mean: float | None) -> None:
    assert performance.average(days) == Average(len(days), mean)


def test_nothing_is_measured_without_a_beginning_and_what_runs_is_counted_to_today() -> None:
    today = date(2022, 8, 1)
    assert performance.interval(None, today, today) == Interval(None, today, None)
    running = performance.interval(today - timedelta(days=9), None, today)
    assert running.days == 9 and not running.finished


def test_the_numbers_compare_projects_of_others_so_applicants_do_not_see_them(office: Office) -> None:
    with pytest.raises(Forbidden):
        performance.check_reader(office.actor(DAIRY))
    with office.engine.reading() as session, pytest.raises(Invalid):
        performance.measures(session, SYSTEM, date(2022, 2, 1), date(2022, 1, 1))


def test_acceptance_by_silence_and_late_cases_are_reported(office: Office) -> None:
    """行政许可法 32(四); 优化营商环境条例 36."""
    silent = Item(office, received="2022-05-11T10:30").on("2022-05-20T10:00")
    late = Item(office, received="2022-05-11T10:30").accept().on("2022-06-20T10:00")
    with office.engine.reading() as session:
        found = {(one.kind, one.case_id) for one in performance.exceptions(session, SYSTEM, date(2022, 5, 1), date(2022, 6, 30))}
        before = performance.exceptions(session, SYSTEM, date(2022, 3, 1), date(2022, 3, 31))
    assert {(performance.DEEMED, silent.case().id), (performance.OVERDUE, late.case().id)} <= found and before == []


def test_a_second_notice_of_corrections_is_reported(office: Office) -> None:
    """行政许可法 32, 72(四) (R128): the first is no exception, every further one is."""
    notice = {"accept_result": "一次告知补正", "reason": "总平面图缺少电子签章。", "deadline": "2022-06-10"}
    once, twice = Item(office).accept(**notice), Item(office).accept(**notice)
    with office.engine.unit_of_work() as session:
        for status in (7, 6):
            cases.set_status(session, twice.case().id, status, person="guli", now=clock.now())
    with office.engine.reading() as session:
        found = performance.exceptions(session, SYSTEM, date(2022, 5, 1), date(2022, 6, 30))
    told = {one.case_id for one in found if one.kind == performance.SECOND_NOTICE}
    assert twice.case().id in told and once.case().id not in told
