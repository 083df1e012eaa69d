"""What the job types issue and send: documents with facts, who may read them, messages."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from engine import clock
from engine.errors import NotFound
from engine.policy import SYSTEM
from handlers.board import service as boards
from handlers.cases.service import case_history, cases_of
from handlers.documents import production
from handlers.documents import service as documents
from handlers.materials.files import take_in
from handlers.materials.service import checklist
from handlers.notices import service as notices
from handlers.projects.service import Project
from tests.handlers.conftest import DAIRY, SCHOOL, Office
from tests.pdf import pdf

REASON = "申请材料反映的建设内容与批准的规划不符，不符合法定条件，依法不予许可。"


def bring(office: Office, project: Project, until: str, **answers: dict[str, object]) -> None:
    """Work on the project's proposal (FG02) until an element has been completed."""
    for _ in range(30):
        task = next(
            t
            for t in office.driver.open_tasks(project.id)
            if t.process_id in ("project_initiation", "item_intake", "item_decision", "decision_delivery")
        )
        office.driver.complete(task, answers.get(task.element_id, {}), project)
        office.driver.move_to(clock.now() + timedelta(hours=1))
        if task.element_id == until:
            return
    raise AssertionError(f"{until} was not reached")


@pytest.fixture(scope="module")
def granted(office: Office) -> Project:
    project = office.register()
    bring(office, project, "t_deliver")
    return project


@pytest.fixture(scope="module")
def denied(office: Office) -> Project:
    project = office.register()
    bring(office, project, "t_sign", t_sign={"decision": {"decision": "不予", "deny_reason": REASON}})
    return project


def test_a_grant_issues_notice_decision_and_permit(office: Office, granted: Project) -> None:
    with office.engine.reading() as session:
        issued = {d.kind: d for d in documents.documents_of(session, granted.id)}
        case = next(c for c in cases_of(session, granted.id) if c.item_code == "FG02")
    assert issued.keys() == {"W01", "W03", "W21", "W24"}, "项目建议书审批 is no licence: no 准予行政许可决定书"
    assert issued["W24"].facts["送达文书"] == [{"文书": "项目建议书批复", "文号": issued["W21"].number}]
    assert issued["W01"].facts["材料清单"] == ["项目建议书", "资金来源证明"] and issued["W01"].unit == "XZSPJ"
    assert issued["W21"].number == case.document_number and issued["W21"].title == "项目建议书批复"
    assert issued["W21"].number and issued["W21"].number.startswith("昌市发改投资〔2022〕")
    assert issued["W03"].facts["办件编号"] == case.number and issued["W03"].facts["查询码"] == case.query_code


def test_a_refusal_carries_its_reason_and_the_remedies(office: Office, denied: Project) -> None:
    """行政许可法 第三十八条."""
    with office.engine.reading() as session:
        refusal = next(d for d in documents.documents_of(session, denied.id) if d.kind == "W20")
        case = next(c for c in cases_of(session, denied.id) if c.item_code == "FG02")
    assert (
        refusal.title == "不予批准通知书"
        and refusal.facts["不予理由"] == REASON
        and "六十日" in refusal.facts["救济途径"]
        and "六个月" in refusal.facts["救济途径"]
    )
    assert (case.status, case.document_number) == (13, refusal.number)


def test_the_history_names_the_units_and_people(office: Office, granted: Project) -> None:
    with office.engine.reading() as session:
        case = next(c for c in cases_of(session, granted.id) if c.item_code == "FG02")
        history = case_history(session, case.id)
    assert [event.status for event in history] == [1, 3, 8, 11]
    assert [event.person for event in history] == [SCHOOL, "guli", "mawenqiang", "luoxiaodong"]
    assert [event.unit for event in history][1:] == ["XZSPJ", "FGW", "FGW"]


def test_only_who_may_see_the_project_reads_its_documents(office: Office, granted: Project) -> None:
    with office.engine.reading() as session:
        first = documents.documents_of(session, granted.id)[0]
        for username in (SCHOOL, "mawenqiang"):
            assert documents.document(session, office.actor(username), first.id).id == first.id
        with pytest.raises(NotFound):
            documents.document(session, office.actor(DAIRY), first.id)
        with pytest.raises(NotFound):
            documents.document(session, SYSTEM, 999_999)


def test_the_applicant_is_told_when_an_item_is_finished(office: Office, granted: Project) -> None:
    applicant, other = office.actor(SCHOOL), office.actor(DAIRY)
    with office.engine.reading() as session:
        message = next(n for n in notices.inbox(session, applicant) if n.project_id == granted.id)
        before = notices.unread_count(session, applicant)
    assert message.event == "item_finished" and "政府投资项目建议书审批" in message.body and "办结（通过）" in message.body
    with office.engine.unit_of_work() as session:
        with pytest.raises(NotFound):
            notices.mark_read(session, other, message.id)
        notices.mark_read(session, applicant, message.id)
        assert notices.unread_count(session, applicant) == before - 1
        notices.mark_all_read(session, applicant)
        assert notices.unread_count(session, applicant) == 0 and notices.inbox(session, applicant, unread_only=True) == []


