"""After the decision (行政许可法 40, 49, 50, 69, 70, 78, 79; R206, R209-R211, R214-R218): terms, renewal, change, revocation, bars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine import clock
from engine.clock import CHINA
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from handlers.cases import service as cases
from handlers.catalogue.service import FOLDER
from handlers.clock.service import extension_of
from handlers.documents import service as documents
from handlers.licences import rules
from handlers.licences import service as licences
from handlers.licences.endings import FilingBarred
from handlers.licences.service import Licence, LicenceRefused
from handlers.notices import service as notices
from handlers.preconditions import service as preconditions
from handlers.projects.models import ProjectRow
from handlers.projects.service import Project
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office
from tests.handlers.item_flow import Item

OTHER_COMPANY = "91652301MA7DEM016Y"
"""The bar of one test must not bar the others' applicant."""
ROAD = "CG01"
"""临时占用城市道路: a permit with a period, renewed in silence."""


def today() -> date:
    return clock.now().astimezone(CHINA).date()


def enter(office: Office, item: str = ROAD, *, ends_in: int | None = 60, project: Project | None = None) -> tuple[Licence, Project]:
    """A project with a result that was issued before; `ends_in` days its term ends."""
    owner = project or office.register()
    with office.engine.unit_of_work() as session:
        until = today() + timedelta(days=ends_in) if ends_in is not None else None
        began = min(today(), until) if until else today()
        number = f"{item}-{owner.id}-{ends_in}"
        return licences.enter_existing(session, office.actor(WINDOW), owner.id, item, number, began, until), owner


def ask(office: Office, who: str, licence: Licence, kind: str, **asked: Any) -> int:
    with office.engine.unit_of_work() as session:
        return licences.request(session, office.actor(who), licence.id, kind, asked)


def now_of(office: Office, licence: Licence) -> Licence:
    with office.engine.reading() as session:
        return licences.licence_of(session, licence.id)


def do(office: Office, project: Project, element: str, answer: Mapping[str, Any] | None = None) -> None:
    (task,) = [task for task in office.driver.open_tasks(project.id) if task.element_id == element]
    office.driver.complete(task, answer or {}, project)


def kinds(office: Office, licence: Licence) -> list[str]:
    with office.engine.reading() as session:
        return [event.kind for event in licences.history(session, licence.id)]


