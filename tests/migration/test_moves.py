"""Returning (退回) and withdrawing (撤回) after a migration: what happened before it is found under its new name, or refused."""

from __future__ import annotations

import pytest

from engine import Engine, commands
from engine.bpmn.migration import Instructions
from engine.errors import Conflict, NotFound
from engine.policy import SYSTEM
from tests.bpmn.support import END, START, chain, doc, el, flow, gate, user, zeebe
from tests.migration.support import complete, deploy, migrate, open_tasks, start

ALLOWED = zeebe('<zeebe:properties><zeebe:property name="returnPolicy" value="branch,all"/></zeebe:properties>')


def allowed(*ids: str) -> str:
    return "".join(el("userTask", id, ALLOWED) for id in ids)


def line(*ids: str) -> bytes:
    return doc(START + allowed(*ids) + END + chain("s", *ids, "e"))


def back(engine: Engine, key: int, source: str, target: str, mode: str = "all") -> None:
    with engine.unit_of_work() as session:
        commands.return_task(session, SYSTEM, open_tasks(engine, key)[source].key, target, reason="材料不齐", mode=mode)  # type: ignore[arg-type]


def test_back_to_a_step_that_was_renamed(engine: Engine) -> None:
    deploy(engine, line("a", "b", "c"))
    key = start(engine)
    complete(engine, key, "a")
    complete(engine, key, "b")
    migrate(engine, key, deploy(engine, line("a", "b2", "c")), Instructions({"b": "b2"}))
    back(engine, key, "c", "b2")
    assert list(open_tasks(engine, key)) == ["b2"]


def test_back_to_a_step_that_is_gone_is_refused(engine: Engine) -> None:
    deploy(engine, line("a", "b", "c"))
    key = start(engine)
    complete(engine, key, "a")
    complete(engine, key, "b")
    migrate(engine, key, deploy(engine, line("a", "c")))
    with pytest.raises(NotFound):
        back(engine, key, "c", "b")
    back(engine, key, "c", "a")
    complete(engine, key, "a")
    assert list(open_tasks(engine, key)) == ["c"]


def joined(gateway: str, *branches: str) -> bytes:
    body = START + gate("fork") + gate(gateway) + END + allowed(*branches, "last") + chain("s", "fork") + chain(gateway, "last", "e")
    return doc(body + "".join(flow("fork", b) + flow(b, gateway) for b in branches))


def test_back_through_a_join_gives_the_others_tokens_back_under_the_new_flows(engine: Engine) -> None:
    deploy(engine, joined("join", "a", "b"))
    key = start(engine)
    complete(engine, key, "a")
    complete(engine, key, "b")
    migrate(engine, key, deploy(engine, joined("join", "a", "b")))
    back(engine, key, "last", "a")
    assert list(open_tasks(engine, key)) == ["a"]
    complete(engine, key, "a")
    assert list(open_tasks(engine, key)) == ["last"]


def test_back_through_a_join_that_is_gone_is_refused(engine: Engine) -> None:
    deploy(engine, joined("join", "a", "b"))
    key = start(engine)
    complete(engine, key, "a")
    complete(engine, key, "b")
    after = doc(START + allowed("a", "b", "last") + END + chain("s", "a", "b", "last", "e"))
    migrate(engine, key, deploy(engine, after))
    with pytest.raises(Conflict):
        back(engine, key, "last", "a")
    assert list(open_tasks(engine, key)) == ["last"]


def test_a_task_completed_before_the_migration_can_be_withdrawn_after_it(engine: Engine) -> None:
    deploy(engine, line("a", "b"))
    key = start(engine)
    done = open_tasks(engine, key)["a"].key
    complete(engine, key, "a", SYSTEM)
    migrate(
        engine, key, deploy(engine, doc(START + user("a2") + allowed("b") + END + chain("s", "a2", "b", "e"))), Instructions({"a": "a2"})
    )
    with engine.unit_of_work() as session:
        commands.withdraw_task(session, SYSTEM, done)
    assert list(open_tasks(engine, key)) == ["a2"]
