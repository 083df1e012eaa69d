"""Every rule of every decision: what must be asked, joined, paid or refused, by law article (domain specification §2.3, appendix A)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.forms_content.content import PROCESSES, decide, decision, example, rows

DECISIONS = {
    "project_variant", "initiation_mode", "filing_check", "land_rule", "initiation_consultation", "land_consultation", "review_units",
    "budget_gate", "indicator_check", "construction_conditions", "acceptance_members", "required_items",
}  # fmt: skip


def school(**changes: Any) -> dict[str, Any]:
    """A new primary school: a government project on allocated land."""
    found: dict[str, Any] = example("project_registration")["project"]
    return found | changes


def firm(**changes: Any) -> dict[str, Any]:
    """A company's plain building on land bought within the plan."""
    base = {"tzly": "企业投资", "lxlx": "备案", "gbhy": "8870", "gnyt": "文体旅游", "tdhqfs": "出让", "tdsfdsjfa": False, "hyzcsm": True}
    return school(**base) | changes


def test_every_decision_is_there_and_has_no_findings() -> None:
    assert {path.stem for path in PROCESSES.glob("*.dmn")} >= DECISIONS
    for name in DECISIONS:
        model = decision(name)
        assert name in model.decisions
        assert model.drg_id == f"{name}_drg"
        assert model.findings == []


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_modeler_can_draw_it_and_every_rule_says_why(name: str) -> None:
    text = (PROCESSES / f"{name}.dmn").read_text(encoding="utf-8")
    assert 'modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.9.0"' in text
    assert text.count("<dmndi:DMNShape ") == text.count("<decision ")
    assert text.count("<rule ") <= text.count("<description>")
    assert "<description></description>" not in text


@pytest.mark.parametrize(
    ("variant", "project"),
    [
        (2, school(sfxxgc=True)),
        (1, school()),
        (1, school(tdhqfs="出让", tdsfdsjfa=True)),
        (5, firm(tdsfdsjfa=True)),
        (5, firm(tdsfdsjfa=True, gbhy="1441", gnyt="工业厂房")),
        (6, firm(gbhy="0610", gnyt="工业厂房")),
        (6, firm(gbhy="4610", gnyt="工业厂房")),
        (6, firm(gbhy="1441", gnyt="仓储物流")),
        (3, firm(gbhy="1441", gnyt="办公")),
        (3, firm(gbhy="4710", gnyt="工业厂房")),
        (4, firm(jzmj=3000, jzgd=24, gndy=True)),
        (3, firm(jzmj=3000.01, jzgd=24, gndy=True)),
        (3, firm(jzmj=3000, jzgd=24.1, gndy=True)),
        (3, firm(jzmj=3000, jzgd=24, gndy=False)),
        (3, firm(jzmj=3000, jzgd=24, gndy=True, sfwhtx=True)),
        (3, firm()),
        (3, {"tzly": "企业投资"}),
    ],
)
def test_project_variant(variant: int, project: dict[str, Any]) -> None:
    assert decide("project_variant", project=project) == variant


@pytest.mark.parametrize("project", rows("demo_projects"), ids=lambda row: row["number"])
def test_project_variant_of_the_demo_projects(project: dict[str, str]) -> None:
    assert decide("project_variant", project=json.loads(project["data"])) == int(project["variant"])


@pytest.mark.parametrize(
    ("mode", "project"),
    [
        ("审批", school()),
        ("审批", school(gbhy="4412", lxlx="核准")),
        ("审批", firm(tzly="混合", lxlx="审批")),
        ("备案", firm(tzly="混合")),
        ("核准", firm(gbhy="4412")),
        ("核准", firm(gbhy="9020")),
        ("核准", firm(lxlx="核准")),
        ("备案", firm()),
        ("备案", firm(tzly="外商投资", lxlx="审批")),
    ],
)
def test_initiation_mode(mode: str, project: dict[str, Any]) -> None:
    """政府投资条例第九条；企业投资项目核准和备案管理条例第三条."""
    assert decide("initiation_mode", project=project) == mode


