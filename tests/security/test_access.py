"""Who may see and do what, tried on the real screens and commands over a running joint review, on both databases."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import Invalid
from handlers.directory import service as directory
from handlers.materials import service as materials
from tests.e2e import city
from tests.webapp.conftest import Town

PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"


@pytest.fixture(autouse=True)
def rival(town: Town) -> str:
    """An investor who has nothing to do with the school."""
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "rival") is None:
            directory.create_demo_user(session, "rival", "别家企业", "investor", organisation="别家企业有限公司")
    return "rival"


# ---------------------------------------------------------------------- materials
def test_uploads_at_the_same_moment_are_versions_of_their_own(town: Town) -> None:
    project = town.register()

    def upload(number: int) -> int:
        with town.engine.unit_of_work() as session:
            who = city.actor(session, city.APPLICANT)
            return materials.store_material(session, who, project, "总平面图", f"{number}.pdf", io.BytesIO(PDF)).version

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(upload, range(6))) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("item", ["a\0b", "a\nb", "\u202eabc", "", "x" * 201])
def test_a_material_has_a_name_that_can_be_shown_and_stored(town: Town, item: str) -> None:
    with pytest.raises(Invalid), town.engine.unit_of_work() as session:
        materials.store_material(session, city.actor(session, city.APPLICANT), town.project, item, "a.pdf", io.BytesIO(PDF))
