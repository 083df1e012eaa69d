"""What runs on a version: heat and counts, the list with its filters, operations on many instances; who may."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.store import reads
from tests.webapp.conftest import log_in
from tests.webapp.versions import MIGRATE, NEW, OLD, RUNS, add_watchers, complete, deploy, start

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def keys(people: Engine) -> list[int]:
    """Four instances of v1: two at 填报, one at 审查, one of them suspended; v2 is deployed."""
    add_watchers(people)
    deploy(people, OLD)
    found = [*start(people, 3), *start(people, 1, business_id="XM-7")]
    complete(people, found[2])
    with people.unit_of_work() as session:
        commands.suspend_instance(session, SYSTEM, found[1], "等材料")
    deploy(people, NEW)
    return found


def listed(client: FlaskClient, query: str) -> list[int]:
    text = client.get(f"{RUNS}?version=1{query}").get_data(as_text=True)
    return [int(key) for key in re.findall(r'name="key" value="(\d+)"', text)]


def states(engine: Engine, keys: list[int]) -> list[str]:
    with engine.reading() as session:
        rows = [reads.instance(session, key) for key in keys]
    return ["SUSPENDED" if row.suspended_at and row.state == "ACTIVE" else row.state for row in rows]


def test_heat_counts_and_durations(app: Flask, keys: list[int]) -> None:
    text = log_in(app, "ducha").get(f"{RUNS}?version=1").get_data(as_text=True)
    heat = json.loads(re.findall(r"data-heat>(.*?)</script>", text)[0])
    assert heat["now"] == {"apply": [3, "3"], "review": [1, "1"]}
    assert heat["total"]["apply"] == [4, "4"] and heat["incidents"] == {}
    assert "办理中 4" in text and "填报" in text and "XM-7" in text
    assert 'name="key"' not in text, "who may only look selects nothing"


def test_the_newest_version_unless_asked_otherwise(app: Flask, keys: list[int]) -> None:
    visitor = log_in(app, "fenxi")
    assert "这个版本还没有实例" in visitor.get(RUNS).get_data(as_text=True)
    assert visitor.get(f"{RUNS}?version=9").status_code == 404
    assert visitor.get("/definitions/processes/nowhere/runs").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("&sort=oldest", [0, 1, 2, 3]),
        ("&state=SUSPENDED", [1]),
        ("&state=unknown&sort=unknown&page=900", [3, 2, 1, 0]),
        ("&element=review", [2]),
        ("&q=XM-7", [3]),
        ("&incident=1", []),
        ("&q=%25", []),
    ],
)
def test_filters(app: Flask, keys: list[int], query: str, expected: list[int]) -> None:
    assert listed(log_in(app, "fenxi"), query) == [keys[number] for number in expected]


def test_an_operation_on_the_selected_ones_is_confirmed_and_begun_with_a_reason(app: Flask, people: Engine, keys: list[int]) -> None:
    operator = log_in(app, "yunwei")
    page = operator.get(f"{RUNS}/batch?version=1&kind=cancel&key={keys[0]}&key={keys[3]}").get_data(as_text=True)
    assert "共 2 个流程实例" in page and "终止后不能恢复" in page
    form = {"version": "1", "kind": "cancel", "key": [str(keys[0]), str(keys[3])]}
    refused = operator.post(f"{RUNS}/batch", data=form | {"reason": " "})
    assert refused.status_code == 422 and "批处理必须填写理由" in refused.get_data(as_text=True)
    assert states(people, keys) == ["ACTIVE", "SUSPENDED", "ACTIVE", "ACTIVE"]
    begun = operator.post(f"{RUNS}/batch", data=form | {"reason": "重复申报"})
    assert begun.status_code == 302 and "/batches/" in begun.location
    assert states(people, keys) == ["TERMINATED", "SUSPENDED", "ACTIVE", "TERMINATED"]


def test_all_that_match_means_the_filter_not_the_page(app: Flask, people: Engine, keys: list[int]) -> None:
    operator = log_in(app, "yunwei")
    form = {"version": "1", "kind": "suspend", "all": "1", "state": "ACTIVE", "element": "apply", "key": str(keys[2]), "reason": "核查"}
    assert operator.post(f"{RUNS}/batch", data=form).status_code == 302
    assert states(people, keys) == ["SUSPENDED", "SUSPENDED", "ACTIVE", "SUSPENDED"]
    assert operator.post(f"{RUNS}/batch", data={"version": "1", "kind": "resume", "all": "1", "reason": "好了"}).status_code == 302
    assert set(states(people, keys)) == {"ACTIVE"}


def test_instances_of_another_version_cannot_be_slipped_in(app: Flask, people: Engine, keys: list[int]) -> None:
    operator = log_in(app, "yunwei")
    form = {"version": "2", "kind": "cancel", "key": str(keys[0]), "reason": "x"}
    assert operator.post(f"{RUNS}/batch", data=form).status_code == 422
    assert "没有选中实例" in operator.get(f"{RUNS}/batch?version=2&kind=cancel&key={keys[0]}").get_data(as_text=True)
    assert states(people, keys)[0] == "ACTIVE"


def test_migrating_goes_to_its_own_screen_with_the_selection(app: Flask, keys: list[int]) -> None:
    answer = log_in(app, "fenxi").get(f"{RUNS}/batch?version=1&kind=migrate&key={keys[0]}&key={keys[1]}")
    assert answer.location == f"{MIGRATE}?version=1&key={keys[0]}&key={keys[1]}"


def test_who_may_look_and_who_may_operate(app: Flask, people: Engine, keys: list[int]) -> None:
    for stranger in ("li", "muge"):
        assert log_in(app, stranger).get(RUNS).status_code == 403
    form = {"version": "1", "kind": "cancel", "key": str(keys[0]), "reason": "x"}
    for watcher in ("fenxi", "ducha"):
        visitor = log_in(app, watcher)
        assert visitor.get(RUNS).status_code == 200
        assert visitor.get(f"{RUNS}/batch?version=1&kind=cancel&key={keys[0]}").status_code == 403
        assert visitor.post(f"{RUNS}/batch", data=form).status_code == 403
    assert log_in(app, "yunwei").get(f"{RUNS}/batch?version=1&kind=format_disk&key={keys[0]}").status_code == 404
    assert states(people, keys)[0] == "ACTIVE"


def test_another_site_cannot_begin_a_batch(app: Flask, people: Engine, keys: list[int]) -> None:
    form = {"version": "1", "kind": "cancel", "key": str(keys[0]), "reason": "x"}
    answer = log_in(app, "yunwei").post(f"{RUNS}/batch", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, states(people, keys)[0]) == (403, "ACTIVE")
