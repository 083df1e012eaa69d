"""The catalogue's files against their own rules and against each other (domain specification §2.2, §2.4, §2.12, §4, §6)."""

from __future__ import annotations

import json
import re

import pytest
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2, mod_11_10

from engine.errors import FormInvalid
from engine.feel import compile_expression
from tests.forms_content.content import PROCESSES, changed, decide, rows, submit

KEYS = {
    "units": "code", "roles": "code", "items": "code", "stages": "code", "variants": "code", "stage_limits": "variant", "documents": "code",
    "regions": "code", "industries": "code", "zones": "code", "users_demo": "username", "demo_projects": "number",
}  # fmt: skip
UNITS = {row["code"] for row in rows("units")}
ROLES = {row["code"] for row in rows("roles")}
ITEMS = {row["code"]: row for row in rows("items")}


@pytest.mark.parametrize(("name", "key"), KEYS.items())
def test_codes_are_unique_and_every_row_is_named(name: str, key: str) -> None:
    codes = [row[key] for row in rows(name)]
    assert codes
    assert len(codes) == len(set(codes))
    assert all(codes)
    label = {"stage_limits": "variant", "documents": "title", "users_demo": "display_name"}.get(name, "name")
    assert all(row[label].strip() for row in rows(name))


def test_rows_have_no_cell_too_many_or_too_few() -> None:
    for path in (PROCESSES / "catalogue").glob("*.csv"):
        assert not path.read_bytes().startswith(b"\xef\xbb\xbf"), path.name
        for row in rows(path.stem):
            assert None not in row, path.name
            assert None not in row.values(), path.name


def test_the_service_centre_has_27_resident_units() -> None:
    resident = [row for row in rows("units") if row["resident"] == "1"]
    assert len(resident) == 27
    assert sorted(int(row["number"]) for row in resident) == list(range(1, 28))


def test_roles_of_units_exist() -> None:
    for row in rows("units"):
        assert set(row["roles"].split()) <= ROLES


def test_stage_limits_keep_the_100_day_budget() -> None:
    """Seed A三(二)4: at most 100 working days; a stage limit is 1 to 50 days (§2.2)."""
    totals = {}
    for row in rows("stage_limits"):
        days = [int(row[stage]) for stage in ("S1", "S2", "S3", "S4") if row[stage]]
        assert all(1 <= limit <= 50 for limit in days)
        totals[int(row["variant"])] = sum(days)
        assert sum(days) == int(row["total"]) <= 100
    assert totals == {1: 100, 2: 85, 3: 75, 4: 35, 5: 50, 6: 42}


def test_items_belong_to_one_unit_and_one_stage() -> None:
    stages = {row["code"] for row in rows("stages")}
    assert len(ITEMS) == 48
    for code, row in ITEMS.items():
        assert re.fullmatch(r"[A-Z]{2}\d{2}", code)
        assert row["unit"] in UNITS
        assert row["stage"] in stages
        assert row["kind"] in {"XK", "BA", "QR", "NB", "GG", "JS", "ZJ"}
        assert row["legal_basis"]
        assert row["result_title"]
        assert row["mark"] in {"L", "M", "P"}


def test_a_promise_is_never_longer_than_the_law() -> None:
    """优化营商环境条例第三十六条: a promise shortens the statutory limit."""
    for code, row in ITEMS.items():
        assert row["promise_days"] == "" or 0 <= int(row["promise_days"]) <= 50, code
        assert bool(row["statutory_limit"]) == bool(row["statutory_unit"]), code
        if row["statutory_unit"] == "W" and row["promise_days"]:
            assert int(row["promise_days"]) <= int(row["statutory_limit"]), code


def test_milestones_of_items_and_stages_agree() -> None:
    listed = {code for row in rows("stages") for code in row["milestones"].split()}
    assert listed == {code for code, row in ITEMS.items() if row["milestone"] == "1"}
    assert all(ITEMS[code]["stage"] == row["code"] for row in rows("stages") for code in row["milestones"].split())


def test_preconditions_are_well_formed() -> None:
    others = {
        "initiation", "land_contract", "land_allocation", "land_certificate", "land_approval", "contractor", "funds", "quality_safety",
        "survey", "drawings", "members", "publicity", "stability_assessment", "HB",
    }  # fmt: skip
    for code, row in ITEMS.items():
        for rule in json.loads(row["requires"]):
            assert set(rule) == {"needs", "when", "hard", "unless", "article"} and rule["article"], code
            assert rule["needs"] in others | set(ITEMS), code
            assert rule["needs"] != code
            assert rule["when"] in {"file", "decide", "start_work"}
            assert isinstance(rule["hard"], bool)
            if rule["unless"]:
                compile_expression(rule["unless"])


def test_the_construction_permit_demands_the_six_conditions() -> None:
    """建筑法第八条."""
    needs = {rule["needs"] for rule in json.loads(ITEMS["ZJ03"]["requires"]) if rule["when"] == "decide"}
    assert {"land_approval", "ZR06", "contractor", "funds", "ZJ01", "quality_safety"} <= needs