@pytest.mark.parametrize(
    ("complete", "forbidden", "project"),
    [
        (False, True, school()),
        (False, True, firm(gbhy="4412")),
        (False, True, firm(sfsm=True)),
        (False, False, firm(hyzcsm=False)),
        (False, False, {key: value for key, value in firm().items() if key != "hyzcsm"}),
        (False, False, firm(jsdwdm=None)),
        (True, False, firm()),
    ],
)
def test_filing_is_complete_with_all_information(complete: bool, forbidden: bool, project: dict[str, Any]) -> None:
    """企业投资项目核准和备案管理条例第十三条：收到全部信息即为备案."""
    found = decide("filing_check", project=project)
    assert (found["complete"], found["forbidden"]) == (complete, forbidden)
    assert found["reason"]


@pytest.mark.parametrize(
    ("preapproval", "site_opinion", "way", "within"),
    [
        (False, False, "自有", False),
        (False, False, "无需", None),
        (True, True, "划拨", False),
        (False, True, "划拨", True),
        (True, False, "出让", False),
        (True, False, "租赁", False),
        (False, False, "出让", True),
        (False, False, "作价入股", True),
    ],
)
def test_land_rule(preapproval: bool, site_opinion: bool, way: str, within: bool | None) -> None:
    """城乡规划法第三十六条、第三十八条；土地管理法实施条例第二十四条."""
    found = decide("land_rule", project={"tdhqfs": way, "ghfwn": within})
    assert (found["preapproval"], found["siteOpinion"]) == (preapproval, site_opinion)


@pytest.mark.parametrize(
    ("unit", "changes"),
    [
        ("JYJ", {"gnyt": "学校"}),
        ("WJW", {"gnyt": "医疗卫生"}),
        ("WLJ", {"gnyt": "文体旅游"}),
        ("KJJ", {"gnyt": "科研"}),
        ("ZJJ", {"gnyt": "住宅"}),
        ("ZJJ", {"gnyt": "市政设施"}),
        ("JTYSJ", {"gnyt": "仓储物流"}),
        ("NYJ", {"gnyt": "其他", "gbhy": "0141"}),
    ],
)
def test_initiation_consultation_asks_the_branch_department(unit: str, changes: dict[str, Any]) -> None:
    assert unit in decide("initiation_consultation", project=school(**changes), initiationMode="审批")
    assert unit not in decide("initiation_consultation", project=school(gnyt="其他"), initiationMode="审批")


def test_initiation_consultation() -> None:
    """政府投资条例第十条；企业投资项目核准和备案管理条例第九条."""
    assert decide("initiation_consultation", project=school(), initiationMode="审批") == ["ZRZYJ", "CZJ", "STHJ", "SLJ", "JYJ"]
    small = firm(gnyt="其他", tdhqfs="无需", ydmj=9999.99)
    assert decide("initiation_consultation", project=small, initiationMode="核准") == ["STHJ"]
    assert decide("initiation_consultation", project=small | {"gbhy": "4412"}, initiationMode="核准") == ["STHJ", "YJJ"]
    assert decide("initiation_consultation", project=small | {"ydmj": 10000}, initiationMode="核准") == ["STHJ", "SLJ"]
    assert decide("initiation_consultation", project=small | {"sfxxgc": True}, initiationMode="核准") == ["STHJ", "SLJ"]


@pytest.mark.parametrize(("unit", "fact"), [("STHJ", "sthx"), ("SLJ", "sjsl"), ("WLJ", "wwbh"), ("LCJ", "syld"), ("JTYSJ", "sjgl")])
def test_land_consultation(unit: str, fact: str) -> None:
    assert decide("land_consultation", application={fact: True}) == [unit]


def test_land_consultation_asks_nobody_without_reason() -> None:
    assert decide("land_consultation", application={}) == []


