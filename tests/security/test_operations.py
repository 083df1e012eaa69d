"""退回, 加签, 撤回: who may be drawn into a task, and what two clicks at the same moment come to; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from engine import Engine, commands
from engine.commands import Asked
from engine.errors import Forbidden, Invalid, LianbanError
from engine.policy import SYSTEM, Actor
from engine.settings import Settings
from handlers.directory import service as directory
from tests.bpmn.support import END, START, chain, el, zeebe
from tests.operations.support import complete, deploy, do, open_ids, open_task, process, task, tasks
from tests.webapp.conftest import log_in
from webapp import create_app
from webapp.composition import open_lianban

LI = Actor("li", frozenset({"ZRZYJ.handler"}))
LINE = START + task("a", "ZRZYJ.handler") + task("b", "ZRZYJ.handler") + task("c", "ZJJ.handler") + END + chain("s", "a", "b", "c", "e")
OWN = START + el("userTask", "a", zeebe('<zeebe:userTask/><zeebe:assignmentDefinition assignee="muge"/>'), name="填报") + END


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """li and ma of 自然资源局, wang of 住建局, lao who left, and the applicant muge; a line of three tasks."""
    engine = open_lianban(Settings(database_url=database_url, jobs="inline", files_dir=tmp_path))
    engine.create_schema()
    with engine.unit_of_work() as session:
        directory.import_units(session)
        for username, unit in (("li", "ZRZYJ"), ("ma", "ZRZYJ"), ("lao", "ZRZYJ"), ("wang", "ZJJ")):
            directory.create_demo_user(session, username, username, "staff", [(unit, "handler")])
        directory.disable_user(session, "lao")
        directory.create_demo_user(session, "muge", "牧歌", "investor", organisation="天山牧歌乳业有限公司")
        commands.deploy(session, SYSTEM, [("line.bpmn", process(LINE, returnPolicy="branch"))])
        commands.start_instance(session, SYSTEM, "p", {}, owner="muge")
    yield engine
    engine.close()


def _together(engine: Engine, count: int, command: Any, *arguments: Any, **named: Any) -> list[str]:
    """The command so many times at once -> "done" or the refusal's code, sorted."""
    start = Barrier(count)

    def run(_number: int) -> str:
        start.wait(timeout=30)
        try:
            do(engine, command, LI, *arguments, **named)
        except LianbanError as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(run, range(count)))


def test_only_active_people_of_the_offices_are_asked_to_sign(office: Engine) -> None:
    """A task given to the applicant by their name would be one of the applicant's own, to be filled in like an application."""
    key = open_task(office, "a").key
    for who in ("ghost", "muge", "lao"):
        with pytest.raises(Invalid, match="在职的部门人员"):
            do(office, commands.add_sign, LI, key, "before", [Asked(user="ma"), Asked(user=who)])
    with pytest.raises(Invalid, match="2000"):
        do(office, commands.add_sign, LI, key, "before", [Asked(user="ma")], reason="因" * 2001)
    assert do(office, commands.add_sign, LI, key, "before", [Asked(user="ma")])


def test_what_an_applicant_fills_in_is_signed_by_nobody_else(office: Engine) -> None:
    deploy(office, process(OWN + chain("s", "a", "e"), "q"))
    with office.unit_of_work() as session:
        commands.start_instance(session, SYSTEM, "q", {}, owner="muge")
    muge = Actor("muge", owns=frozenset({"muge"}))
    key = next(each.key for each in tasks(office) if each.assignee == "muge")
    with pytest.raises(Forbidden, match="不能加签"):
        do(office, commands.add_sign, muge, key, "before", [Asked(group="ZJJ.handler")])


def test_a_return_to_a_number_that_no_instance_has_is_refused(office: Engine) -> None:
    complete(office, "a", LI)
    key, client = open_task(office, "b").key, log_in(create_app(office), "li")
    for number in ("9" * 5000, "9" * 30, "٣", "-1", ""):
        answer = client.post(f"/tasks/{key}/return", data={"target": f"{number}:a:branch", "reason": "退"})
        assert answer.status_code == 422
    assert open_ids(office) == ["b"]


def test_a_double_click_returns_once(office: Engine) -> None:
    complete(office, "a", LI)
    key = open_task(office, "b").key
    assert _together(office, 3, commands.return_task, key, "a", reason="退") == ["conflict", "conflict", "done"]
    assert open_ids(office) == ["a"]


def test_a_double_click_withdraws_once(office: Engine) -> None:
    done = complete(office, "a", LI)
    assert _together(office, 3, commands.withdraw_task, done) == ["conflict", "conflict", "done"]
    assert open_ids(office) == ["a"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_double_click_asks_each_signer_once(office: Engine, when: str) -> None:
    key, who = open_task(office, "a").key, [Asked(user="ma"), Asked(group="ZJJ.handler")]
    assert _together(office, 3, commands.add_sign, key, when, who) == ["conflict", "conflict", "done"]
    if when == "after":
        complete(office, "a", LI)
    assert len([each for each in tasks(office) if "sign" in each.properties]) == 2