def test_materials() -> None:
    """GB/T 39046 表4: attributes; a main document is never left for later (§2.9)."""
    for row in rows("materials"):
        assert row["item"] in ITEMS
        assert row["form"] in {"原件", "复印件", "电子"}
        assert row["necessity"] in {"必要", "非必要", "容缺后补"}
        assert row["source"] in {"申请人自备", "政府核发", "第三方"}
        assert row["commitment"] in {"", "1"}
        assert row["tolerable"] in {"", "1"}
        assert int(row["copies"]) >= 1
        assert row["instructions"]
        assert row["criteria"]
        if row["condition"]:
            compile_expression(row["condition"])
    flows = [
        "FG02",
        "FG03",
        "FG04",
        "FG05",
        "FG06",
        "ZR01",
        "ZR02",
        "ZR06",
        "ZJ01",
        "ZJ02",
        "ZJ03",
        "ZJ04",
        "ZJ05",
        "ZJ06",
        "ZJ07",
        "RF01",
        "RF02",
    ]
    for item in flows:
        assert any(row["item"] == item and row["necessity"] == "必要" and not row["condition"] for row in rows("materials")), item
    for item in ("FG02", "FG03", "FG05", "ZR01", "ZR06", "ZJ03"):
        assert any(row["item"] == item and row["necessity"] == "必要" and not row["tolerable"] for row in rows("materials")), item
    names = [(row["item"], row["name"]) for row in rows("materials")]
    assert len(names) == len(set(names))


def test_documents_are_w01_to_w34() -> None:
    assert [row["code"] for row in rows("documents")] == [f"W{number:02d}" for number in range(1, 36)]
    assert all(row["must_contain"] for row in rows("documents"))


def test_every_region_and_industry_has_its_parent() -> None:
    codes = {row["code"] for row in rows("regions")}
    assert all(row["parent"] in codes for row in rows("regions") if row["parent"])
    sections = {row["code"]: row for row in rows("industries") if row["level"] == "section"}
    assert len(sections) == 20
    for row in rows("industries"):
        if row["level"] == "class":
            section = sections[row["parent"]]
            assert re.fullmatch(r"\d{4}", row["code"])
            assert section["first_division"] <= row["code"][:2] <= section["last_division"]


def test_the_form_offers_exactly_the_industries_and_units_of_the_catalogue() -> None:
    text = json.loads((PROCESSES.parent / "forms" / "project_registration.form").read_text(encoding="utf-8"))
    offered = {option["value"] for option in _field(text, "gbhy")["values"]}
    assert offered == {row["code"] for row in rows("industries") if row["level"] == "class"}
    opinion = json.loads((PROCESSES.parent / "forms" / "review_opinion.form").read_text(encoding="utf-8"))
    names = {row["code"]: row["name"] for row in rows("units")}
    assert all(names[option["value"]] == option["label"] for option in _field(opinion, "consult_units")["values"])


def _field(parent: dict[str, object], key: str) -> dict[str, list[dict[str, str]]]:
    components = parent.get("components", [])
    assert isinstance(components, list)
    for component in components:
        if component.get("key") == key:
            found: dict[str, list[dict[str, str]]] = component
            return found
        if "components" in component and (inner := _field(component, key)):
            return inner
    return {}


def test_every_unit_that_takes_part_has_three_different_people() -> None:
    """审核 is not 经办; the demo can fill every group that a diagram or an opinion request may name."""
    people = {(row["unit"], role): row["username"] for row in rows("users_demo") for role in row["role"].split()}
    for unit in rows("units"):
        working = [people.get((unit["code"], role)) for role in ("handler", "verifier", "signer") if role in unit["roles"].split()]
        assert None not in working, unit["code"]
        assert len(set(working)) == len(working)
    needed = {
        group for path in PROCESSES.glob("*.bpmn") for group in re.findall(r'candidateGroups="([A-Z]+\.[a-z_]+)"', path.read_text("utf-8"))
    }
    assert {tuple(group.split(".")) for group in needed} <= set(people)


def test_demo_users() -> None:
    names = [row["display_name"] for row in rows("users_demo")]
    assert len(names) == len(set(names))
    assert names[:4] == ["古丽·阿不都", "马文强", "李建国", "阿依努尔"]
    for row in rows("users_demo"):
        assert re.fullmatch(r"[a-z]+", row["username"])
        assert set(row["role"].split()) <= ROLES
        assert row["kind"] in {"staff", "investor", "admin", "analyst"}
        assert (row["unit"] in UNITS) is (row["kind"] == "staff")


@pytest.mark.parametrize("project", rows("demo_projects"), ids=lambda row: row["number"])
def test_demo_project_is_a_valid_registration(project: dict[str, str]) -> None:
    """§6.4: the codes pass their check digits and the registration form accepts the data on its day."""
    data = json.loads(project["data"])
    assert mod_11_10.is_valid(project["code"].replace("-", ""))
    assert uscc.is_valid(project["uscc"])
    assert mod_11_2.is_valid(data["frzjh"])
    assert (data["xmmc"], data["xmdm"], data["jsdw"], data["jsdwdm"]) == (
        project["name"],
        project["code"],
        project["organisation"],
        project["uscc"],
    )
    stored = submit("project_registration", {"project": data}, day=project["registered_on"])["project"]
    assert set(data) <= set(stored)
    assert decide("initiation_mode", project=stored) == stored["lxlx"]
    investor = next(row for row in rows("users_demo") if row["username"] == project["applicant"])
    assert (investor["kind"], investor["uscc"]) == ("investor", project["uscc"])


def test_a_changed_check_digit_is_noticed() -> None:
    project = rows("demo_projects")[0]
    data = json.loads(project["data"])
    with pytest.raises(FormInvalid):
        submit(
            "project_registration", changed({"project": data}, {"project.jsdwdm": project["uscc"][:-1] + "A"}), day=project["registered_on"]
        )
