"""An instance's page: who may look and touch, what it shows now and at a past moment, repair, modification, suspend and cancel."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from engine import commands
from engine.policy import SYSTEM
from engine.store import inspection
from engine.store.models import element_key
from tests.webapp.office import Office, office

__all__ = ["office"]


def state_of(page: str) -> Any:
    return json.loads(re.findall(r"data-instance-state>(.*?)</script>", page)[0])


# ---------------------------------------------------------------------- who
def test_only_watchers_look_and_numbers_are_told_to_nobody_else(office: Office) -> None:
    key = office.start()
    assert office.visit("ana").get(f"/instances/{key}").status_code == 200
    assert office.visit().get("/instances/4711").status_code == 404
    for who in ("li", "muge"):
        for number in (key, 4711):
            assert office.visit(who).get(f"/instances/{number}").status_code == 403
        assert office.visit(who).get("/operations").status_code == 403
        assert office.visit(who).get("/operations/export.csv").status_code == 403


def test_an_analyst_modifies_but_does_not_cancel(office: Office) -> None:
    key = office.stuck()
    ana = office.visit("ana")
    page = ana.get(f"/instances/{key}").text
    assert "调整令牌" in page
    assert f"/instances/{key}/cancel" not in page
    assert "修复并重试" not in page
    assert "需要“流程运维”权限才能重试" in page
    assert ana.post(f"/instances/{key}/cancel", data={"reason": "试试"}).status_code == 403
    assert ana.post(f"/instances/{key}/incidents/{office.incidents(key)[0].key}").status_code == 403
    assert office.live(key) == ["x"]


def test_modeler_opens_the_instance_after_a_start(office: Office) -> None:
    key = office.start()
    assert office.visit("ana").get(f"/operate/processes/{key}").location == f"/instances/{key}"


def test_alt_k_finds_an_instance_by_its_number_for_watchers_only(office: Office) -> None:
    key = office.start()
    assert f"/instances/{key}" in office.visit("ana").get(f"/go?q={key}").text
    assert f"/instances/{key}" not in office.visit("li").get(f"/go?q={key}").text
    assert office.visit("ana").get(f"/go?q={'9' * 40}").status_code == 200


# ---------------------------------------------------------------------- look
def test_the_diagram_says_where_tokens_are_and_what_was_passed(office: Office) -> None:
    key = office.start(fee=500)
    assert state_of(office.visit().get(f"/instances/{key}").text)["tokens"] == {"fill": 1}
    office.fill(key)
    state = state_of(office.visit().get(f"/instances/{key}").text)
    assert state["tokens"] == {"sp_check": 1, "check": 1}
    assert set(state["done"]) >= {"start", "fill", "x", "f_small", "f_c1"}
    assert "f_big" not in state["done"]
    assert state["failed"] == []


def test_the_tree_nests_scopes(office: Office) -> None:
    key = office.start(fee=500)
    office.fill(key)
    page = office.visit().get(f"/instances/{key}").text
    inside = page[page.index('data-element="sp_check"') :]
    assert inside.index("<ul>") < inside.index('data-element="check"') < inside.index("</ul>")


def test_variables_of_the_chosen_scope_and_of_those_around_it(office: Office) -> None:
    key = office.start(fee=500)
    office.fill(key)
    task = office.token(key, "check")
    with office.engine.unit_of_work() as session:
        commands.set_variables(session, SYSTEM, element_key(key, task), {"hint": "看合同"}, local=True)
    page = office.visit().get(f"/instances/{key}?scope={task}").text
    assert page.index("看合同") < page.index("caseNo")
    assert office.visit().get(f"/instances/{key}?scope=99999").status_code == 404


def test_every_value_of_a_variable_with_who_wrote_it(office: Office) -> None:
    key = office.start(fee=1)
    client = office.visit()
    client.post(f"/instances/{key}/variables", data={"name": "fee", "value": "2.50"})
    page = client.get(f"/instances/{key}/variables/0/fee").text
    assert page.index("2.5") < page.index(">1<")
    assert "管理员" in page
    assert client.get(f"/instances/{key}/variables/0/nothing").status_code == 404


def test_as_it_was_at_every_moment(office: Office) -> None:
    key = office.start(fee=500)
    office.fill(key)
    with office.engine.reading() as session:
        instants = inspection.moments(session, key)
    client = office.visit()
    before = client.get(f"/instances/{key}", query_string={"at": instants[0].isoformat()}).text
    assert state_of(before)["tokens"] == {"fill": 1}
    assert "只能查看" in before
    assert f"/instances/{key}/modify" not in before
    after = client.get(f"/instances/{key}", query_string={"at": instants[-1].isoformat()}).text
    assert state_of(after)["tokens"] == {"sp_check": 1, "check": 1}
    never = client.get(f"/instances/{key}", query_string={"at": (instants[0] - timedelta(days=1)).isoformat()}).text
    assert "还没有启动" in never


def test_an_incident_is_seen_at_the_moment_when_it_was_open(office: Office) -> None:
    key = office.stuck()
    client = office.visit()
    with office.engine.reading() as session:
        stuck_at = inspection.moments(session, key)[-1].isoformat()
    client.post(f"/instances/{key}/incidents/{office.incidents(key)[0].key}", data={"name": "fee", "value": "2000"})
    past = client.get(f"/instances/{key}", query_string={"at": stuck_at}).text
    assert state_of(past)["failed"] == ["x"]
    assert "分支条件出错" in past
    assert "修复并重试" not in past
    now = client.get(f"/instances/{key}?tab=incidents").text
    assert state_of(now)["failed"] == []
    assert "已处理" in now


def test_what_people_write_cannot_become_markup(office: Office) -> None:
    key = office.start(fee="</script><img src=x>", **{"<b>name</b>": 1})
    for address in ("", "/modify", "/variables/0/fee"):
        page = office.visit().get(f"/instances/{key}{address}").text
        assert "<img src=x>" not in page
        assert "<b>name</b>" not in page


@pytest.mark.parametrize("address", ["?at=yesterday", "?tab=nonsense", "?at=2022-13-01T00:00:00"])
def test_addresses_that_mean_nothing_are_refused(office: Office, address: str) -> None:
    assert office.visit().get(f"/instances/{office.start()}{address}").status_code in (404, 422)


@pytest.mark.parametrize("tab", ["variables", "incidents", "work", "messages", "decisions", "calls", "audit"])
def test_every_tab_says_so_when_it_is_empty_or_shows_what_there_is(office: Office, tab: str) -> None:
    key = office.start(fee=500)
    expected = {"variables": "caseNo", "incidents": "没有异常", "work": "填报费用", "messages": "没有在等待消息"}
    expected |= {"decisions": "还没有决策记录", "calls": "没有上下级流程", "audit": "启动流程"}
    assert expected[tab] in office.visit("ana").get(f"/instances/{key}/part/body?tab={tab}").text


# ---------------------------------------------------------------------- repair
def test_an_incident_names_expression_and_values_and_is_fixed_and_retried_in_one_form(office: Office) -> None:
    key = office.stuck()
    (incident,) = office.incidents(key)
    client = office.visit()
    page = client.get(f"/instances/{key}").text
    for words in ("分支条件出错", "fee &gt; 1000", 'name="name" value="fee"', "修复并重试"):
        assert words in page
    answer = client.post(f"/instances/{key}/incidents/{incident.key}", data={"name": "fee", "value": "2000", "scope": str(key)})
    assert answer.status_code == 302
    assert office.live(key) == ["big"]
    assert office.variables(key)["fee"] == 2000
    assert office.actions(key)[:2] == ["处理异常", "修改变量"]


def test_a_retry_that_fails_again_says_so(office: Office) -> None:
    key = office.stuck()
    (incident,) = office.incidents(key)
    answer = office.visit().post(f"/instances/{key}/incidents/{incident.key}", data={"name": ""}, follow_redirects=True)
    assert "又出现了异常" in answer.text
    assert len(office.incidents(key)) == 1


def test_a_repair_that_cannot_be_retried_writes_no_variable(office: Office) -> None:
    key, other = office.stuck(), office.start(fee=None)
    (incident,) = office.incidents(key)
    data = {"name": "fee", "value": "2000", "scope": str(other)}
    assert office.visit().post(f"/instances/{key}/incidents/{incident.key}", data=data).status_code == 422
    assert office.visit().post(f"/instances/{key}/incidents/999", data={"name": "fee", "value": "2000"}).status_code == 404
    assert office.variables(key)["fee"] is None
    assert office.variables(other)["fee"] is None


@pytest.mark.parametrize(("value", "words"), [("新建", "第 1 行第 1 个字"), ("{", "名称要用英文双引号括起来"), ("", "这里应有一个值")])
def test_a_value_that_is_no_json_is_explained(office: Office, value: str, words: str) -> None:
    key = office.start(fee=1)
    answer = office.visit().post(f"/instances/{key}/variables", data={"name": "fee", "value": value})
    assert answer.status_code == 422
    assert words in answer.text
    assert office.variables(key)["fee"] == 1


def test_the_message_waited_for_is_published_from_here(office: Office) -> None:
    key = office.start(fee=500)
    office.fill(key)
    office.fill(key)
    assert office.live(key) == ["wait_pay"]
    client = office.visit()
    page = client.get(f"/instances/{key}?tab=messages").text
    assert "缴费到账" in page
    subscription = re.findall(rf"/instances/{key}/messages/(\d+)", page)[0]
    assert office.visit("ana").post(f"/instances/{key}/messages/{subscription}", data={"variables": ""}).status_code == 403
    assert client.post(f"/instances/{office.start()}/messages/{subscription}").status_code == 404
    client.post(f"/instances/{key}/messages/{subscription}", data={"variables": '{"paid": 500}'})
    assert office.live(key) == ["book"]
    assert office.variables(key)["paid"] == 500
    assert "fee.book" in client.get(f"/instances/{key}?tab=work").text


# ---------------------------------------------------------------------- suspend, resume, cancel
def test_suspend_resume_and_cancel_each_ask_and_keep_the_reason(office: Office) -> None:
    key = office.start(fee=500)
    client = office.visit()
    assert "任务不能提交" in client.get(f"/instances/{key}/suspend").text
    assert client.post(f"/instances/{key}/suspend", data={"reason": " "}).status_code == 422
    client.post(f"/instances/{key}/suspend", data={"reason": "等政策"})
    suspended = client.get(f"/instances/{key}").text
    assert "已暂停" in suspended
    assert f"/instances/{key}/modify" not in suspended
    assert client.get(f"/instances/{key}/modify").status_code == 409
    client.post(f"/instances/{key}/resume", data={})
    client.post(f"/instances/{key}/cancel", data={"reason": "申请人撤回"})
    assert office.live(key) == []
    page = client.get(f"/instances/{key}?tab=audit").text
    assert "理由：等政策" in page
    assert "理由：申请人撤回" in page
    assert client.get(f"/instances/{key}/modify").status_code == 409


# ---------------------------------------------------------------------- modification
def test_a_list_of_changes_is_tried_without_happening_then_applied_together(office: Office) -> None:
    key = office.start(fee=500)
    body = {
        "moveInstructions": [{"sourceElementInstruction": {"sourceElementId": "fill"}, "targetElementId": "check"}],
        "activateInstructions": [{"elementId": "big", "variableInstructions": [{"scopeId": "big", "variables": {"hint": 1}}]}],
        "variables": [{"scopeKey": str(key), "name": "fee", "value": 7}],
    }
    ana = office.visit("ana")
    outcome = ana.post(f"/instances/{key}/modify/try", json=body).get_json()
    assert {each["name"]: (each["before"], each["after"]) for each in outcome["elements"]} == {
        "填报费用": (1, 0),
        "复核": (0, 1),
        "财务复核": (0, 1),
        "领导审定": (0, 1),
    }
    assert office.live(key) == ["fill"]
    assert office.variables(key)["fee"] == 500
    assert ana.post(f"/instances/{key}/modify", json=body).status_code == 422
    assert ana.post(f"/instances/{key}/modify", json={**body, "reason": "填错流程"}).json == {"url": f"/instances/{key}"}
    assert sorted(office.live(key)) == ["big", "check", "sp_check"]
    assert office.variables(key)["fee"] == 7
    assert office.actions(key)[:2] == ["调整令牌", "修改变量"]


def test_variables_alone_are_a_change_with_a_reason_too(office: Office) -> None:
    key = office.start(fee=500)
    body = {"reason": "录入错误", "variables": [{"scopeKey": str(key), "name": "fee", "value": 50}]}
    assert office.visit("ana").post(f"/instances/{key}/modify", json=body).status_code == 200
    assert office.variables(key)["fee"] == 50
    assert "理由：录入错误" in office.visit().get(f"/operations?instance={key}").text


def test_a_refused_change_leaves_everything_as_it_was(office: Office) -> None:
    key = office.start(fee=500)
    body = {"reason": "x", "activateInstructions": [{"elementId": "start"}], "variables": [{"name": "fee", "value": 7}]}
    answer = office.visit().post(f"/instances/{key}/modify", json=body)
    assert answer.status_code == 422
    assert "不能激活 start" in answer.get_json()["detail"]
    assert office.variables(key)["fee"] == 500


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"activateInstructions": {}},
        {"variables": [{"name": "fee"}]},
        {"variables": [{"name": "fee", "value": 1, "scopeKey": "4711"}]},
        {"variables": [{"name": "#x", "value": 1}]},
        {"variables": "fee"},
        {"terminateInstructions": [{"elementId": "nothing"}]},
    ],
)
def test_malformed_changes_are_refused(office: Office, body: Any) -> None:
    key = office.start()
    answer = office.visit().post(f"/instances/{key}/modify/try", json=body)
    assert answer.status_code in (404, 409, 422)
    assert office.live(key) == ["fill"]


def test_the_page_offers_what_can_be_activated(office: Office) -> None:
    key = office.start()
    page = office.visit("ana").get(f"/instances/{key}/modify").text
    choices = {each["id"]: each for each in json.loads(re.findall(r"data-choices>(.*?)</script>", page)[0])["elements"]}
    assert choices["start"]["refused"] == "启动事件和边界事件只能由其触发器激活"
    assert not choices["check"]["refused"]
    assert [each["key"] for each in choices["fill"]["live"]] == [str(element_key(key, office.token(key, "fill")))]
    assert office.visit("li").get(f"/instances/{key}/modify").status_code == 403
