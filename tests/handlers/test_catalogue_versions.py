"""清单化管理 (R059): an edit of the catalogue makes a new version; projects keep the one of the day of their registration."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.commands import deploy
from handlers.catalogue import service as catalogues
from handlers.guide import service as guide
from handlers.materials import service as materials
from handlers.preconditions import service as preconditions
from handlers.projects import service as projects
from handlers.projects.models import ProjectRow
from tests.handlers.conftest import Office
from tests.handlers.item_flow import at

ANSWERS = {"project": {"tzly": "政府投资", "gcfl": "房屋建筑"}, "application": {}}
ITEM, NEW_MATERIAL = "ZR06", "建筑垃圾处置方案"

Edit = Callable[[list[dict[str, str]]], None]


def edited(folder: Path, table: str, edit: Edit) -> None:
    """Change the rows of a table of the catalogue in a folder."""
    path = folder / f"{table}.csv"
    rows = catalogues.read_table(table, folder)
    edit(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def demand_more(rows: list[dict[str, str]]) -> None:
    first = next(row for row in rows if row["item"] == ITEM)
    rows.append(first | {"name": NEW_MATERIAL, "necessity": "必要", "condition": "", "shared_type": "", "source": "申请人自备"})


def rename_and_free(rows: list[dict[str, str]]) -> None:
    (row,) = [row for row in rows if row["code"] == ITEM]
    row["name"], row["requires"] = "建设工程规划许可（新）", "[]"


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Put an edited catalogue in force, as a new release of the program does."""

    def install() -> None:
        folder = tmp_path / "catalogue"
        shutil.copytree(catalogues.FOLDER, folder)
        edited(folder, "materials", demand_more)
        edited(folder, "items", rename_and_free)
        monkeypatch.setattr(catalogues, "FOLDER", folder)

    yield install


def listed(office: Office, project: projects.Project) -> tuple[str, set[str], set[str], int]:
    """Of the item: its name, what intake and guide demand, and how many preconditions it has."""
    with office.engine.reading() as session:
        known = projects.catalogue_of(session, project.id)
        facts = preconditions.facts(session, project.id)
        intake = {row["name"] for row in materials.intake_rows(session, project.id, ITEM, ANSWERS)}
        answers: dict[str, object] = {"project": project.data, "application": {}}
        while (question := guide.next_question(answers)) is not None:
            answers = guide.answer(answers, question.code, 0)
        (told,) = [one for one in guide.needed(session, answers, project) if one.item.code == ITEM]
        env = preconditions.feel_environment(session)
        edges = [one for when in preconditions.ACTIONS for one in preconditions.check(ITEM, when, facts, env, known)]
    assert told.item.name == known.item(ITEM).name
    return told.item.name, intake, {one.wanted.name for one in told.materials}, len(edges)


def test_an_edit_of_the_catalogue_makes_a_new_version_and_running_projects_keep_theirs(office: Office, release: Callable[[], None]) -> None:
    old = office.register()
    before = listed(office, old)
    assert before[3] > 0 and NEW_MATERIAL not in before[1] | before[2]
    release()
    new = office.register()
    name, intake, told, edges = listed(office, new)
    assert name == "建设工程规划许可（新）" and NEW_MATERIAL in intake & told and edges == 0
    assert listed(office, old) == before
    with office.engine.reading() as session:
        kept, other = (projects.catalogue_version(session, project.id) for project in (old, new))
        assert kept is not None and other is not None and kept.digest != other.digest and kept.at <= old.registered_at <= other.at


def test_projects_of_one_catalogue_share_its_version(office: Office) -> None:
    first, second = office.register(), office.register()
    with office.engine.reading() as session:
        versions = {projects.catalogue_version(session, project.id) for project in (first, second)}
    assert len(versions) == 1 and None not in versions


def test_a_project_of_before_versions_goes_by_today_s_catalogue(office: Office, release: Callable[[], None]) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session:
        row = session.get(ProjectRow, project.id)
        assert row is not None
        row.catalogue_version = None
    release()
    assert NEW_MATERIAL in listed(office, project)[1]
    with office.engine.reading() as session:
        assert projects.catalogue_version(session, project.id) is None


def test_a_new_version_of_the_decision_on_items_is_for_later_projects(office: Office) -> None:
    """Which items a project needs is a decision table: it, too, is taken as of the registration."""
    old = office.register()
    path = catalogues.FOLDER.parent / "required_items.dmn"
    text = path.read_text(encoding="utf-8")
    changed = text.replace(f'"{ITEM}"', '"ZR07"') if f'"{ITEM}"' in text else text.replace(ITEM, "ZR07")
    assert changed != text
    office.driver.move_to(at("2022-04-20T11:00"))
    with office.engine.unit_of_work() as session:
        deploy(session, office.actor("liuyang"), [("required_items.dmn", changed.encode())])
    new = office.register()
    codes = []
    for project in (old, new):
        with office.engine.reading() as session:
            answers: dict[str, object] = {"project": project.data, "application": {}}
            while (question := guide.next_question(answers)) is not None:
                answers = guide.answer(answers, question.code, 0)
            codes.append({one.item.code for one in guide.needed(session, answers, project)})
    assert ITEM in codes[0] and ITEM not in codes[1]
