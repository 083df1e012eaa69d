"""Registration, who sees what, the project code (GB/T 40058-2021), milestones."""

from __future__ import annotations

import pytest
from stdnum.iso7064 import mod_11_10

from engine import clock
from engine.errors import Conflict, Forbidden, FormInvalid, Invalid, NotFound
from engine.policy import SYSTEM
from handlers.projects import service as projects
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office


def test_an_investor_registers_for_the_own_company(office: Office) -> None:
    project = office.register(SCHOOL)
    assert (project.applicant, project.filed_by, project.on_behalf) == (SCHOOL, SCHOOL, False)
    assert project.variant == 1 and project.variant_name == "政府投资房屋建筑类" and project.initiation_mode == "审批"
    assert "project_initiation" in office.driver.live_flows(project.id)


def test_the_window_registers_on_behalf_and_it_shows(office: Office) -> None:
    project = office.driver.register(WINDOW, office.registration(), SCHOOL)
    assert (project.applicant, project.filed_by, project.on_behalf) == (SCHOOL, WINDOW, True)
    with office.engine.reading() as session:
        assert projects.get_project(session, office.actor(SCHOOL), project.id).id == project.id


@pytest.mark.parametrize("username", ["lijianguo", "guli", "admin", "liuyang", "zhouming"])
def test_staff_never_file_in_their_own_name(office: Office, username: str) -> None:
    with pytest.raises(Forbidden):
        office.driver.register(username, office.registration())


@pytest.mark.parametrize("username", ["lijianguo", "admin", DAIRY])
def test_only_the_window_files_for_others(office: Office, username: str) -> None:
    with pytest.raises(Forbidden):
        office.driver.register(username, office.registration(), SCHOOL)


@pytest.mark.parametrize("other", ["lijianguo", "nobody-of-that-name"])
def test_the_window_files_only_for_investors(office: Office, other: str) -> None:
    with pytest.raises(Invalid):
        office.driver.register(WINDOW, office.registration(), other)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("xmmc", ""),
        ("jsdwdm", "116523010123456716"),
        ("frzjh", "652301199003071232"),
        ("xmdm", "2204-652301-04-01-123456"),
        ("sfsm", True),
        ("ztze", 1),
        ("lxrsjh", "1234"),
    ],
)
def test_wrong_values_name_the_field_and_register_nothing(office: Office, field: str, value: object) -> None:
    with office.engine.reading() as session:
        before = projects.list_projects(session, SYSTEM).total
    with pytest.raises(FormInvalid) as refused:
        office.register(**{field: value})
    assert f"project.{field}" in refused.value.errors
    with office.engine.reading() as session:
        assert projects.list_projects(session, SYSTEM).total == before


def test_a_given_code_is_kept_and_taken_once(office: Office) -> None:
    code = "2204-652301-04-01-123455"
    assert office.register(xmdm=code).code == code
    with pytest.raises(Conflict):
        office.register(xmdm=code)


def test_assigned_codes_are_valid_and_never_twice(office: Office) -> None:
    codes = [office.register().code or "" for _ in range(3)]
    assert len(set(codes)) == 3
    with office.engine.reading():
        month = clock.now().strftime("%y%m")
    for code in codes:
        assert code.startswith(f"{month}-652301-04-01-") and mod_11_10.is_valid(code.replace("-", ""))


def test_another_investor_does_not_learn_that_it_exists(office: Office) -> None:
    project = office.register(SCHOOL)
    with office.engine.reading() as session:
        for username in (SCHOOL, "lijianguo", "zhouming", "admin"):
            assert projects.get_project(session, office.actor(username), project.id).id == project.id
        for username in (DAIRY, "liuyang"):
            with pytest.raises(NotFound):
                projects.get_project(session, office.actor(username), project.id)
        assert all(line.project.applicant == DAIRY for line in projects.list_projects(session, office.actor(DAIRY)).rows)


@pytest.mark.parametrize("strange", ["0", "999999999", "abc", "1 or 1=1", "-1", "99999999999999999999"])
def test_strange_ids_are_not_found(office: Office, strange: str) -> None:
    with office.engine.reading() as session, pytest.raises(NotFound):
        projects.get_project(session, SYSTEM, strange)


def test_the_list_finds_by_name_code_company_and_stage(office: Office) -> None:
    project = office.register(xmmc="昌吉市独一无二图书馆新建工程")
    with office.engine.reading() as session:
        for word in ("独一无二", project.code or "", "昌吉市独一"):
            assert [line.project.id for line in projects.list_projects(session, SYSTEM, q=word).rows] == [project.id]
        assert projects.list_projects(session, SYSTEM, q="%").total == 0, "a wildcard is a letter like others"
        line = projects.list_projects(session, SYSTEM, q="独一无二", stage="S1", state="active").rows[0]
        assert line.stages == ("S1",) and line.open_tasks >= 1 and line.incidents == 0
        assert projects.list_projects(session, SYSTEM, q="独一无二", stage="S4").total == 0


def test_the_list_has_pages(office: Office) -> None:
    for _ in range(3):
        office.register()
    with office.engine.reading() as session:
        total = projects.list_projects(session, SYSTEM).total
        first, beyond = projects.list_projects(session, SYSTEM, page=1), projects.list_projects(session, SYSTEM, page=10_000)
    assert first.page == 1 and beyond.page == first.pages and total >= 3


def test_milestones_are_planned_from_the_registration_and_the_first_day_stays(office: Office) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session:
        started = next(m for m in projects.milestones(session, project.id) if m.code == "started")
        assert started.planned is not None and started.actual is None
        projects.record_milestone(session, project.id, "started", started.planned)
        projects.record_milestone(session, project.id, "started", started.planned.replace(year=2030))
        again = next(m for m in projects.milestones(session, project.id) if m.code == "started")
        with pytest.raises(NotFound):
            projects.record_milestone(session, project.id, "party", started.planned)
    assert again.actual == started.planned and again.delay_days == 0
