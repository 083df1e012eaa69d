"""Messages: one's own only; opening one marks it read and leads to its project."""

from __future__ import annotations

from engine import Engine
from handlers.notices import service as notices
from tests.e2e import city
from tests.webapp.conftest import Town


def send(engine: Engine, recipient: str, title: str, project: int | None = None) -> int:
    with engine.unit_of_work() as session:
        notices.send(session, [recipient], "test", title, "正文", project_id=project)
        return notices.inbox(session, city.actor(session, recipient))[0].id


def test_a_message_is_counted_shown_opened_and_leads_to_its_project(town: Town) -> None:
    number = send(town.engine, "zrzyj", "联合审查意见逾期未提交", town.project)
    clerk = town.visit("zrzyj")
    assert "消息 <b>1</b>" in clerk.get("/tasks").text
    assert "联合审查意见逾期未提交" in clerk.get("/notices?box=unread").text
    opened = clerk.post(f"/notices/{number}", data={"project": town.project})
    assert opened.headers["Location"] == f"/projects/{town.project}"
    assert "没有未读消息" in clerk.get("/notices?box=unread").text
    assert "联合审查意见逾期未提交" in clerk.get("/notices").text


def test_nobody_opens_the_messages_of_others(town: Town) -> None:
    number = send(town.engine, "zrzyj", "给自然资源局的")
    assert town.visit("zjj").post(f"/notices/{number}").status_code == 404
    assert "给自然资源局的" not in town.visit("zjj").get("/notices").text


def test_all_are_marked_read_at_once(town: Town) -> None:
    send(town.engine, "fgw", "第一条")
    send(town.engine, "fgw", "第二条")
    clerk = town.visit("fgw")
    assert clerk.post("/notices/read").status_code == 302
    assert "没有未读消息" in clerk.get("/notices?box=unread").text


def test_an_empty_inbox_says_what_would_appear(town: Town) -> None:
    assert "还没有消息" in town.visit("rfb").get("/notices").text
