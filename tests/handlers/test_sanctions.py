"""R211, 行政许可法 78: false material is found by the case's body, warned of in writing, and the case cannot be granted any more."""

from __future__ import annotations

import pytest

from engine import clock
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from handlers.documents import service as documents
from handlers.licences import service as licences
from handlers.licences.endings import FilingBarred
from handlers.licences.service import LicenceRefused
from handlers.sanctions import service as sanctions
from tests.handlers.conftest import DAIRY, WINDOW, Office
from tests.handlers.item_flow import Item

WHY = "提交的检测报告编号不存在，经出具单位书面确认系伪造"


def find(item: Item, who: str, reason: str = WHY) -> sanctions.FalseMaterial:
    with item.office.engine.unit_of_work() as session:
        return sanctions.report_false_material(session, item.office.actor(who), item.case().id, reason)


def test_a_matter_of_safety_bars_the_applicant_for_a_year_and_the_warning_says_so(office: Office) -> None:
    item = Item(office, "ZJ03", "ZJJ")
    found = find(item, "wanghaiyan")
    with office.engine.reading() as session:
        paper = documents.stored_document(session, found.document_id)
        on = clock.now().astimezone(clock.CHINA).date()
        with pytest.raises(FilingBarred):
            licences.check_bar(session, item.project.organisation_code, "ZJ03", "施工许可", on)
    assert found.barred_until == licences.add_months(on, 12) and "第七十八条" in found.article
    assert (paper.kind, paper.facts["违法事实"]) == ("W35", WHY) and found.barred_until.isoformat() in paper.facts["处理"]
    assert paper.addressee == item.project.organisation and paper.number


def test_other_matters_are_warned_of_without_a_bar(office: Office) -> None:
    found = find(Item(office), "lijianguo")
    assert found.barred_until is None and "警告" in found.document_title


def test_the_case_is_not_granted_any_more_but_refused(office: Office) -> None:
    item = Item(office).accept().claim().review()
    item.do("t_verify")
    find(item, "lijianguo")
    with pytest.raises(sanctions.FalseMaterialFound) as refused:
        item.do("t_sign", {"decision": {"decision": "准予"}})
    assert "第七十八条" in refused.value.message() and item.open() == {"t_sign"}
    item.do("t_sign", {"decision": {"decision": "不予", "deny_reason": "申请人提供虚假材料，依法不予行政许可，并给予警告。"}})
    assert item.case().status == 13


@pytest.mark.parametrize(
    ("who", "reason", "refusal"),
    [(WINDOW, WHY, Forbidden), ("wanghaiyan", WHY, Forbidden), (DAIRY, WHY, NotFound), ("lijianguo", " 假 ", Invalid)],
)
def test_only_the_cases_own_body_finds_it_and_says_why(office: Office, who: str, reason: str, refusal: type[Exception]) -> None:
    item = Item(office)
    with pytest.raises(refusal):
        find(item, who, reason)
    with office.engine.reading() as session:
        assert sanctions.false_material_of(session, item.case().id) is None


def test_it_is_found_once_and_not_after_the_end(office: Office) -> None:
    item = Item(office)
    find(item, "lijianguo")
    with pytest.raises(Conflict):
        find(item, "lijianguo")
    done = Item(office).accept().claim().review().decide()
    with pytest.raises(LicenceRefused) as refused:
        find(done, "lijianguo")
    assert "第六十九" in refused.value.message()
