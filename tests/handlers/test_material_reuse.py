"""Given once, used by every department (R052, R064): sources, confirmation, and asking again when the source changes."""

from __future__ import annotations

import io
from typing import Any

import pytest

from engine import clock
from engine.clock import CHINA
from engine.errors import Conflict, Forbidden, NotFound
from engine.store import reads
from handlers.catalogue.service import catalogue
from handlers.licences import service as licences
from handlers.materials import service as materials
from handlers.materials.reuse import shared_types
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office
from tests.handlers.test_materials import PDF

PLAN, LAND, WARRANTY = "建设工程设计方案文本及总平面图（1:500）", "使用土地的有关证明文件", "工程质量保修书"
ANSWERS: dict[str, Any] = {"project": {}, "application": {}}


def source_of(office: Office, project_id: int, item: str, name: str) -> materials.Source:
    with office.engine.reading() as session:
        return next(one for one in materials.sources(session, project_id, item, ANSWERS) if one.wanted.name == name)


def upload(office: Office, project_id: int, name: str, content: bytes = PDF) -> None:
    with office.engine.unit_of_work() as session:
        materials.store_material(session, office.actor(SCHOOL), project_id, name, "a.pdf", io.BytesIO(content))


def confirm(office: Office, project_id: int, item: str, name: str, who: str = SCHOOL) -> int:
    with office.engine.unit_of_work() as session:
        return materials.confirm(session, office.actor(who), project_id, item, [name], ANSWERS)


def test_a_material_given_for_one_item_serves_the_next(office: Office) -> None:
    project = office.register()
    assert source_of(office, project.id, "ZJ06", WARRANTY).state == "missing"
    upload(office, project.id, WARRANTY)
    for item in ("ZJ05", "ZJ06"):
        found = source_of(office, project.id, item, WARRANTY)
        assert (found.kind, found.state) == ("material", "open") and "第 1 版" in found.label
    assert confirm(office, project.id, "ZJ06", WARRANTY) == 1
    assert source_of(office, project.id, "ZJ06", WARRANTY).state == "confirmed"
    assert source_of(office, project.id, "ZJ05", WARRANTY).state == "open"  # each item confirms for itself
    assert confirm(office, project.id, "ZJ06", WARRANTY) == 0


def test_another_version_asks_for_confirmation_again_and_the_same_content_does_not(office: Office) -> None:
    project = office.register()
    upload(office, project.id, WARRANTY)
    confirm(office, project.id, "ZJ06", WARRANTY)
    upload(office, project.id, WARRANTY)
    assert source_of(office, project.id, "ZJ06", WARRANTY).state == "confirmed"
    upload(office, project.id, WARRANTY, PDF + b"\n")
    assert source_of(office, project.id, "ZJ06", WARRANTY).state == "changed"
    assert confirm(office, project.id, "ZJ06", WARRANTY, WINDOW) == 1
    assert source_of(office, project.id, "ZJ06", WARRANTY).state == "confirmed"


def test_an_official_paper_is_taken_from_the_register_and_followed(office: Office) -> None:
    """A licence that is changed asks again; one that ended is no source any more."""
    project = office.register()
    today = clock.now().astimezone(CHINA).date()
    with office.engine.unit_of_work() as session:
        licence = licences.enter_existing(session, office.actor(WINDOW), project.id, "ZR02", "地字第652301202200099号", today)
    found = source_of(office, project.id, "ZR06", LAND)
    assert (found.kind, found.state, found.id) == ("licence", "open", licence.id) and "652301202200099" in found.label
    confirm(office, project.id, "ZR06", LAND)
    with office.engine.unit_of_work() as session:
        licences.change(session, licence.id, {"用地面积": "32000"}, reason="复测", person="lijianguo", now=clock.now())
    assert source_of(office, project.id, "ZR06", LAND).state == "changed"
    with office.engine.unit_of_work() as session:
        licences.revoke(session, licence.id, "procedure", reason="", person="ayinuer", now=clock.now())
    assert source_of(office, project.id, "ZR06", LAND).state == "missing"


def test_only_those_who_file_confirm_and_only_what_is_there(office: Office) -> None:
    project = office.register()
    upload(office, project.id, WARRANTY)
    for who, error in ((DAIRY, NotFound), ("lijianguo", Forbidden)):
        with pytest.raises(error):
            confirm(office, project.id, "ZJ06", WARRANTY, who)
    for name in (PLAN, "没有这种材料"):
        with pytest.raises(Conflict):
            confirm(office, project.id, "ZR06", name)


def test_every_official_paper_of_the_catalogue_comes_from_a_known_item() -> None:
    known = {m.name for m in catalogue().materials}
    types = {m.shared_type for m in catalogue().materials if m.source == "政府核发" and m.shared_type}
    assert types - shared_types().keys() <= known | {"规划文件"}
    assert all(code in catalogue().items for codes in shared_types().values() for code in codes)


# ---------------------------------------------------------------------- what the window and the offices see of it
def intake(office: Office, project_id: int, item: str) -> dict[str, dict[str, Any]]:
    with office.engine.reading() as session:
        return {row["name"]: row for row in materials.intake_rows(session, project_id, item, ANSWERS)}


def test_the_intake_form_tells_the_window_what_is_there_and_from_where(office: Office) -> None:
    """R052, R064: 历史复用 with the file for what was confirmed, 共享 and 免提交 with its number for what an office issued."""
    project = office.register()
    before = intake(office, project.id, "ZJ06")[WARRANTY]
    upload(office, project.id, WARRANTY)
    given = intake(office, project.id, "ZJ06")[WARRANTY]
    confirm(office, project.id, "ZJ06", WARRANTY)
    reused = intake(office, project.id, "ZJ06")[WARRANTY]
    assert [row["source"] for row in (before, given, reused)] == ["上传", "上传", "历史复用"]
    assert before["origin"] == "" and reused["origin"].startswith("a.pdf")
    with office.engine.unit_of_work() as session:
        today = clock.now().astimezone(CHINA).date()
        licences.enter_existing(session, office.actor(WINDOW), project.id, "ZR02", "地字第652301202200009号", today)
    shared = intake(office, project.id, "ZR06")[LAND]
    assert (shared["source"], shared["submitted"]) == ("共享", "已提交") and "地字第652301202200009号" in shared["origin"]


def test_what_the_offices_read_is_written_down_and_what_the_applicant_reads_is_not(office: Office) -> None:
    project = office.register()
    upload(office, project.id, PLAN)
    with office.engine.unit_of_work() as session:
        (stored,) = materials.materials_of(session, project.id)
        for who in (SCHOOL, "lijianguo"):
            materials.read_material(session, office.actor(who), stored.id)
        events = reads.audit_of_business(session, str(project.id))
        with pytest.raises(NotFound):
            materials.read_material(session, office.actor(DAIRY), stored.id)
    assert [(event.actor, event.data["item"]) for event in events if event.action == materials.READ] == [("lijianguo", PLAN)]
