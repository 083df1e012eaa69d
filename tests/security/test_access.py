"""Who may see and do what, tried on the real screens and commands over a running joint review, on both databases."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import Invalid
from engine.store import reads
from handlers.cases import service as cases
from handlers.directory import service as directory
from handlers.documents import service as documents
from handlers.materials import service as materials
from tests.e2e import city
from tests.pdf import pdf
from tests.security.walk import SAFE, asks
from tests.webapp.conftest import Town

PDF = pdf()


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


# ---------------------------------------------------------------------- tasks
def _joint_review(town: Town, unit: str) -> int:
    with town.engine.reading() as session:
        tasks = reads.tasks_of_business(session, str(town.project))
    return next(int(task.key) for task in tasks if task.element_id == "mi_review" and f"{unit}.handler" in task.candidate_groups)


@pytest.mark.parametrize("part", ["", "/pane", "/others", "/opinions", "/steps", "?tab=decisions", "?tab=materials"])
def test_a_foreign_task_does_not_exist_for_an_applicant(town: Town, rival: str, part: str) -> None:
    assert town.visit(rival).get(f"/tasks/{_joint_review(town, 'SLJ')}{part}").status_code == 404


@pytest.mark.parametrize("action", ["claim", "release", "draft", "complete", "materials"])
def test_a_foreign_task_cannot_be_touched_and_its_number_not_guessed(town: Town, rival: str, action: str) -> None:
    client, headers = town.visit(rival), {"Accept": "application/json"}
    real = client.post(f"/tasks/{_joint_review(town, 'SLJ')}/{action}", json={"data": {}}, headers=headers)
    made_up = client.post(f"/tasks/999999999/{action}", json={"data": {}}, headers=headers)
    assert (real.status_code, made_up.status_code) == (404, 404)
    assert real.get_json().keys() == made_up.get_json().keys()


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("GET", "", None),
        ("GET", "/form", None),
        ("PATCH", "", {"changeset": {"priority": 3}}),
        ("POST", "/completion", {}),
        ("POST", "/assignment", {"assignee": "rival"}),
        ("DELETE", "/assignee", None),
    ],
)
def test_a_foreign_task_does_not_exist_for_an_applicants_program(
    town: Town, rival: str, method: str, part: str, body: dict[str, object] | None
) -> None:
    client = town.visit(rival)
    real, made_up = (
        client.open(f"/v2/user-tasks/{key}{part}", method=method, json=body) for key in (_joint_review(town, "SLJ"), 999_999_999)
    )
    assert (real.status_code, made_up.status_code) == (404, 404)
    assert {**real.get_json(), "detail": "", "instance": ""} == {**made_up.get_json(), "detail": "", "instance": ""}


def test_who_has_an_account_is_told_only_to_whoever_may_assign(town: Town) -> None:
    key, client = _joint_review(town, "SLJ"), town.visit("slj")
    answers = [client.post(f"/v2/user-tasks/{key}/assignment", json={"assignee": name}) for name in ("jtysj", "nobody")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].get_json()["detail"] == answers[1].get_json()["detail"]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/v2/process-instances/search", "variables"),
        ("/v2/user-tasks/search", "processInstanceVariables"),
        ("/v2/user-tasks/search", "localVariables"),
    ],
)
def test_an_applicant_cannot_ask_for_variables_letter_by_letter(town: Town, address: str, field: str) -> None:
    asked = {field: [{"name": "reviewOpinions", "value": {"$like": "*距交叉口*"}}]}
    client = town.visit(city.APPLICANT)
    assert client.post(address, json={"filter": {}}).get_json()["items"], "the own case is found"
    for filters in (asked, {"$or": [{"state": "ACTIVE"}, asked]}, {"$or": [asked]}):
        assert client.post(address, json={"filter": filters}).status_code in {400, 403}
    assert client.post(address, json={"filter": asked}).status_code == 403


def test_a_foreign_task_beside_the_work_list_does_not_exist_either(town: Town, rival: str) -> None:
    assert town.visit(rival).get(f"/tasks?task={_joint_review(town, 'SLJ')}").status_code == 404


@pytest.mark.parametrize("part", ["", "/others", "/steps", "/opinions"])
def test_the_applicant_follows_an_offices_task_without_what_was_said(town: Town, part: str) -> None:
    for unit in ("SLJ", "ZJJ"):  # 住建局 has objected
        page = town.visit(city.APPLICANT).get(f"/tasks/{_joint_review(town, unit)}{part}")
        assert page.status_code == 200
        assert "不同意" not in page.get_data(as_text=True) and "主出入口" not in page.get_data(as_text=True)


@pytest.mark.parametrize("tab", ["board", "cases", "history", "materials", "diagram"])
def test_the_applicants_project_page_does_not_tell_what_a_unit_said(town: Town, tab: str) -> None:
    page = town.visit(city.APPLICANT).get(f"/projects/{town.project}?tab={tab}").get_data(as_text=True)
    assert "不同意" not in page and "主出入口" not in page


@pytest.mark.parametrize("part", ["", "?tab=history", "/rail", "/lanes", "/side", "/reviews"])
def test_a_foreign_project_does_not_exist_for_an_applicant(town: Town, rival: str, part: str) -> None:
    assert town.visit(rival).get(f"/projects/{town.project}{part}").status_code == 404


def test_an_applicant_gets_the_diagrams_of_the_own_projects_only(town: Town, rival: str) -> None:
    with town.engine.reading() as session:
        used = reads.get_task(session, _joint_review(town, "SLJ")).definition_key
    address = f"/diagrams/{used}.bpmn"
    assert town.visit(city.APPLICANT).get(address).status_code == 200
    assert town.visit("slj").get(address).status_code == 200
    assert town.visit(rival).get(address).status_code == 404


# ---------------------------------------------------------------------- every address
MADE_UP = 999_999
OWN_OR_NOTHING = {"GET /operate/processes/<key:instance>", "POST /notices/<row:notice_id>"}
"""Sends on to the instance's page, which asks who looks; marks the notice as read if it is one's own."""


def _numbers(town: Town) -> dict[str, int]:
    """A number of the school's, or of what runs for it, for every place that an address may have."""
    key = _joint_review(town, "SLJ")
    with town.engine.reading() as session:
        task = reads.get_task(session, key)
        document = documents.documents_of(session, town.project)[0]
        case = cases.cases_of(session, town.project)[0]
    instance = int(task.instance_key)
    return {
        "project_id": town.project,
        "document_id": document.id,
        "case_id": case.id,
        "tasks.key": key,
        "user_task_key": key,
        "element_instance_key": key,
        "instances.key": instance,
        "instance": instance,
        "process_instance_key": instance,
        "definition_key": int(task.definition_key),
        "process_definition_key": int(task.definition_key),
        "definition": int(task.definition_key),
    }


