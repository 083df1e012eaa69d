"""Applying for items beside the main line (并行推进, domain §2.2)."""

from __future__ import annotations

import pytest

from engine.errors import Forbidden, NotFound
from handlers.cases import service as cases
from handlers.filing import service as filing
from handlers.filing.service import FilingRefused
from handlers.projects import service as projects
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office

pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True, scope="module")


def file(office: Office, username: str, project: projects.Project, item: str) -> int:
    with office.engine.unit_of_work() as session:
        return filing.file_item(session, office.actor(username), project.id, item)


def offered(office: Office, username: str, project: projects.Project) -> set[str]:
    with office.engine.reading() as session:
        return {item.code for item in filing.offered(session, office.actor(username), project.id)}


def test_the_applicant_and_the_window_may_apply_for_parallel_items_only(office: Office) -> None:
    project = office.register()
    for who in (SCHOOL, WINDOW):
        assert {"HB01", "SL01", "FG08"} <= offered(office, who, project) and "ZR06" not in offered(office, who, project)
    assert offered(office, "lijianguo", project) == set()
    with pytest.raises(NotFound):
        offered(office, DAIRY, project)
    with pytest.raises(Forbidden):
        file(office, "lijianguo", project, "SL01")
    with pytest.raises(FilingRefused, match="主线阶段"):
        file(office, SCHOOL, project, "ZR06")
    with pytest.raises(NotFound):
        file(office, SCHOOL, project, "XX99")


def test_an_application_opens_a_case_at_the_items_unit_once(office: Office) -> None:
    project = office.register()
    root = file(office, SCHOOL, project, "SL01")
    with office.engine.reading() as session:
        (case,) = [case for case in cases.cases_of(session, project.id) if case.root_key == root]
    assert (case.item_code, case.unit, case.status) == ("SL01", "SLJ", 1)
    assert "SL01" not in offered(office, SCHOOL, project)
    with pytest.raises(FilingRefused, match="已经申报"):
        file(office, SCHOOL, project, "SL01")
