"""Input that no browser of ours sends: a clear refusal (4xx), never a crash, the same on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from engine import open_engine
from engine.store import reads
from handlers.directory import service as directory
from tests.e2e import city
from tests.snapshots import Snapshots
from tests.webapp.conftest import PASSWORD, Town, add_people, log_in
from webapp import create_app

UNREADABLE = {
    "not a number": '{"data": {"a": NaN}}',
    "infinite": '{"data": {"a": 1e999}}',
    "deep list": '{"data": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}",
    "nested over the limit": '{"data": {"a": ' + "[" * 600 + "]" * 600 + "}}",
    "beyond 64 bits": '{"data": {"a": 18446744073709551616}}',
    "4000 digits": '{"data": {"a": ' + "9" * 4000 + "}}",
    "5000 digits": '{"data": {"a": ' + "9" * 5000 + "}}",
    "half a character": '{"data": {"a": "\\ud800"}}',
    "half a character as a name": '{"data": {"\\ud800": 1}}',
    "NUL": '{"data": {"a": "\\u0000"}}',
    "no JSON": "{",
    "nothing": "",
    "not UTF-8": b'{"data": {"a": "\xff"}}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_cannot_be_stored_is_400_and_keeps_the_draft(town: Town, body: str | bytes) -> None:
    task = next(t for t in city.open_tasks(town.engine, str(town.project)) if "SLJ.handler" in t.candidate_groups)
    client = town.visit("slj")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    assert client.post(f"/tasks/{task.key}/draft", json={"data": {"kept": "typed"}}).status_code == 200
    for action in ("draft", "complete"):
        answer = client.post(f"/tasks/{task.key}/{action}", data=body, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "body_unreadable")
    assert '"kept": "typed"' in client.get(f"/tasks/{task.key}").get_data(as_text=True)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clerk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, snapshots: Snapshots) -> Iterator[FlaskClient]:
    """The browser of li, shared by the tests that change nothing."""
    with snapshots.opened(request.param, request, tmp_path_factory.mktemp("clerk"), add_people, open_engine) as (engine, _nothing):
        yield log_in(create_app(engine), "li")


@pytest.mark.parametrize(
    "path",
    ["/tasks?q=%00", "/tasks?stage=%00", "/tasks?unit=%00", "/projects?q=%00", "/projects?state=%00", "/definitions/processes/%00", "/%00"],
)
def test_nul_in_an_address_is_400(clerk: FlaskClient, path: str) -> None:
    assert clerk.get(path).status_code == 400


def test_nul_in_a_user_name_is_400(client: FlaskClient) -> None:
    assert client.post("/login", data={"username": "li\0", "password": PASSWORD}).status_code == 400


@pytest.mark.parametrize("page", ["9" * 40, "999999999999999999", "-1", "x", "1e3"])
@pytest.mark.parametrize("screen", ["/notices", "/projects", "/tasks"])
def test_a_page_that_does_not_exist_is_the_last_or_empty(clerk: FlaskClient, screen: str, page: str) -> None:
    assert clerk.get(f"{screen}?page={page}").status_code == 200


@pytest.mark.parametrize("key", [2**31, 2**63 - 1, 2**63, 10**40])
@pytest.mark.parametrize("address", ["/tasks/{}", "/projects/{}", "/documents/{}", "/materials/{}", "/diagrams/{}.bpmn"])
def test_a_key_that_no_row_can_have_is_404(clerk: FlaskClient, address: str, key: int) -> None:
    assert clerk.get(address.format(key)).status_code == 404


@pytest.fixture
def root(town: Town) -> FlaskClient:
    """An administrator's browser."""
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "root") is None:
            directory.create_demo_user(session, "root", "管理员", "admin", [("XZSPJ", "window")])
    return town.visit("root")


def test_a_number_beyond_64_bits_is_refused_by_every_page_that_takes_one(town: Town, root: FlaskClient) -> None:
    huge = "9" * 30
    instance = city.open_tasks(town.engine, str(town.project))[0].instance_key
    for address in (
        f"/document-templates/W03?version={huge}",
        f"/instances/{instance}?scope={huge}",
        f"/calendar?year={huge}",
        f"/go?q={huge}",
    ):
        assert root.get(address).status_code < 500, address
    for address, data in (
        (f"/projects/{town.project}/case-file", {"case": huge}),
        ("/document-templates/W03/take-back", {"version": huge, "based_on": "0"}),
        ("/document-templates/W03/take-back", {"version": "0", "based_on": huge}),
        ("/calendar/apply", {"year": huge, "text": "x"}),
    ):
        assert 400 <= root.post(address, data=data).status_code < 500, address


@pytest.mark.parametrize("value", ['"\\u0000"', '"\\ud800"', '{"\\ud800": 1}', "1e400", "9" * 30, "9" * 5000, "[" * 900 + "]" * 900, "NaN"])
def test_a_typed_value_that_no_database_keeps_is_refused(town: Town, root: FlaskClient, value: str) -> None:
    instance = city.open_tasks(town.engine, str(town.project))[0].instance_key
    answer = root.post(f"/instances/{instance}/variables", data={"name": "typed", "value": value})
    assert 400 <= answer.status_code < 500
    with town.engine.reading() as session:
        assert "typed" not in reads.variables(session, instance)


def test_the_playground_computes_with_more_than_can_be_stored(root: FlaskClient) -> None:
    asked = {"tab": "expression", "expression": "a > 1", "context": '{"a": 1e400}'}
    assert ">true<" in root.post("/playground", data=asked, headers={"X-Fragment": "result"}).text
    assert root.post("/playground", data=asked | {"context": '{"a": "\\ud800"}'}).status_code == 200
