"""R006 一次办好: each dealing at the window is a visit with its reason; on-line work, agents and mail are none."""

from __future__ import annotations

from datetime import date

import pytest

from engine import clock, commands
from engine.errors import Forbidden, Invalid, NotFound
from engine.policy import SYSTEM
from handlers.performance import service as performance
from handlers.visits import service as visits
from tests.handlers.conftest import DAIRY, WINDOW, Office
from tests.handlers.item_flow import Item

YEAR = (date(2022, 1, 1), date(2022, 12, 31))


def reasons(item: Item) -> list[str]:
    with item.office.engine.reading() as session:
        case_id = item.case().id
        return [visit.reason for visit in visits.visits_of(session, [case_id])[case_id]]


def test_a_decision_collected_at_the_window_is_a_visit_and_one_sent_by_mail_is_none(office: Office) -> None:
    for method, expected in (("窗口领取", ["collect"]), ("电子送达", [])):
        item = Item(office).accept().claim().review().decide()
        item.do("t_deliver", {"delivery": {"method": method}})
        assert reasons(item) == expected


def test_a_correction_handed_in_at_the_window_is_a_visit_and_one_on_line_is_none(office: Office) -> None:
    on_line, at_window = Item(office), Item(office)
    for item in (on_line, at_window):
        item.do("t_check", {"intake": {"accept_result": "一次告知补正", "reason": "总平面图缺少建设单位签章", "deadline": "2022-06-10"}})
    on_line.do("t_correct")
    task = at_window.task("t_correct")
    example = office.driver._submission(task.form_id, {}, at_window.project, office.driver.variables(task))
    with office.engine.unit_of_work() as session:
        commands.complete_task(session, office.actor(WINDOW), task.key, example)
    assert reasons(on_line) == [] and reasons(at_window) == ["correct"]


def test_the_window_enters_other_visits_once_a_day_for_each_reason(office: Office) -> None:
    item = Item(office)
    case_id = item.case().id
    with office.engine.unit_of_work() as session:
        window = office.actor(WINDOW)
        assert visits.add_visit(session, window, case_id, "consult", "问进度")
        assert not visits.add_visit(session, window, case_id, "consult"), "the second click"
        assert visits.add_visit(session, window, case_id, "supplement")
    assert reasons(item) == ["consult", "supplement"]


@pytest.mark.parametrize(
    ("who", "reason", "refusal"),
    [("lijianguo", "consult", Forbidden), (DAIRY, "consult", NotFound), (WINDOW, "collect", Invalid), (WINDOW, "party", Invalid)],
)
def test_nobody_else_enters_visits_and_nobody_those_that_flows_count(
    office: Office, who: str, reason: str, refusal: type[Exception]
) -> None:
    item = Item(office)
    with pytest.raises(refusal), office.engine.unit_of_work() as session:
        visits.add_visit(session, office.actor(who), item.case().id, reason)
    assert reasons(item) == []


def test_the_report_lists_cases_with_more_than_one_visit_and_why(office: Office) -> None:
    once, twice = Item(office), Item(office)
    with office.engine.unit_of_work() as session:
        window, now = office.actor(WINDOW), clock.now()
        visits.add_visit(session, window, once.case().id, "other")
        visits.add_visit(session, window, twice.case().id, "other")
        visits.saw(session, twice.case().id, "collect", person=WINDOW, now=now)
    with office.engine.reading() as session:
        lines, seen = performance.repeated_visits(session, SYSTEM, *YEAR)
        found = {line.case_id: [visit.reason_name for visit in line.visits] for line in lines}
        before, _seen = performance.repeated_visits(session, SYSTEM, date(2021, 1, 1), date(2021, 12, 31))
        hidden, _seen = performance.repeated_visits(session, office.actor(DAIRY), *YEAR)
    assert found[twice.case().id] == ["其他", "领证"] and once.case().id not in found and seen >= 2
    assert before == [] and twice.case().id not in {line.case_id for line in hidden}