def test_no_address_tells_or_does_anything_with_the_number_of_anothers_case(town: Town, rival: str) -> None:
    """Every address that speaks of one thing by its number answers as for a number that nothing has, and never with a page or an act."""
    client, numbers = town.visit(rival), _numbers(town)
    real, made_up = asks(town.app, numbers), asks(town.app, dict.fromkeys(numbers, MADE_UP))
    for one, other in zip(real, made_up, strict=True):
        if not one.numbered:
            continue
        body: dict[str, object] | None = None if one.method in SAFE else {}
        answers = [client.open(ask.address, method=ask.method, json=body) for ask in (one, other)]
        assert answers[0].status_code == answers[1].status_code, one
        assert 400 <= answers[0].status_code < 500 or one.name in OWN_OR_NOTHING, (one, answers[0].status_code)


OWN = {"POST /language/<code>", "POST /account/sessions/<digest>/revoke", "POST /notices/read", "POST /playground"}
"""What everybody may do to their own log-in, messages and screen."""


@pytest.mark.parametrize("username", ["gsgs", "rival", "anna", "fgw_signer"])
def test_no_page_does_anything_for_whoever_has_no_business_there(town: Town, rival: str, username: str) -> None:
    """A utility whose answer is not asked for, another applicant, an analyst and another office's signer: every changing page, with the
    numbers of the school's project."""
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "anna") is None:
            directory.create_demo_user(session, "anna", "刘洋", "analyst")
    client = town.visit(username)
    for ask in asks(town.app, _numbers(town)):
        if ask.method in SAFE or ask.name.startswith(("POST /v2", "POST /log")) or ask.name in OWN:
            continue
        answer = client.open(ask.address, method=ask.method, data={})
        assert 400 <= answer.status_code < 500, (username, ask.name, answer.status_code)
