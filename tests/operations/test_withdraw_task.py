"""撤回: as long as what followed is untouched, and only one's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import Engine, commands, open_engine
from engine.errors import Conflict, Forbidden
from engine.jobs.registry import HandlerRegistry, JobContext
from engine.policy import SYSTEM, Actor
from engine.settings import Settings
from engine.store import models as m
from engine.store import reads
from tests.bpmn.support import END, START, chain, el, gate, io, multi, script, service, sub, timer, zeebe
from tests.operations.support import (
    ANNA,
    BERT,
    BLOCK,
    LINE,
    audited,
    both_databases,
    complete,
    deploy,
    do,
    open_ids,
    open_task,
    process,
    row,
    start,
    state,
    task,
    variables,
)


def take_back(engine: Engine, key: int, actor: Actor = ANNA) -> int:
    fresh: int = do(engine, commands.withdraw_task, actor, key)
    return fresh


@both_databases
def test_the_task_opens_again_for_the_same_person_with_what_was_submitted(engine: Engine) -> None:
    deploy(engine, process(LINE))
    key = start(engine, business_id="p1")
    done = complete(engine, "a", opinion="写错了")
    fresh = take_back(engine, done)
    assert open_ids(engine) == ["a"] and row(engine, fresh).assignee == "anna" and row(engine, done).state == "CANCELED"
    with engine.reading() as session:
        draft = reads.draft(session, fresh, "anna")
    assert draft is not None and draft.data == {"opinion": "写错了"}
    assert audited(engine, "task.withdrawn")[0].data["newTaskKey"] == str(fresh)
    for element in "abc":
        complete(engine, element)
    assert state(engine, key) == "COMPLETED"


@both_databases
def test_not_once_the_next_has_claimed_begun_or_completed(engine: Engine) -> None:
    deploy(engine, process(LINE))
    start(engine)
    done = complete(engine, "a")
    following = open_task(engine, "b").key
    do(engine, commands.claim_task, BERT, following)
    with pytest.raises(Conflict, match="签收"):
        take_back(engine, done)
    assert "签收" in str(do(engine, commands.withdrawable, ANNA, done))
    do(engine, commands.unclaim_task, BERT, following)
    assert do(engine, commands.withdrawable, ANNA, done) is None
    do(engine, commands.save_draft, BERT, following, {"opinion": "写到一半"})
    with pytest.raises(Conflict):
        take_back(engine, done)
    complete(engine, "b", BERT)
    with pytest.raises(Conflict, match="已经办理"):
        take_back(engine, done)
    assert open_ids(engine) == ["c"]


def test_only_ones_own_and_only_what_is_completed(engine: Engine) -> None:
    deploy(engine, process(LINE))
    start(engine)
    with pytest.raises(Conflict):
        take_back(engine, open_task(engine, "a").key)
    done = complete(engine, "a")
    with pytest.raises(Forbidden):
        take_back(engine, done, BERT)
    take_back(engine, done)
    with pytest.raises(Conflict):
        take_back(engine, done)


def test_over_gateways_scripts_and_waits_and_the_siblings_stay(engine: Engine) -> None:
    wait = el("intermediateCatchEvent", "w", timer("P30D"))
    body = START + task("a") + script("sc", "1", "r") + gate("f") + wait + task("b") + gate("j") + END
    body += chain("s", "a", "sc", "f", "b", "j", "e") + chain("f", "w", "j")
    deploy(engine, process(body), process(BLOCK, "block"))
    key = start(engine)
    take_back(engine, complete(engine, "a"))
    with engine.reading() as session:
        assert reads.instance(session, key).next_due_at is None, "the timer that followed is gone"
    start(engine, "block")
    complete(engine, "a")
    complete(engine, "a")
    done = complete(engine, "c1")
    assert open_ids(engine) == ["b", "b1"]
    take_back(engine, done)
    assert open_ids(engine) == ["b", "b1", "c1"]
    complete(engine, "c1")
    complete(engine, "b1")
    take_back(engine, complete(engine, "b2"))
    assert open_ids(engine) == ["b", "b2"], "the join has what c1 brought"


def test_a_subprocess_that_was_entered_counts_with_its_inside(engine: Engine) -> None:
    inner = el("startEvent", "s2") + task("i") + task("k") + el("endEvent", "e2") + chain("s2", "i", "k", "e2")
    deploy(engine, process(START + task("a") + sub("sp", inner) + END + chain("s", "a", "sp", "e")))
    start(engine)
    take_back(engine, complete(engine, "a"))
    done = complete(engine, "a")
    complete(engine, "i")
    with pytest.raises(Conflict):
        take_back(engine, done)


def test_the_last_step_of_a_subprocess_that_has_ended_stays_done(engine: Engine) -> None:
    inner = el("startEvent", "s2") + task("i") + el("endEvent", "e2") + chain("s2", "i", "e2")
    deploy(engine, process(START + sub("sp", inner) + task("z") + END + chain("s", "sp", "z", "e")))
    start(engine)
    done = complete(engine, "i")
    with pytest.raises(Conflict, match="已经结束"):
        take_back(engine, done)


def test_a_called_process_goes_while_nothing_was_done_in_it(engine: Engine) -> None:
    call = el("callActivity", "ca", zeebe('<zeebe:calledElement processId="child"/>'))
    parent = process(START + task("a") + call + END + chain("s", "a", "ca", "e"), "parent")
    deploy(engine, parent, process(START + task("x") + task("y") + END + chain("s", "x", "y", "e"), "child"))
    start(engine, "parent")
    done = complete(engine, "a")
    child = open_task(engine, "x").instance_key
    take_back(engine, done)
    assert open_ids(engine) == ["a"] and state(engine, child) == "TERMINATED"
    done = complete(engine, "a")
    complete(engine, "x")
    with pytest.raises(Conflict):
        take_back(engine, done)


def test_a_member_of_a_joint_review_takes_its_opinion_back_while_the_review_is_open(engine: Engine) -> None:
    review = task("m", extra=io({"opinion": "null"}), inner=multi(out="opinions", out_element="{unit: unit, opinion: opinion}"))
    deploy(engine, process(START + review + task("z") + END + chain("s", "m", "z", "e")))
    key = start(engine, variables={"units": ["A", "B", "C"]})
    complete(engine, "m", opinion="甲")
    done = complete(engine, "m", opinion="写错了")
    fresh = take_back(engine, done)
    assert len(open_ids(engine)) == 2
    again = do(engine, commands.complete_task, ANNA, fresh, {"opinion": "先改一次"})
    assert again is None
    do(engine, commands.complete_task, ANNA, take_back(engine, fresh), {"opinion": "乙"})
    complete(engine, "m", opinion="丙")
    assert open_ids(engine) == ["z"]
    assert variables(engine, key)["opinions"] == [{"unit": u, "opinion": o} for u, o in (("A", "甲"), ("B", "乙"), ("C", "丙"))]


def test_a_sequential_member_stays_done(engine: Engine) -> None:
    deploy(engine, process(START + task("m", inner=multi(sequential="true")) + END + chain("s", "m", "e")))
    start(engine, variables={"units": ["A", "B"]})
    with pytest.raises(Conflict):
        take_back(engine, complete(engine, "m"))


def test_an_instance_that_has_ended_stays_ended(engine: Engine) -> None:
    deploy(engine, process(START + task("a") + END + chain("s", "a", "e")))
    start(engine)
    with pytest.raises(Conflict):
        take_back(engine, complete(engine, "a"))


@pytest.fixture
def with_handlers(database_url: str, tmp_path: Path) -> Engine:
    """An engine with a transactional handler, and one whose work is done by a worker."""
    registry = HandlerRegistry()

    @registry.handler("number", transactional=True)
    def number(job: JobContext) -> dict[str, object]:
        """编号：给一个号码。"""
        return {"number": 7}

    engine = open_engine(Settings(database_url=database_url, jobs="inline", files_dir=tmp_path), registry)
    engine.create_schema()
    return engine


@both_databases
def test_what_a_handler_has_done_is_not_taken_back(with_handlers: Engine) -> None:
    engine = with_handlers
    body = START + task("a") + service("n", "number") + task("b") + service("o", "outside") + END + chain("s", "a", "n", "b", "o", "e")
    deploy(engine, process(body))
    start(engine)
    done = complete(engine, "a")
    with pytest.raises(Conflict, match="已经执行"):
        take_back(engine, done)
    done = complete(engine, "b")
    fresh = take_back(engine, done)
    with engine.reading() as session:
        assert list(session.scalars(select(m.job.c.state))) == ["CANCELED"], "nobody had begun with it"
    do(engine, commands.complete_task, ANNA, fresh, {})
    with engine.unit_of_work() as session:
        commands.activate_jobs(session, SYSTEM, "outside", worker="w", timeout=timedelta(minutes=1), limit=1)
    with pytest.raises(Conflict, match="已经开始"):
        take_back(engine, fresh)
    engine.close()