def test_outside_events_are_offered_only_while_awaited_and_to_who_may_report(office: Office) -> None:
    project = office.register()
    apply = next(t for t in office.driver.open_tasks(project.id) if t.process_id == "land_use_permit")
    office.driver.complete(apply, {}, project)
    with office.engine.reading() as session:
        offered = {e.element_id: e for e in boards.awaited_events(session, office.actor(SCHOOL), project.id) if e.may_report}
        assert {"ev_contract", "ev_allocation"} <= offered.keys()
        land = {e.element_id for e in boards.awaited_events(session, office.actor("lijianguo"), project.id) if e.may_report}
        assert "ev_allocation" in land
        assert not any(e.may_report for e in boards.awaited_events(session, office.actor("wanghaiyan"), project.id))
        with pytest.raises(NotFound):
            boards.awaited_events(session, office.actor(DAIRY), project.id)
    event = offered["ev_allocation"]
    assert event.schema is not None and event.legal_basis
    row = next(e for e in office.driver.awaited(project.id) if e.key == event.key)
    office.driver.report(row, {}, project)
    with office.engine.unit_of_work() as session, pytest.raises(NotFound):
        boards.report_event(session, office.actor(SCHOOL), project.id, event.key, {})


def test_an_event_of_another_project_is_not_found(office: Office) -> None:
    mine, other = office.register(), office.register()
    apply = next(t for t in office.driver.open_tasks(other.id) if t.process_id == "land_use_permit")
    office.driver.complete(apply, {}, other)
    event = office.driver.awaited(other.id)[0]
    with office.engine.unit_of_work() as session, pytest.raises(NotFound):
        boards.report_event(session, office.actor(SCHOOL), mine.id, event.key, {})


def test_the_window_finds_the_list_of_materials_that_this_application_needs(office: Office) -> None:
    """The land is allotted (划拨), so the approval of the allotment is on the list and a land contract is not."""
    project = office.register()
    for process in ("land_use_permit", "project_initiation"):
        task = next(t for t in office.driver.open_tasks(project.id) if t.process_id == process)
        office.driver.complete(task, {}, project)
    check = next(t for t in office.driver.open_tasks(project.id) if t.element_id == "t_check")
    rows = office.driver.variables(check)["intake"]["materials"]
    assert [row["name"] for row in rows if row["required"]] == ["项目建议书", "资金来源证明"]
    assert {row["submitted"] for row in rows if row["required"]} == {"已提交"} and {row["source"] for row in rows} == {"上传", "共享"}
    names = [m["name"] for m in checklist("ZR02", {"project": {"tdhqfs": "划拨"}})]
    assert "划拨用地批准文件" in names and "国有建设用地使用权出让合同" not in names


def test_a_licence_comes_with_a_written_decision_and_its_own_number(office: Office) -> None:
    """行政许可法 第三十八、三十九条: 用地预审与选址意见书 is a licence."""
    project = office.register()
    for _ in range(30):
        task = next(t for t in office.driver.open_tasks(project.id) if t.process_id == "land_preapproval" or t.element_id == "t_check")
        office.driver.complete(task, {}, project)
        if task.element_id == "t_sign":
            break
    with office.engine.reading() as session:
        issued = {d.kind: d.number for d in documents.documents_of(session, project.id) if d.item_code == "ZR01"}
    assert issued.keys() == {"W01", "W03", "W16", "W19", "W21"}, "the consulted offices got their letters"
    assert (issued["W21"] or "").startswith("用字第6523012022") and "昌市自然资" in (issued["W19"] or "")


def test_a_finished_case_is_archived_when_its_last_document_is_printed(office: Office, granted: Project) -> None:
    """R134: every finished case has its catalogue (W34), once, with everything in it."""
    with office.engine.reading() as session:
        case = next(c for c in cases_of(session, granted.id) if c.item_code == "FG02")
        mine = [d for d in documents.documents_of(session, granted.id) if d.case_id == case.id]
    for number, document in enumerate(mine):
        with office.engine.unit_of_work() as session:
            content = pdf(note=b"%d" % number)
            taken = take_in(office.engine.settings.files_dir, "a.pdf", io.BytesIO(content), 1000)
            printed = {"sha256": taken.sha256, "size": taken.size, "pages": 1, "templateVersion": 0}
            production.file(session, document.id, printed, clock.now())
            production.file(session, document.id, printed, clock.now())
            indexes = [d for d in documents.documents_of(session, granted.id) if d.kind == "W34"]
        assert len(indexes) == (1 if number == len(mine) - 1 else 0)
    listed = indexes[0].facts["案卷材料"]
    assert {row["题名"] for row in listed if row["类别"] == "文书"} == {d.title for d in mine} and listed[-1]["类别"] == "意见"
