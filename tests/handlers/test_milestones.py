"""R003: six milestones, planned and actual; reached by the flows, registered with evidence, corrected only by role, reason and audit."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import clock
from engine.errors import Forbidden, Invalid, NotFound
from engine.policy import SYSTEM
from engine.store import reads
from handlers.projects import service as projects
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office

CONVENER, AGENT = "chenjing", "sunzhiyuan"


def of(office: Office, project_id: int) -> dict[str, projects.Milestone]:
    with office.engine.reading() as session:
        return {one.code: one for one in projects.milestones(session, project_id)}


def today(office: Office) -> date:
    with office.engine.reading():
        return clock.now().astimezone(clock.CHINA).date()


def audited(office: Office, project_id: int, action: str) -> list[dict[str, object]]:
    with office.engine.reading() as session:
        return [event.data for event in reads.audit_of_business(session, str(project_id)) if event.action == action]


def test_every_project_has_the_six_milestones_and_four_of_them_are_the_early_ones(office: Office) -> None:
    found = of(office, office.register().id)
    assert [one.name for one in found.values()] == ["签约", "注册落户", "拿地", "开工", "竣工", "投产运营"]
    assert [(one.code, one.early) for one in found.values() if one.early] == [
        ("land", "早落地"),
        ("started", "早开工"),
        ("completed", "早建设"),
        ("operating", "早运营"),
    ]


def test_the_land_contract_reaches_the_land_milestone_on_the_day_it_was_signed(office: Office) -> None:
    project = office.register(DAIRY, tdhqfs="出让", tzly="企业投资", lxlx="备案")
    signed = today(office) - timedelta(days=3)
    (event,) = [row for row in office.driver.awaited(project.id) if row.message_name == "land_contract_registered"]
    office.driver.report(event, {"landContract": {"number": "652301-2022-CR-0077", "signed_at": signed.isoformat()}}, project)
    land = of(office, project.id)["land"]
    assert (land.actual, land.evidence, land.recorded_by) == (signed, "652301-2022-CR-0077", DAIRY)


def test_the_granted_filing_of_the_acceptance_reaches_completion_and_the_first_day_stays(office: Office) -> None:
    project, on = office.register(), today(office)
    with office.engine.unit_of_work() as session:
        projects.reach_by_item(session, project.id, "ZR06", on, evidence="建字1号", person=SYSTEM.username)
        projects.reach_by_item(session, project.id, "ZJ06", on, evidence="备案1号", person=SYSTEM.username)
        projects.record_milestone(session, project.id, "completed", on + timedelta(days=9))
    found = of(office, project.id)
    assert {code for code, one in found.items() if one.actual} == {"completed"}
    assert found["completed"].actual == on and found["completed"].evidence == "备案1号"


@pytest.mark.parametrize("who", [WINDOW, AGENT])
def test_the_window_and_agents_register_signing_with_its_agreement(office: Office, who: str) -> None:
    project, on = office.register(), today(office)
    with office.engine.unit_of_work() as session:
        projects.plan_milestone(session, office.actor(who), project.id, "signed", on + timedelta(days=2))
        done = projects.register_milestone(session, office.actor(who), project.id, "signed", on, "招商引资协议 昌招〔2022〕12号")
    assert (done.actual, done.delay_days, done.evidence, done.recorded_by) == (on, -2, "招商引资协议 昌招〔2022〕12号", who)
    assert audited(office, project.id, "milestone.registered")[0]["evidence"] == done.evidence


@pytest.mark.parametrize(
    ("who", "code", "days", "evidence", "refusal"),
    [
        (SCHOOL, "signed", 0, "协议", Forbidden),
        ("lijianguo", "signed", 0, "协议", Forbidden),
        (WINDOW, "signed", 1, "协议", Invalid),
        (WINDOW, "signed", 0, " ", Invalid),
        (WINDOW, "land", 0, "合同", Invalid),
        (WINDOW, "started", 0, "报告", Invalid),
        (WINDOW, "party", 0, "x", NotFound),
    ],
)
def test_what_a_flow_reaches_and_what_has_no_evidence_is_not_typed_in(
    office: Office, who: str, code: str, days: int, evidence: str, refusal: type[Exception]
) -> None:
    project, on = office.register(), today(office)
    with pytest.raises(refusal), office.engine.unit_of_work() as session:
        projects.register_milestone(session, office.actor(who), project.id, code, on + timedelta(days=days), evidence)
    assert all(one.actual is None for one in of(office, project.id).values())


def test_a_registered_day_is_not_registered_again(office: Office) -> None:
    project, on = office.register(), today(office)
    with office.engine.unit_of_work() as session:
        projects.register_milestone(session, office.actor(WINDOW), project.id, "settled", on, "营业执照")
        with pytest.raises(Invalid):
            projects.register_milestone(session, office.actor(WINDOW), project.id, "settled", on, "营业执照")


def test_a_day_is_corrected_by_the_convener_with_a_reason_that_stays(office: Office) -> None:
    """R067: no manual edit of dates without role, reason and audit."""
    project, on = office.register(), today(office)
    with office.engine.unit_of_work() as session:
        projects.record_milestone(session, project.id, "started", on)
    before = of(office, project.id)["started"]
    for who, reason, refusal in ((WINDOW, "日期抄错", Forbidden), (SCHOOL, "日期抄错", Forbidden), (CONVENER, " ", Invalid)):
        with pytest.raises(refusal), office.engine.unit_of_work() as session:
            projects.correct_milestone(session, office.actor(who), project.id, "started", "actual", on, reason)
    with pytest.raises(Invalid), office.engine.unit_of_work() as session:
        projects.correct_milestone(session, office.actor(CONVENER), project.id, "started", "actual", on + timedelta(days=1), "日期抄错")
    with office.engine.unit_of_work() as session:
        day = on - timedelta(days=5)
        projects.correct_milestone(session, office.actor(CONVENER), project.id, "started", "actual", day, "开工报告上的日期抄错")
        projects.correct_milestone(session, office.actor("admin"), project.id, "started", "planned", None, "计划取消")
    after = of(office, project.id)["started"]
    assert (before.actual, after.actual, after.planned, after.recorded_by) == (on, day, None, CONVENER)
    assert audited(office, project.id, "milestone.corrected")[0] == {
        "milestone": "started",
        "which": "actual",
        "before": on.isoformat(),
        "after": day.isoformat(),
        "reason": "开工报告上的日期抄错",
    }
