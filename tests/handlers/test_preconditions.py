"""Preconditions (domain §2.4): every edge of the item catalogue refuses its action with its article when what it needs is missing."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest

from engine import clock
from engine.clock import CHINA
from engine.feel import Environment
from handlers.catalogue.service import catalogue
from handlers.filing import service as filing
from handlers.licences import service as licences
from handlers.licences.service import LicenceRefused
from handlers.materials import service as materials
from handlers.preconditions import service as preconditions
from handlers.preconditions.service import Edge, PreconditionMissing, When
from tests.handlers.conftest import SCHOOL, WINDOW, Office
from tests.handlers.item_flow import Item
from tests.handlers.test_materials import PDF

EDGES = [edge for listed in preconditions.edges().values() for edge in listed]
NOTHING: dict[str, Any] = {"project": {}, "held": [], "lapsed": [], "spared": [], "materials": [], "procedures": [], "opinions": [{}]}
"""A project of which nothing is known; one member has not given an opinion."""


def name(edge: Edge) -> str:
    return f"{edge.item} {edge.when} {edge.needs}"


APPLIES: dict[str, Any] = {"nhzl": 2000, "shyx": True, "tsgc": True}
"""Answers under which no exception spares an application anything."""
EVERYTHING: dict[str, Any] = NOTHING | {
    "held": list(catalogue().items),
    "materials": ["国有建设用地使用权出让合同", "划拨用地批准文件", "社会稳定风险评估报告", "消防设计文件", "多测合一成果"],
    "procedures": ["公示"],
    "application": APPLIES | {"zjcn": True, "zljd": {"zlcs": "措施"}, "aqjd": {"aqcs": "措施"}},
    "opinions": [{"result": "合格"}],
}
"""Every need is met by a result or a declaration."""


def test_every_edge_names_a_known_need_and_its_article() -> None:
    assert len(EDGES) >= 40
    for edge in EDGES:
        need = preconditions.needs()[edge.needs]
        assert edge.article and need.name, name(edge)
        assert need.items or need.condition, edge.needs
        assert set(need.items) <= catalogue().items.keys()


def states(item: str, when: When, known: dict[str, Any]) -> dict[str, str]:
    return {one.edge.needs: one.state for one in preconditions.check(item, when, known, Environment())}


@pytest.mark.parametrize("edge", EDGES, ids=name)
def test_without_what_it_needs_the_action_is_refused_with_the_article(edge: Edge) -> None:
    """Each edge removed in turn: all else is there, only this need is not."""
    need = preconditions.needs()[edge.needs]
    land = {"tdhqfs": "出让" if edge.needs == "land_contract" else "划拨"}
    known = EVERYTHING | {"project": land | {"code": "2204-652301-04-01-123455"}}
    assert states(edge.item, edge.when, known)[edge.needs] == "met"
    lost = known | {"held": [code for code in known["held"] if code not in need.items]}
    lost |= {key: NOTHING[key] for key in ("materials", "procedures", "opinions") if key in need.condition}
    if "project." in need.condition:
        lost["project"] = land
    if "application" in need.condition:
        lost["application"] = APPLIES
    assert states(edge.item, edge.when, lost)[edge.needs] == "missing"


@pytest.mark.parametrize(
    ("item", "need", "facts"),
    [
        ("FG03", "FG02", {"project": {"tl13": True}}),
        ("FG03", "ZR01", {"project": {"tdhqfs": "出让"}}),
        ("FG03", "FG08", {"application": {"nhzl": 999}}),
        ("FG03", "stability_assessment", {"application": {"shyx": False}}),
        ("ZR02", "land_contract", {"project": {"tdhqfs": "划拨"}}),
        ("ZR05", "ZR02", {"project": {"tdhqfs": "自有"}}),
        ("ZJ03", "ZJ02", {"application": {"tsgc": False}}),
    ],
)
def test_an_exception_of_the_law_spares_the_need(item: str, need: str, facts: dict[str, Any]) -> None:
    assert states(item, "decide", NOTHING | facts)[need] == "spared"


def test_a_soft_precondition_is_told_and_does_not_refuse(office: Office) -> None:
    project = office.register()
    with office.engine.reading() as session:
        (told,) = preconditions.require(session, project.id, "GY01", "file")
    assert told.state == "missing" and told.edge.article == "优化营商环境条例第二十八条"


def test_a_decision_without_the_land_certificate_is_refused_and_nothing_happens(office: Office) -> None:
    """城乡规划法40: the signer reads the article; the case stays where it was, and goes on once the result is entered."""
    item = Item(office, prepared=False).on("2022-05-12T11:00").accept().claim().review()
    item.do("t_verify")
    with pytest.raises(PreconditionMissing) as refused:
        item.do("t_sign", {"decision": {"decision": "准予"}})
    assert "城乡规划法第四十条" in refused.value.message() and refused.value.status == 409
    assert item.case().status == 8 and not {"W19", "W21"} & set(item.documents())
    item.hold()
    item.do("t_sign", {"decision": {"decision": "准予"}})
    assert item.case().status == 11


def test_a_refusal_needs_no_precondition(office: Office) -> None:
    item = Item(office, prepared=False).on("2022-05-12T11:00").accept().claim().review("拟不予").decide("不予", deny_reason="x" * 30)
    assert item.case().status == 13


def test_filing_without_what_must_come_first_is_refused(office: Office) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session, pytest.raises(PreconditionMissing) as refused:
        preconditions.require(session, project.id, "ZJ04", "file")
    assert "缺少建筑工程施工许可证（消防法第十三条）" in refused.value.message()


def test_a_material_of_the_pool_meets_a_need(office: Office) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session, pytest.raises(PreconditionMissing):
        preconditions.require(session, project.id, "ZJ02", "file")
    with office.engine.unit_of_work() as session:
        materials.store_material(session, office.actor(SCHOOL), project.id, "消防设计文件", "a.pdf", io.BytesIO(PDF))
        assert [one.state for one in preconditions.require(session, project.id, "ZJ02", "file")] == ["met"]


def test_an_evaluated_area_spares_the_item_and_records_its_number(office: Office) -> None:
    """优化营商环境条例42 (R214): inside the area no assessment of its own; outside, or after the result's term, it is needed."""
    today = date(2022, 8, 1)
    inside = {"sfwcqypg": True, "jsdd": "昌吉高新区科技大道北侧"}
    assert {code: area.number for code, area in licences.area_results(inside, today).items()} == {
        "ZR08": "昌高区评〔2021〕1号",
        "WW01": "昌高区评〔2021〕1号",
    }
    assert licences.area_results(inside | {"jsdd": "昌吉市建国西路"}, today) == {}
    assert licences.area_results(inside | {"sfwcqypg": False}, today) == {}
    assert licences.area_results(inside, date(2026, 6, 30)) == {}
    project = office.register(sfwcqypg=True, jsdd="昌吉市高新区科技大道")
    with office.engine.reading() as session:
        offered = {item.code for item in filing.offered(session, office.actor(SCHOOL), project.id)}
    assert "ZR08" not in offered and "WW01" not in offered and "SL01" in offered


def test_an_environmental_approval_older_than_five_years_does_not_allow_the_start(office: Office) -> None:
    """环境影响评价法24 (R218): works not begun within five years: the approval is checked again first."""
    project = office.register()
    today = clock.now().astimezone(CHINA).date()
    with office.engine.unit_of_work() as session:
        actor = office.actor(WINDOW)
        licences.enter_existing(session, actor, project.id, "HB01", "昌环审〔2016〕1号", today.replace(year=today.year - 6))
        declared = {"startReport": {"hp": True, "sb": True, "jn": True}}
        with pytest.raises(PreconditionMissing) as refused:
            preconditions.require(session, project.id, "ZJ03", "start_work", declared)
        assert "环境影响评价法第二十五条" in refused.value.message()
        licences.enter_existing(session, actor, project.id, "HB01", "昌环审〔2022〕9号", today)
        preconditions.require(session, project.id, "ZJ03", "start_work", declared)
        with pytest.raises(LicenceRefused):
            licences.enter_existing(session, actor, project.id, "HB01", "昌环审〔2022〕10号", today)
