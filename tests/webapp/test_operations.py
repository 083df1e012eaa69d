"""The operations log: what is in it, its filters and pages, and the CSV file."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest

from engine import commands
from engine.clock import CHINA
from engine.policy import SYSTEM
from tests.webapp.office import Office, office

__all__ = ["office"]


@pytest.fixture
def key(office: Office) -> int:
    key = office.start(fee=1)
    client = office.visit()
    client.post(f"/instances/{key}/variables", data={"name": "fee", "value": "2"})
    client.post(f"/instances/{key}/suspend", data={"reason": "=HYPERLINK(1)"})
    return key


def lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]


def test_operations_with_reason_but_not_the_daily_work(office: Office, key: int) -> None:
    page = office.visit("ana").get("/operations").text
    assert "理由：=HYPERLINK(1)" in page
    assert f'href="/instances/{key}"' in page
    assert '</td><td class="nowrap">启动流程' not in page
    assert '</td><td class="nowrap">启动流程' in office.visit().get("/operations?action=all").text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("action=variables.set", 1),
        ("who=管理员", 2),
        ("who=ada&action=instance.suspended", 1),
        ("who=nobody", 0),
        ("business=none", 0),
        ("until=2001-01-01", 0),
        ("since=2001-01-01&who=ada", 2),
    ],
)
def test_filters(office: Office, key: int, query: str, count: int) -> None:
    assert len(lines(office.visit().get(f"/operations/export.csv?instance={key}&{query}").text)) == count


def test_nothing_found_says_what_would_be_there(office: Office, key: int) -> None:
    assert "没有符合条件的记录" in office.visit().get("/operations?who=nobody").text


@pytest.mark.parametrize("query", ["instance=abc", "instance=99999999999999999999", "since=morgen", "after=%00", "after=bm9uc2Vuc2U="])
def test_filters_that_mean_nothing_are_refused(office: Office, query: str) -> None:
    assert office.visit().get(f"/operations?{query}").status_code in (400, 422)


def test_no_cell_of_the_file_is_a_formula(office: Office, key: int) -> None:
    answer = office.visit().get(f"/operations/export.csv?instance={key}")
    assert answer.mimetype == "text/csv"
    (reason,) = [line[-1] for line in lines(answer.text) if line[4] == "暂停"]
    assert reason == "'=HYPERLINK(1)"


def test_pages_follow_each_other_by_cursor(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        for number in range(60):
            commands.publish_message(session, SYSTEM, f"m{number}", "k", {})
    first = office.visit().get("/operations?action=message.published").text
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = office.visit().get(older).text
    assert "m59" in first
    assert "m59" not in second
    assert ">m0<" in second
    assert 'rel="next"' not in second
    newer = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "m59" in office.visit().get(newer).text


def test_a_move_of_the_business_clock_says_where_to(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, to=datetime(2022, 8, 1, 10, 30, tzinfo=CHINA))
    assert "业务时间改为 08-01 10:30" in office.visit().get("/operations").text


def test_what_a_script_did_to_the_clock_is_folded(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        for _ in range(3):
            commands.move_clock(session, SYSTEM, by=timedelta(0), driven=True)
        commands.move_clock(session, SYSTEM, by=timedelta(0))
    names = [line[4] for line in lines(office.visit().get("/operations/export.csv").text)]
    assert "调整业务时间" in names and "演示推动业务时间" not in names, "a person's move is told"
    page = office.visit().get("/operations").text
    assert "移动了 3 次" in page and "action=clock.driven" in page
    assert "移动了" not in office.visit().get("/operations?action=variables.set").text
    unfolded = office.visit().get("/operations?action=clock.driven").text
    assert unfolded.count('<td class="nowrap">演示推动业务时间') == 3