def test_a_new_primary_school_is_reviewed_by_at_least_eight_units() -> None:
    units = decide("review_units", project=school())
    assert units == ["ZRZYJ", "ZJJ", "RFB", "CGJ", "JTYSJ", "SLJ", "JYJ", "GSGS", "GDGS", "RQGS", "RLGS", "TXGS"]


@pytest.mark.parametrize(
    ("unit", "joins", "changes"),
    [
        ("ZRZYJ", True, {}),
        ("ZJJ", True, {}),
        ("CGJ", True, {}),
        ("RFB", False, {"gnyt": "工业厂房"}),
        ("RFB", False, {"gcfl": "城市基础设施"}),
        ("RFB", False, {"jsxz": "改建"}),
        ("JTYSJ", False, {"gnyt": "办公"}),
        ("SLJ", False, {"ydmj": 9999.99}),
        ("SLJ", True, {"ydmj": 10000}),
        ("SLJ", True, {"ydmj": 100, "sfxxgc": True}),
        ("JYJ", True, {"gnyt": "住宅"}),
        ("JYJ", False, {"gnyt": "办公"}),
        *[(unit, False, {"jsxz": "改建"}) for unit in ("GSGS", "GDGS", "RQGS", "RLGS", "TXGS")],
        *[(unit, True, {"jsxz": "迁建"}) for unit in ("GSGS", "GDGS", "RQGS", "RLGS", "TXGS")],
    ],
)
def test_review_units(unit: str, joins: bool, changes: dict[str, Any]) -> None:
    assert (unit in decide("review_units", project=school(**changes))) is joins


@pytest.mark.parametrize(
    ("result", "estimate", "budget"),
    [("pass", 10000, 10990), ("pass", 10000, 11000), ("report", 10000, 11010), ("report", 10000, 11000.01), ("pass", 12600, 12600),
     ("report", None, 12600), ("report", 0, 12600)],
)  # fmt: skip
def test_budget_gate_at_110_percent(result: str, estimate: float | None, budget: float) -> None:
    """政府投资条例第十二条：概算超过批复估算百分之十的."""
    assert decide("budget_gate", application={"kygs": estimate, "gsje": budget}) == result


LIMITS = {"jzgd": 24, "rjl": 0.8, "jzmd": 25, "ldl": 35, "tcw": 120, "rfmj": 1050}


@pytest.mark.parametrize("indicator", LIMITS)
def test_indicator_check_refuses_each_violation(indicator: str) -> None:
    """城乡规划法第四十条、第四十三条：不符合规划条件的，不得批准."""
    step = 0.01 if indicator in ("jzgd", "rjl", "jzmd") else -0.01
    application: dict[str, Any] = {**LIMITS, "limits": LIMITS}
    assert decide("indicator_check", application=application) == {"ok": True, "violations": []}
    application[indicator] = round(LIMITS[indicator] + step, 2)
    found = decide("indicator_check", application=application)
    assert found["ok"] is False
    assert len(found["violations"]) == 1


def test_indicator_check_prefers_the_limits_that_the_reviewer_set() -> None:
    application = {**LIMITS, "limits": LIMITS}
    strict = decide("indicator_check", application=application, review={"limits": {"rjl": 0.7, "ldl": None}})
    assert strict == {"ok": False, "violations": ["容积率超过规划条件：0.8，限值0.7"]}
    assert decide("indicator_check", application={**LIMITS, "rfmj": None, "limits": LIMITS})["ok"] is False
    assert decide("indicator_check", application=LIMITS)["ok"] is True


def permit(**changes: Any) -> dict[str, Any]:
    """Everything that a construction permit needs."""
    names = ("construction_application", "construction_contract", "wage_commitment", "drawing_review", "fire_design_review")
    found: dict[str, Any] = {"project": school()}
    for name in (*names, "civil_defence_review"):
        found |= example(name)
    for path, value in changes.items():
        variable, _, key = path.partition("__")
        found[variable] = found[variable] | {key: value}
    return found


