"""退回, 撤回, 加签, 减签 and a suspended case on the task page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask

from engine import Engine, commands
from engine.policy import SYSTEM, Actor
from handlers.directory import service as directory
from tests.bpmn.support import END, START, chain
from tests.operations.support import complete, open_ids, open_task, process, task, tasks
from tests.webapp.conftest import log_in
from webapp import create_app

LI = Actor("li", frozenset({"ZRZYJ.handler"}))
LINE = START + task("a", "ZRZYJ.handler") + task("b", "ZRZYJ.handler") + task("c", "ZJJ.handler") + END + chain("s", "a", "b", "c", "e")


@pytest.fixture
def app(people: Engine) -> Flask:
    with people.unit_of_work() as session:
        directory.create_demo_user(session, "ma", "马明", "staff", [("ZRZYJ", "handler")])
        commands.deploy(session, SYSTEM, [("line.bpmn", process(LINE, returnPolicy="branch"))])
        commands.start_instance(session, SYSTEM, "p", {})
    return create_app(people)


def _page(app: Flask, username: str, address: str, status: int = 200) -> str:
    answer = log_in(app, username).get(address)
    assert answer.status_code == status
    return html.unescape(answer.text)


def _post(app: Flask, username: str, address: str, data: dict[str, Any], status: int = 302) -> Any:
    answer = log_in(app, username).post(address, data=data)
    assert answer.status_code == status, answer.text
    return answer


def _claim(engine: Engine, element: str) -> int:
    key = int(open_task(engine, element).key)
    with engine.unit_of_work() as session:
        commands.claim_task(session, LI, key)
    return key


def test_return_shows_the_steps_behind_and_the_reason_where_it_goes(app: Flask, people: Engine) -> None:
    complete(people, "a", LI)
    assert "data-return" not in _page(app, "li", f"/tasks/{open_task(people, 'b').key}"), "claim it first"
    key = _claim(people, "b")
    assert f"/tasks/{key}/return" in _page(app, "li", f"/tasks/{key}")
    page = _page(app, "li", f"/tasks/{key}/return")
    (target,) = re.findall(r'name="target"[^>]* value="([^"]+)"', page)
    assert "环节a" in page and "李建国" in page
    _post(app, "li", f"/tasks/{key}/return", {"target": target, "reason": ""}, 422)
    _post(app, "li", f"/tasks/{key}/return", {"target": "x", "reason": "退"}, 422)
    _post(app, "wang", f"/tasks/{key}/return", {"target": target, "reason": "退"}, 403)
    _post(app, "li", f"/tasks/{key}/return", {"target": target, "reason": "图纸不全"})
    assert open_ids(people) == ["a"]
    assert "李建国 退回：图纸不全" in _page(app, "li", f"/tasks/{_claim(people, 'a')}")
    assert "已取消" in _page(app, "li", f"/tasks/{key}")


def test_the_first_step_has_nothing_behind_it(app: Flask, people: Engine) -> None:
    assert "没有可以退回的环节" in _page(app, "li", f"/tasks/{_claim(people, 'a')}/return")


def test_withdraw_while_it_is_untouched(app: Flask, people: Engine) -> None:
    done = complete(people, "a", LI)
    assert f"/tasks/{done}/withdraw" in _page(app, "li", f"/tasks/{done}")
    assert "成为草稿" in _page(app, "li", f"/tasks/{done}/withdraw")
    answer = _post(app, "li", f"/tasks/{done}/withdraw", {})
    assert answer.location == f"/tasks/{open_task(people, 'a').key}"
    done = complete(people, "a", LI)
    complete(people, "b", LI)
    assert "data-withdraw" not in _page(app, "li", f"/tasks/{done}")
    assert "已经办理" in _page(app, "li", f"/tasks/{done}/withdraw")
    _post(app, "li", f"/tasks/{done}/withdraw", {}, 409)


def test_sign_and_remove(app: Flask, people: Engine) -> None:
    key = _claim(people, "a")
    page = _page(app, "li", f"/tasks/{key}/sign")
    assert 'value="user:ma">马明' in page and 'value="group:ZJJ.handler"' in page and 'value="user:li"' not in page
    _post(app, "li", f"/tasks/{key}/sign", {"when": "before", "who": ["user:ma", "group:ZJJ.handler"]})
    page = _page(app, "li", f"/tasks/{key}")
    assert "等待加签：马明" in page and "减签 马明" in page and "data-submit-form" not in page
    _post(app, "li", f"/tasks/{key}/sign", {"when": "later", "who": ["user:ma"]}, 422)
    _post(app, "li", f"/tasks/{key}/sign", {"when": "before"}, 422)
    signs = [t for t in _signs(people) if t.assignee == "ma"]
    assert "请您加签" in _page(app, "ma", f"/tasks/{signs[0].key}") and "data-sign" not in _page(app, "ma", f"/tasks/{signs[0].key}")
    answer = _post(app, "li", f"/tasks/{signs[0].key}/sign/remove", {})
    assert answer.location == f"/tasks/{key}"
    _post(app, "wang", f"/tasks/{_signs(people)[0].key}/sign/remove", {}, 403)


def test_a_suspended_case_says_so(app: Flask, people: Engine) -> None:
    key = _claim(people, "a")
    with people.unit_of_work() as session:
        commands.suspend_instance(session, SYSTEM, open_task(people, "a").instance_key, "特别程序")
    page = _page(app, "li", f"/tasks/{key}")
    assert "流程已暂停" in page and "data-sign" not in page and "办结" not in page.split("<footer")[1]
    assert "已暂停" in _page(app, "li", "/tasks?box=mine")
    _post(app, "li", f"/tasks/{key}/complete", {}, 409)


def _signs(engine: Engine) -> list[Any]:
    return [each for each in tasks(engine) if "sign" in each.properties]
