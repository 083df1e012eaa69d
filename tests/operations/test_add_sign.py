"""加签、减签: the task goes on when all signers are done; every opinion is kept, the diagram goes by the asking person's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import Engine, commands
from engine.commands import Asked
from engine.errors import Conflict, Forbidden, Invalid
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from tests.bpmn.support import END, START, boundary, chain, io, multi, timer
from tests.operations.support import (
    ANNA,
    BERT,
    LINE,
    OPERATOR,
    audited,
    both_databases,
    complete,
    deploy,
    do,
    open_ids,
    open_task,
    person,
    process,
    row,
    start,
    state,
    task,
    tasks,
    variables,
)

CARL, DORA = person("carl", "C.handler"), person("dora", "D.handler")


def ask(engine: Engine, key: int, when: str, *who: Asked, actor: Actor = ANNA) -> list[int]:
    opened: list[int] = do(engine, commands.add_sign, actor, key, when, who)
    return opened


def done(engine: Engine, key: int, actor: Actor, **data: object) -> None:
    do(engine, commands.complete_task, actor, key, data)


def test_before_the_task_waits_for_every_signer(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    asking = open_task(engine, "a").key
    carl, group = ask(engine, asking, "before", Asked(user="carl"), Asked(group="D.handler"))
    assert row(engine, carl).assignee == "carl" and row(engine, group).candidate_groups == ["D.handler"]
    assert row(engine, carl).properties["sign"] == "before" and row(engine, carl).properties["signOf"] == str(asking)
    with pytest.raises(Conflict, match="加签尚未办完"):
        done(engine, asking, ANNA, result="同意")
    with pytest.raises(Forbidden):
        done(engine, carl, BERT)
    done(engine, group, DORA, result="丁")
    with pytest.raises(Conflict):
        done(engine, asking, ANNA)
    done(engine, carl, CARL, result="不同意")
    assert variables(engine, key) == {}, "a signer's opinion decides nothing"
    done(engine, asking, ANNA, result="同意")
    assert open_ids(engine) == ["b"] and variables(engine, key) == {"result": "同意"}
    assert [row(engine, each).submission for each in (carl, group)] == [{"result": "不同意"}, {"result": "丁"}]


@both_databases
def test_after_the_diagram_goes_on_when_the_last_has_signed(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine)
    asking = open_task(engine, "a").key
    assert ask(engine, asking, "after", Asked(user="carl"), Asked(user="dora")) == []
    done(engine, asking, ANNA, result="同意")
    assert row(engine, asking).state == "COMPLETED" and row(engine, asking).completed_by == "anna"
    first, second = tasks(engine)
    assert [(t.element_id, t.properties["sign"]) for t in (first, second)] == [("a", "after")] * 2
    done(engine, second.key, DORA, result="丁")
    assert len(tasks(engine)) == 1
    done(engine, first.key, CARL, result="丙")
    assert open_ids(engine) == ["b"] and variables(engine, key) == {"result": "同意"}
    complete(engine, "b")
    complete(engine, "c")
    assert state(engine, key) == "COMPLETED"


def test_before_and_after_are_not_mixed(engine: Engine) -> None:
    deploy(engine, process(LINE))
    start(engine)
    asking = open_task(engine, "a").key
    (sign,) = ask(engine, asking, "before", Asked(user="carl"))
    with pytest.raises(Conflict):
        ask(engine, asking, "after", Asked(user="dora"))
    with pytest.raises(Conflict):
        ask(engine, sign, "before", Asked(user="dora"), actor=CARL)
    done(engine, sign, CARL)
    ask(engine, asking, "after", Asked(user="dora"))
    with pytest.raises(Conflict):
        ask(engine, asking, "before", Asked(user="carl"))


@both_databases
def test_taking_the_last_signer_away_lets_the_task_go_on(engine: Engine) -> None:
    deploy(engine, process(LINE))
    start(engine)
    asking = open_task(engine, "a").key
    carl, dora = ask(engine, asking, "before", Asked(user="carl"), Asked(user="dora"))
    with pytest.raises(Forbidden):
        do(engine, commands.remove_sign, CARL, carl)
    do(engine, commands.remove_sign, ANNA, carl, reason="出差")
    assert row(engine, carl).state == "CANCELED"
    with pytest.raises(Conflict):
        done(engine, asking, ANNA)
    do(engine, commands.remove_sign, OPERATOR, dora)
    done(engine, asking, ANNA)
    assert open_ids(engine) == ["b"]
    assert [e.data["who"] for e in audited(engine, "task.sign_removed")] == ["carl", "dora"]
    with pytest.raises(Conflict):
        do(engine, commands.remove_sign, OPERATOR, open_task(engine, "b").key)


def test_a_request_to_sign_afterwards_can_be_dropped_and_an_open_one_removed(engine: Engine) -> None:
    deploy(engine, process(LINE))
    start(engine)
    asking = open_task(engine, "a").key
    ask(engine, asking, "after", Asked(user="carl"), Asked(user="dora"))
    do(engine, commands.remove_sign, ANNA, asking, asked=Asked(user="dora"))
    with pytest.raises(Conflict):
        do(engine, commands.remove_sign, ANNA, asking, asked=Asked(user="dora"))
    done(engine, asking, ANNA)
    (sign,) = tasks(engine)
    assert sign.assignee == "carl"
    do(engine, commands.remove_sign, ANNA, sign.key)
    assert open_ids(engine) == ["b"]


def test_signers_go_with_the_task(engine: Engine) -> None:
    body = START + task("a") + boundary("t", "a", timer("PT1H")) + task("late") + END + chain("s", "a", "e") + chain("t", "late", "e")
    deploy(engine, process(body))
    start(engine)
    ask(engine, open_task(engine, "a").key, "before", Asked(user="carl"))
    with engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    engine.run_due()
    assert open_ids(engine) == ["late"]


def test_signers_of_a_member_see_its_item_and_the_others_go_on(engine: Engine) -> None:
    review = task("m", extra=io({"opinion": "null"}), inner=multi(out="opinions", out_element="opinion"), unit="=unit")
    deploy(engine, process(START + review + task("z") + END + chain("s", "m", "z", "e")))
    key = start(engine, variables={"units": ["A", "B"]})
    first, second = tasks(engine)
    (sign,) = ask(engine, first.key, "before", Asked(user="carl"))
    assert row(engine, sign).properties["unit"] == "A"
    done(engine, second.key, ANNA, opinion="乙")
    done(engine, sign, CARL, opinion="旁观")
    done(engine, first.key, ANNA, opinion="甲")
    assert open_ids(engine) == ["z"] and variables(engine, key)["opinions"] == ["甲", "乙"]


@both_databases
def test_return_and_withdrawal_with_signatures(engine: Engine) -> None:
    deploy(engine, process(LINE, returnPolicy="branch"))
    start(engine)
    complete(engine, "a")
    asking = open_task(engine, "b").key
    (sign,) = ask(engine, asking, "before", Asked(user="carl"))
    with pytest.raises(Conflict, match="加签"):
        do(engine, commands.return_task, CARL, sign, "a", reason="x")
    do(engine, commands.return_task, ANNA, asking, "a", reason="x")
    assert open_ids(engine) == ["a"] and row(engine, sign).state == "CANCELED"
    complete(engine, "a")
    asking = open_task(engine, "b").key
    ask(engine, asking, "after", Asked(user="carl"))
    done(engine, asking, ANNA)
    (waiting,) = tasks(engine)
    do(engine, commands.withdraw_task, ANNA, asking)
    assert row(engine, waiting.key).state == "CANCELED" and open_ids(engine) == ["b"]
    asking = open_task(engine, "b").key
    ask(engine, asking, "after", Asked(user="carl"))
    done(engine, asking, ANNA)
    (sign_task,) = tasks(engine)
    done(engine, sign_task.key, CARL)
    for key, actor in ((asking, ANNA), (sign_task.key, CARL)):
        with pytest.raises(Conflict):
            do(engine, commands.withdraw_task, actor, key)


def test_who_may_ask_whom(engine: Engine) -> None:
    deploy(engine, process(LINE))
    start(engine)
    asking = open_task(engine, "a").key
    with pytest.raises(Forbidden):
        ask(engine, asking, "before", Asked(user="dora"), actor=CARL)
    for who in ((), (Asked(),), (Asked("carl", "D.handler"),), (Asked("anna"),), (Asked("carl"), Asked("carl")), (Asked("x" * 101),)):
        with pytest.raises(Invalid):
            ask(engine, asking, "before", *who)
    with pytest.raises(Invalid):
        ask(engine, asking, "after", *(Asked(f"u{number}") for number in range(21)))
    with engine.reading() as session:
        assert session.execute(select(m.audit_event).where(m.audit_event.c.action == "task.sign_added")).first() is None