@pytest.mark.parametrize(
    ("article", "changes"),
    [
        ("第八条第一项", {"application__yd_no": ""}),
        ("第八条第二项", {"application__gh_no": None}),
        ("第八条第三项", {"application__cqjd": False}),
        ("第八条第四项", {"contract__sgdw": None}),
        ("第八条第五项", {"application__zjcn": False}),
        ("第八条第五项", {"wage__zjcn": None}),
        ("第八条第五项", {"drawing__result": "修改"}),
        ("第八条第六项", {"application__zljd": {"zlcs": ""}}),
        ("第八条第六项", {"application__aqjd": {"aqcs": ""}}),
        ("消防法第十二条", {"fireReview__result": "不合格"}),
        ("人民防空法第二十二条", {"civilDefence__result": "不同意"}),
        ("支付条例第二十三条", {"wage__gscn": False}),
    ],
)
def test_construction_conditions_name_what_is_missing(article: str, changes: dict[str, Any]) -> None:
    """建筑法第八条：六项条件."""
    missing = decide("construction_conditions", **permit(**changes))
    assert len(missing) == 1
    assert article in missing[0]


def test_construction_conditions_are_met() -> None:
    assert decide("construction_conditions", **permit()) == []
    ordinary = permit(application__tsgc=False)
    del ordinary["fireReview"], ordinary["civilDefence"]
    assert decide("construction_conditions", **ordinary) == []
    assert len(decide("construction_conditions")) >= 6


def test_a_new_primary_school_is_accepted_by_at_least_eight_units() -> None:
    members = decide("acceptance_members", project=school(), application=example("acceptance_application")["application"])
    assert members[:4] == [
        {"unit": unit, "item": item} for unit, item in (("ZRZYJ", "ZR07"), ("ZJJ", "ZJ04"), ("ZJJ", "ZJ05"), ("ZJJ", "ZJ07"))
    ]
    assert len({member["unit"] for member in members}) >= 8
    assert len({(member["unit"], member["item"]) for member in members}) == len(members)
    codes = {row["code"] for row in rows("items")}
    assert {member["item"] for member in members} <= codes


@pytest.mark.parametrize(
    ("item", "joins", "project", "application"),
    [
        ("ZR07", False, {}, {"ghhs": True}),
        ("ZJ04", False, {"gcfl": "城市基础设施"}, {}),
        ("RF02", False, {"jsxz": "改建"}, {}),
        ("RF02", False, {"gnyt": "工业厂房"}, {}),
        ("SL03", False, {"ydmj": 9000}, {}),
        ("SL03", True, {"ydmj": None, "sfxxgc": True}, {}),
        ("QX01", False, {"gnyt": "住宅"}, {}),
        ("QX01", False, {}, {"members": ["规划核实"]}),
        ("GY04", True, {}, {}),
        ("GY04", False, {}, {"members": ["规划核实", "供水"]}),
        ("GY01", True, {}, {"members": ["规划核实", "供水"]}),
        ("GY01", False, {"jsxz": "改建"}, {"members": ["规划核实", "供水"]}),
        ("CG02", True, {"gcfl": "城市基础设施"}, {}),
    ],
)
def test_acceptance_members(item: str, joins: bool, project: dict[str, Any], application: dict[str, Any]) -> None:
    """城乡规划法第四十五条、消防法第十三条、人民防空法第二十二条、水土保持法第二十七条."""
    members = decide("acceptance_members", project=school(**project), application=application)
    assert (item in [member["item"] for member in members]) is joins


def test_decisions_name_only_units_of_the_catalogue() -> None:
    units = {row["code"] for row in rows("units")}
    for name in ("review_units", "initiation_consultation", "land_consultation", "acceptance_members"):
        text = (PROCESSES / f"{name}.dmn").read_text(encoding="utf-8")
        outputs = [part.split("</text>")[0].strip('"').replace("&quot;", "") for part in text.split('_out_1">\n          <text>')[1:]]
        assert outputs
        assert set(outputs) <= units
