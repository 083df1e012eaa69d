"""The demo's nine projects stand where domain §6.4 says, brought there by commands alone."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from engine import clock
from engine.policy import SYSTEM
from engine.store import models as m
from engine.store import reads
from handlers.cases.service import Case, case_history, cases_of
from handlers.clock.service import CaseClock, Limit, View, clock_of, explain_days
from handlers.demo.service import DEMO_DATE, load_demo
from handlers.documents.service import documents_of
from handlers.lights import of_budget
from handlers.materials.service import materials_of
from handlers.performance.service import measures
from handlers.projects import service as projects
from handlers.promises import service as promises
from tests.demo.conftest import Demo

CODES = {
    "年产6万吨乳制品加工项目": ("2205-652301-04-01-100015", 6, "S3"),
    "丝路冷链物流中心": ("2206-652301-04-01-100032", 5, "S1"),
    "第十二小学新建工程": ("2204-652301-04-01-100042", 1, "S2"),
    "城北供水管网改造": ("2203-652301-04-01-100050", 2, "S4"),
    "庭州文旅街区": ("2206-652301-04-01-100065", 3, "S2"),
    "生物医药研发中心": ("2207-652301-04-01-100097", 3, "S1"),
    "硅基新材料一期": ("2205-652301-04-01-100023", 6, "S1"),
    "节水器材技改": ("2206-652301-04-02-100075", 6, "S2"),
    "城市书房(三处)": ("2204-652301-04-01-100106", 1, "S1"),
}


def test_a_second_call_does_nothing(loaded: Demo) -> None:
    with loaded.engine.reading() as session:
        before = reads.last_event_id(session)
    assert load_demo(loaded.engine) is False
    with loaded.engine.reading() as session:
        assert reads.last_event_id(session) == before


def test_it_takes_less_than_a_minute(loaded: Demo) -> None:
    assert loaded.cpu_seconds < 60


def test_the_business_clock_stands_at_the_demo_date(loaded: Demo) -> None:
    with loaded.engine.reading():
        assert 0 <= (clock.now() - DEMO_DATE).total_seconds() < 600


def test_no_flow_has_an_incident_and_no_timer_is_overdue(loaded: Demo) -> None:
    with loaded.engine.reading() as session:
        assert list(reads.incidents(session)) == []
        assert reads.due_instances(session, clock.now()) == []


@pytest.mark.parametrize("name", CODES)
def test_every_project_has_its_code_variant_and_stage(loaded: Demo, name: str) -> None:
    seen = loaded.board(name)
    code, variant, stage = CODES[name]
    assert (seen.project.code, seen.project.variant) == (code, variant)
    assert [s.code for s in seen.stages if s.state == "now"] == [stage]


def test_every_act_was_a_command_of_a_person(loaded: Demo) -> None:
    """Each completed task has its audit event by the same person: nothing was written by hand."""
    with loaded.engine.reading() as session:
        done = {row.key: row.completed_by for row in session.execute(select(m.user_task).where(m.user_task.c.state == "COMPLETED"))}
        told = dict(
            session.execute(select(m.audit_event.c.task_key, m.audit_event.c.actor).where(m.audit_event.c.action == "task.completed")).all()
        )
    assert done and done == told and "system" not in done.values()


def test_primary_school_one_objection_others_done_or_open(loaded: Demo) -> None:
    with loaded.engine.reading() as session:
        rows = [
            row for row in session.execute(select(m.user_task)) if row.element_id == "mi_review" and row.business_id == school_id(session)
        ]
    results = [row.submission["review"]["opinion"] for row in rows if row.state == "COMPLETED"]
    assert results.count("不同意") == 1 and results.count("有条件同意") == 2 and len(results) == 8
    assert sum(row.state == "CREATED" and row.assignee is None for row in rows) == 2
    assert sum(row.state == "CREATED" and row.assignee is not None for row in rows) == 2


def school_id(session: object) -> str:
    return str(projects.list_projects(session, SYSTEM, q="第十二小学").rows[0].project.id)  # type: ignore[arg-type]


def test_water_mains_only_the_failed_member_looks_again(loaded: Demo) -> None:
    seen = loaded.board("城北供水")
    with loaded.engine.reading() as session:
        rows = session.execute(
            select(m.user_task).where(m.user_task.c.element_id == "mi_accept", m.user_task.c.business_id == str(seen.project.id))
        ).all()
    first = [row for row in rows if row.state == "COMPLETED"]
    again = [row for row in rows if row.state == "CREATED"]
    assert [row.candidate_groups for row in first if row.submission["acceptance"]["result"] == "整改后合格"] == [["CGJ.handler"]]
    assert [row.candidate_groups for row in again] == [["CGJ.handler"]] and len(first) >= 5


def test_dairy_construction_permit_is_under_review(loaded: Demo) -> None:
    seen = loaded.board("乳制品")
    assert [task.name for task in seen.open_tasks] == ["审查（含质量安全监督）"]
    assert seen.open_tasks[0].assignee == "wanghaiyan" and {s.state for s in seen.stages[:2]} == {"done"}


def test_cold_chain_the_land_deal_is_registered(loaded: Demo) -> None:
    seen = loaded.board("丝路冷链")
    with loaded.engine.reading() as session:
        reported = [e.data["message"] for e in reads.audit_of_business(session, str(seen.project.id)) if e.action == "event.reported"]
    assert reported == ["land_contract_registered"]


def test_old_town_an_objection_during_publication(loaded: Demo) -> None:
    seen = loaded.board("庭州文旅")
    assert [task.element_id for task in seen.open_tasks] == ["t_objection"]
    with loaded.engine.reading() as session:
        planning = next(c for c in cases_of(session, seen.project.id) if c.item_code == "ZR06")
    assert planning.status == 9, "the clock stands still during the special procedure"


def test_biomedicine_was_accepted_by_silence_from_the_day_of_receipt(loaded: Demo) -> None:
    """行政许可法 第三十二条第四项: five working days without a word."""
    seen = loaded.board("生物医药")
    with loaded.engine.reading() as session:
        deemed = [c for c in cases_of(session, seen.project.id) if c.deemed_accepted]
        history = case_history(session, deemed[0].id)
    assert len(deemed) == 1 and deemed[0].accepted_at is not None
    assert abs((deemed[0].accepted_at - deemed[0].received_at).total_seconds()) < 60
    accepted = next(event for event in history if event.status == 3)
    assert accepted.at > deemed[0].received_at and accepted.person == "system"


def test_every_project_has_files(loaded: Demo) -> None:
    with loaded.engine.reading() as session:
        for line in projects.list_projects(session, SYSTEM).rows:
            assert len(materials_of(session, line.project.id)) == 4


def test_nobody_decided_on_an_own_application_and_verifiers_are_not_handlers(loaded: Demo) -> None:
    separations = 0
    with loaded.engine.reading() as session:
        rows = session.execute(select(m.user_task).where(m.user_task.c.state == "COMPLETED")).all()
        for row in rows:
            facts = reads.task_facts(session, row)
            for doers in facts.doers.values():
                separations += 1
                assert row.completed_by not in doers
            assert row.completed_by != row.owner or row.assignee == row.owner
        assert session.scalar(select(func.count()).select_from(m.user_task)) == len(rows) + sum(1 for _ in open_rows(session))
    assert separations > 50


def open_rows(session: object) -> list[object]:
    return list(session.execute(select(m.user_task.c.key).where(m.user_task.c.state != "COMPLETED")))  # type: ignore[attr-defined]


def case_clock(loaded: Demo, name: str, item: str) -> tuple[Case, CaseClock]:
    with loaded.engine.reading() as session:
        found = projects.list_projects(session, SYSTEM, q=name).rows
        case = next(case for case in cases_of(session, found[0].project.id) if case.item_code == item)
        return case, clock_of(session, case.id, clock.now())


def test_project_2_the_expert_review_of_the_impact_assessment_stops_the_clock(loaded: Demo) -> None:
    """行政许可法 45; the days of the review are explained one by one."""
    case, found = case_clock(loaded, "硅基新材料一期", "HB01")
    assert (case.status, found.reading.state, found.reading.due) == (9, "paused", None)
    assert found.reading.projected_due is not None and found.statutory_limit == Limit(60, "cd")
    paused = [one for one in explain_days(found, DEMO_DATE.date()) if one.kind == "paused" and not one.future]
    assert paused and all("专家评审（" in one.reason for one in paused), "each with the number of its notice"


def test_project_7_the_tolerated_material_never_came(loaded: Demo) -> None:
    """Domain §2.9: terminated, with a credit record."""
    case, found = case_clock(loaded, "节水器材技改", "SL01")
    assert (case.status, case.tolerance, found.reading.state) == (14, True, "ended")
    with loaded.engine.reading() as session:
        assert [promise.state for promise in promises.promises_of(session, case.id)] == ["broken"]
        assert promises.is_barred(session, "91652301MA7DEM0752")
        assert "W22" in {d.kind for d in documents_of(session, case.project_id)}


def test_project_9_was_accepted_by_silence(loaded: Demo) -> None:
    """行政许可法 32(四)."""
    case, found = case_clock(loaded, "生物医药研发中心", "ZR02")
    assert case.deemed_accepted and found.reading.accepted == date(2022, 7, 8) and found.is_late
    assert any("视为受理" in one.marks for one in explain_days(found, DEMO_DATE.date()))


def test_project_10_is_over_the_hundred_days(loaded: Demo) -> None:
    """R068: 101 used working days are red."""
    seen = loaded.board("城市书房")
    assert (seen.used, seen.limit) == (101, 100)
    assert seen.limit is not None and of_budget(seen.used, seen.limit).colour == "red"
    case, found = case_clock(loaded, "城市书房", "FG03")
    assert found.reading.light == "red" and max(one.number or 0 for one in explain_days(found, DEMO_DATE.date())) == 101
    with loaded.engine.reading() as session:
        orders = [d for d in documents_of(session, case.project_id) if d.kind == "W26"]
    assert [order.facts["等级"] for order in orders] == ["橙色督办"], "nobody said why within two working days; the order was answered"


VIEWS: tuple[View, ...] = ("promise", "statutory", "reform")
LANDING = {"年产6万吨乳制品加工项目": 30, "丝路冷链物流中心": 62, "庭州文旅街区": 27, "生物医药研发中心": 18}
"""Calendar days from the agreement to the land contract, counted by hand: 20 April to 20 May, 18 May to 19 July, 10 May to 6 June,
13 June to 1 July."""


def test_the_measures_equal_a_hand_calculation(loaded: Demo) -> None:
    """R005: 137 days over four projects are 34.25, rounded 34.3; 审批用时 is what each project's board says, 101 for the book houses."""
    with loaded.engine.reading() as session:
        found = measures(session, SYSTEM, date(2022, 1, 1), DEMO_DATE.date())
    by_name = {line.name: line for line in found.lines}
    assert {name: line.landing.days for name, line in by_name.items() if line.landing.finished} == LANDING
    assert (found.landing.count, found.landing.mean) == (4, 34.3)
    assert {name: line.approval for name, line in by_name.items()} == {name: loaded.board(name).used for name in CODES}
    assert [line.name for line in found.over_budget] == ["城市书房(三处)"] and found.over_budget[0].approval == 101
    started = {name: line.starting.days for name, line in by_name.items() if line.starting.begin is not None}
    assert started["年产6万吨乳制品加工项目"] == (DEMO_DATE.date() - date(2022, 5, 20)).days and found.starting.count == 0