def test_what_a_case_grants_is_a_licence_with_the_term_of_its_law(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim().review().decide()
    with office.engine.reading() as session:
        (licence,) = [one for one in licences.licences_of(session, item.project.id) if one.case_id is not None]
        listed = [line.licence.id for line in licences.published(session, q=licence.number).rows]
    assert licence.effective and licence.number and licence.valid_until is not None
    assert listed == [licence.id]


def test_a_denied_case_leaves_no_licence(office: Office) -> None:
    item = (
        Item(office)
        .on("2022-05-12T11:00")
        .accept()
        .claim()
        .review("拟不予")
        .decide("不予", deny_reason="不符合规划条件，建筑退界不足且无法调整。" * 2)
    )
    with office.engine.reading() as session:
        assert [one for one in licences.licences_of(session, item.project.id) if one.case_id is not None] == []


def test_a_confidential_project_is_never_on_the_public_list(office: Office) -> None:
    """行政许可法40 (R206)."""
    item = Item(office).on("2022-05-12T11:00").accept().claim().review().decide()
    with office.engine.unit_of_work() as session:
        session.execute(update(ProjectRow).where(ProjectRow.id == item.project.id).values(confidential=True))
    with office.engine.reading() as session:
        assert all(line.licence.project_id != item.project.id for line in licences.published(session).rows)


def test_results_issued_elsewhere_are_entered_by_the_window_or_the_body_once(office: Office) -> None:
    licence, project = enter(office)
    assert licence.origin == "existing" and licence.effective
    with office.engine.unit_of_work() as session:
        for who, error in ((SCHOOL, Forbidden), ("lijianguo", Forbidden), (DAIRY, NotFound), (WINDOW, LicenceRefused)):
            with pytest.raises(error):
                licences.enter_existing(session, office.actor(who), project.id, ROAD, "x", today())
        for number, on, until in (("", today(), None), ("x", today() + timedelta(days=1), None), ("x", today(), date(2020, 1, 1))):
            with pytest.raises(Invalid):
                licences.enter_existing(session, office.actor(WINDOW), project.id, "CG02", number, on, until)


def test_an_ended_licence_meets_no_precondition_any_more(office: Office) -> None:
    licence, project = enter(office, "ZR06", ends_in=-1)
    assert licence.state == "expired" and not licence.effective
    with office.engine.reading() as session:
        assert "ZR06" not in licences.held_items(session, project.id)
        assert preconditions.facts(session, project.id)["lapsed"] == ["ZR06"]


def test_a_term_that_was_used_in_time_lapses_no_more(office: Office) -> None:
    """用地预审三年: once the land permit is there, its own end does not matter."""
    licence, project = enter(office, "ZR01", ends_in=-10)
    assert licence.state == "expired"
    office.driver.move_to(clock_start())
    used, project = enter(office, "ZR01", ends_in=5)
    enter(office, "ZR02", ends_in=None, project=project)
    office.driver.move_to(datetime.combine(today_of(office) + timedelta(days=6), datetime.min.time(), CHINA) + timedelta(hours=11))
    assert now_of(office, used).used and now_of(office, used).effective


def clock_start() -> datetime:
    return datetime(2022, 6, 1, 11, 0, tzinfo=CHINA)


def today_of(office: Office) -> date:
    with office.engine.reading():
        return today()


@pytest.mark.parametrize(
    ("item", "ends_in", "months", "words"),
    [
        (ROAD, 29, 12, "行政许可法第五十条"),
        (ROAD, -1, 12, "届满"),
        (ROAD, 60, 13, "1 到 12 个月"),
        (ROAD, 60, 0, "1 到 12 个月"),
        ("HB01", 400, 12, "环境影响评价法第二十四条"),
        ("ZJ03", 40, 4, "建筑法第九条"),
        ("FG05", 30, 12, "核准和备案管理条例第十二条"),
        ("ZR05", 60, 1, "没有有效期"),
    ],
    ids=[
        "under thirty days",
        "after the end",
        "too long",
        "nothing",
        "no renewal",
        "over three months",
        "under thirty working days",
        "no term",
    ],
)
def test_a_renewal_that_the_law_does_not_allow_is_refused_with_the_article(
    office: Office, item: str, ends_in: int, months: int, words: str
) -> None:
    licence, _project = enter(office, item, ends_in=ends_in)
    with office.engine.unit_of_work() as session, pytest.raises(LicenceRefused) as refused:
        licences.renew(session, licence.id, months, applied_on=today(), person=SCHOOL, now=clock.now())
    assert words in refused.value.message()


def test_an_approval_holds_two_years_and_is_extended_once_by_a_year_regulation_12(office: Office) -> None:
    """核准备案条例 10, 12 (R216): the decision may be put off by forty working days; the term by one year, once."""
    rule = extension_of("FG05")
    assert rule is not None and (rule.days, "第十条" in rule.article) == (40, True)
    licence, _project = enter(office, "FG05", ends_in=None)
    assert licence.valid_until == licences.add_months(licence.granted_on, 24)
    with office.engine.unit_of_work() as session:
        renewed = licences.renew(session, licence.id, 12, applied_on=today(), person=SCHOOL, now=clock.now())
        with pytest.raises(LicenceRefused) as refused:
            licences.renew(session, licence.id, 12, applied_on=today(), person=SCHOOL, now=clock.now())
    assert renewed.valid_until == licences.add_months(licence.granted_on, 36) and "第十二条" in refused.value.message()


def test_a_construction_permit_is_extended_twice_and_no_more(office: Office) -> None:
    """建筑法9 (R217)."""
    licence, _project = enter(office, "ZJ03", ends_in=50)
    with office.engine.unit_of_work() as session:
        for _ in range(2):
            renewed = licences.renew(session, licence.id, 3, applied_on=today(), person=SCHOOL, now=clock.now())
        with pytest.raises(LicenceRefused):
            licences.renew(session, licence.id, 3, applied_on=today(), person=SCHOOL, now=clock.now())
    assert licence.valid_until is not None and renewed.valid_until == licences.add_months(licences.add_months(licence.valid_until, 3), 3)


def test_a_renewal_is_assessed_and_decided_by_two_people_and_gets_its_document(office: Office) -> None:
    licence, project = enter(office)
    ask(office, SCHOOL, licence, "延续", months=6)
    with pytest.raises(Conflict):
        ask(office, SCHOOL, licence, "延续", months=6)
    do(office, project, "t_assess")
    do(office, project, "t_decide")
    renewed = now_of(office, licence)
    assert licence.valid_until is not None and renewed.valid_until == licences.add_months(licence.valid_until, 6)
    assert (renewed.renewals, renewed.service_key) == (1, None) and kinds(office, licence)[-1] == "renewed"
    with office.engine.reading() as session:
        assert "准予延续行政许可决定书" in {document.title for document in documents.documents_of(session, project.id)}


def test_silence_until_the_end_of_the_term_renews(office: Office) -> None:
    """行政许可法50(2): no decision before the end is a renewal; a minute before the close it is not yet one."""
    licence, project = enter(office, ends_in=45)
    ask(office, SCHOOL, licence, "延续", months=12)
    do(office, project, "t_assess")
    assert licence.valid_until is not None
    end = datetime.combine(licence.valid_until, datetime.min.time(), CHINA)
    office.driver.move_to(end + timedelta(hours=19))
    assert now_of(office, licence).renewals == 0
    office.driver.move_to(end + timedelta(hours=20, minutes=1))
    assert now_of(office, licence).valid_until == licences.add_months(licence.valid_until, 12)
    assert kinds(office, licence)[-1] == "deemed_renewed"


def test_silence_does_not_renew_what_a_special_law_governs(office: Office) -> None:
    """核准和备案管理条例12 (R216): the body decides; silence is nothing."""
    licence, _project = enter(office, "FG05", ends_in=90)
    with office.engine.unit_of_work() as session, pytest.raises(LicenceRefused):
        licences.renew(session, licence.id, 12, applied_on=today(), person="system", deemed=True, now=clock.now())


def test_a_refused_renewal_says_why_and_ends_nothing(office: Office) -> None:
    licence, project = enter(office)
    ask(office, WINDOW, licence, "延续", months=6)
    do(office, project, "t_assess", {"assessment": {"opinion": "不同意"}})
    do(office, project, "t_decide", {"licenceDecision": {"result": "不同意", "reason": "占用路段即将改造，不能继续占用。"}})
    found = now_of(office, licence)
    assert (found.valid_until, found.service_key, found.state) == (licence.valid_until, None, "valid")
    with office.engine.reading() as session:
        (denial,) = [d for d in documents.documents_of(session, project.id) if d.kind == "W20"]
    assert "六十日" in denial.facts["救济途径"] and denial.title == "不予延续行政许可决定书"


def test_a_change_is_written_down_with_what_was_there_before(office: Office) -> None:
    """行政许可法49 (R209)."""
    licence, project = enter(office)
    with pytest.raises(Invalid):
        ask(office, SCHOOL, licence, "变更", fields={}, reason="名称变更")
    ask(office, SCHOOL, licence, "变更", fields={"占用面积": "120平方米"}, reason="围挡调整")
    do(office, project, "t_assess")
    do(office, project, "t_decide")
    assert now_of(office, licence).content == {"占用面积": "120平方米"} and kinds(office, licence)[-1] == "changed"


def test_a_revocation_hears_the_holder_first_and_reaches_the_case(office: Office) -> None:
    """行政许可法69(2), 79 (R210): by deception: revoked, the case 撤销, three years without a new application, and nothing rests on it."""
    item = Item(office, jsdwdm=OTHER_COMPANY).on("2022-05-12T11:00").accept().claim().review().decide()
    with office.engine.reading() as session:
        (licence,) = [one for one in licences.licences_of(session, item.project.id) if one.case_id is not None]
    with pytest.raises(Forbidden):
        ask(office, SCHOOL, licence, "撤销", ground="deception", reason="x")
    ask(office, "lijianguo", licence, "撤销", ground="deception", reason="提交的测绘成果系伪造。")
    do(office, item.project, "t_statement")
    do(office, item.project, "t_assess")
    do(office, item.project, "t_decide")
    assert now_of(office, licence).state == "revoked" and item.case().status == 15
    with office.engine.reading() as session:
        (document,) = [d for d in documents.documents_of(session, item.project.id) if d.kind == "W23"]
        assert document.facts["处理"] == "撤销" and "第七十九条" in document.facts["依据"]
        (barred,) = [b for b in licences.bars_of(session, item.project.organisation_code, today()) if b.item_code == "ZR06"]
        assert barred.until == licences.add_months(today(), 36)
        with pytest.raises(FilingBarred):
            licences.check_bar(session, item.project.organisation_code, "ZR06", "规划许可", today())
        assert "ZR06" not in licences.held_items(session, item.project.id)


def test_whatever_revokes_the_case_revokes_the_licence(office: Office) -> None:
    item = Item(office).on("2022-05-12T11:00").accept().claim().review().decide()
    with office.engine.unit_of_work() as session:
        cases.set_status(session, item.case().id, 15, person="zhaolei", now=clock.now())
    with office.engine.reading() as session:
        (licence,) = [one for one in licences.licences_of(session, item.project.id) if one.case_id is not None]
    assert licence.state == "revoked"


@pytest.mark.parametrize(
    ("ends_in", "ground", "fits"), [(-1, "expired", True), (60, "expired", False), (60, "taken_back", False), (60, "dissolved", True)]
)
def test_a_cancellation_needs_the_ground_that_is_there(office: Office, ends_in: int, ground: str, fits: bool) -> None:
    """行政许可法70 (R210)."""
    licence, _project = enter(office, ends_in=ends_in)
    with office.engine.unit_of_work() as session:
        if fits:
            cancelled = licences.cancel(session, licence.id, ground, reason="", person="zhaolei", now=clock.now())
            assert cancelled.state == "cancelled"
            with pytest.raises(LicenceRefused):
                licences.cancel(session, licence.id, ground, reason="", person="zhaolei", now=clock.now())
        else:
            with pytest.raises(LicenceRefused) as refused:
                licences.cancel(session, licence.id, ground, reason="", person="zhaolei", now=clock.now())
            assert "行政许可法第七十条" in refused.value.message()


def test_the_holder_gives_up_only_and_for_no_other_ground(office: Office) -> None:
    licence, project = enter(office)
    with pytest.raises(LicenceRefused):
        ask(office, SCHOOL, licence, "注销", ground="dissolved", reason="不再需要")
    with pytest.raises(NotFound):
        ask(office, DAIRY, licence, "注销", ground="given_up", reason="不再需要")
    ask(office, SCHOOL, licence, "注销", ground="given_up", reason="不再占用道路")
    do(office, project, "t_assess")
    do(office, project, "t_decide")
    assert now_of(office, licence).state == "cancelled"


def test_false_material_bars_for_a_year_where_safety_is_concerned(office: Office) -> None:
    """行政许可法78 (R211)."""
    plain = Item(office, "ZR06")
    safety = Item(office, "ZJ03", "ZJJ")
    with office.engine.unit_of_work() as session:
        assert licences.record_false_material(session, plain.case().id, "伪造检测报告", person="lijianguo", now=clock.now()) is None
        barred = licences.record_false_material(session, safety.case().id, "伪造资质证书", person="wanghaiyan", now=clock.now())
        assert barred is not None and barred.until == licences.add_months(today(), 12) and "第七十八条" in barred.article
        code = safety.project.organisation_code
        with pytest.raises(FilingBarred) as refused:
            licences.check_bar(session, code, "ZJ03", "施工许可", barred.until)
        assert "第七十八条" in refused.value.message()
        licences.check_bar(session, code, "ZJ03", "施工许可", barred.until + timedelta(days=1))
        session.rollback()


def test_holders_are_reminded_once_before_the_last_day_of_an_application(office: Office) -> None:
    soon, _one = enter(office, ends_in=50)
    later, _two = enter(office, ends_in=100)
    with office.engine.unit_of_work() as session:
        assert licences.any_to_remind(session, clock.now())
        licences.remind_all(session, clock.now())
        assert licences.remind_all(session, clock.now()) == 0 and not licences.any_to_remind(session, clock.now())
        told = [notice.body for notice in notices.inbox(session, office.actor(SCHOOL)) if notice.event == "licence_expiring"]
    assert any(soon.number in body for body in told) and not any(later.number in body for body in told)


def test_the_last_day_of_an_application_counts_back_calendar_or_working_days(office: Office) -> None:
    with office.engine.reading() as session:
        assert licences.latest_application(session, ROAD, date(2022, 9, 30)) == date(2022, 8, 31)
        assert licences.latest_application(session, "FG05", date(2022, 9, 30)) == date(2022, 8, 18)
        assert licences.latest_application(session, "ZJ03", date(2022, 9, 30)) == date(2022, 9, 30)


def test_months_end_on_the_months_last_day() -> None:
    """民法典202."""
    assert licences.add_months(date(2022, 11, 30), 3) == date(2023, 2, 28)
    assert licences.add_months(date(2023, 11, 30), 3) == date(2024, 2, 29)
    assert licences.add_months(date(2022, 12, 15), 12) == date(2023, 12, 15)


def test_an_intermediary_service_without_a_legal_basis_is_not_published(tmp_path: Any) -> None:
    """优化营商环境条例43 (R215)."""
    assert len(licences.intermediary_services()) >= 10
    source = (FOLDER / "intermediary_services.csv").read_text(encoding="utf-8")
    (tmp_path / "intermediary_services.csv").write_text(source.replace("政府投资条例第九条", ""), encoding="utf-8")
    with pytest.raises(ValueError, match="ZJF01"):
        rules.intermediary_services(tmp_path)
