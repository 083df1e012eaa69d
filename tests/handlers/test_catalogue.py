"""The catalogue as the services read it; its content is tested in tests/forms_content."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import NotFound
from handlers.catalogue.service import FOLDER, catalogue


def test_stage_limits_never_exceed_the_hundred_days() -> None:
    assert all(sum(limits.values()) <= 100 for limits in catalogue().stage_limits.values())
    assert catalogue().stage_limits[1] == {"S1": 35, "S2": 25, "S3": 25, "S4": 15}


def test_a_merged_stage_has_no_limit_of_its_own() -> None:
    assert catalogue().stage_limits[4] == {"S1": 10, "S2": 15, "S4": 10}


def test_the_status_dictionary_is_the_national_one() -> None:
    statuses = catalogue().case_statuses
    assert sorted(statuses) == list(range(1, 17))
    assert {code for code, status in statuses.items() if status.ended} == {11, 12, 13}


def test_unknown_codes_are_not_found() -> None:
    with pytest.raises(NotFound):
        catalogue().item("XX99")
    with pytest.raises(NotFound):
        catalogue().document("W99")


def test_materials_depend_on_the_application() -> None:
    conditional = [m for m in catalogue().materials if m.condition]
    assert conditional, "the catalogue has no conditional material to test with"
    for material in catalogue().materials:
        always = [m.name for m in catalogue().materials_for(material.item, {}) if not m.condition]
        assert (material.name in always) == (not material.condition)


def test_a_role_cannot_be_given_the_power_to_deploy(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(FOLDER, folder)
    roles = folder / "roles.csv"
    roles.write_text(roles.read_text("utf-8").replace("represent_owner", "deploy"), "utf-8")
    with pytest.raises(ValueError, match="deploy"):
        catalogue(folder)