def test_the_dairy_landed_three_weeks_early(loaded: Demo) -> None:
    """R003: the four 早 with planned and actual day."""
    with loaded.engine.reading() as session:
        found = {one.early: one for one in projects.milestones(session, loaded.board("乳制品").project.id) if one.early}
    assert list(found) == ["早落地", "早开工", "早建设", "早运营"]
    assert (found["早落地"].planned, found["早落地"].actual, found["早落地"].delay_days) == (date(2022, 6, 10), date(2022, 5, 20), -21)
    assert found["早运营"].planned == date(2023, 10, 31) and found["早运营"].actual is None


def test_every_case_explains_every_day_in_each_way_to_count(loaded: Demo) -> None:
    """Issue 6: no day without a kind, none that does not count without a reason; the counted days are what the clock says."""
    with loaded.engine.reading() as session:
        for line in projects.list_projects(session, SYSTEM).rows:
            for case in cases_of(session, line.project.id):
                found = clock_of(session, case.id, clock.now())
                for view in VIEWS:
                    days = explain_days(found, DEMO_DATE.date(), view)
                    assert days and all(one.number is not None or one.reason for one in days), (case.item_name, view)
                counted = [one for one in explain_days(found, DEMO_DATE.date()) if one.number is not None and not one.future]
                assert len(counted) == found.reading.elapsed
