"""Undoing a migration: every row as it was, unless work was done since; on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from engine import Engine, commands
from engine.bpmn.migration import Instructions
from engine.errors import Conflict, NotFound
from engine.policy import SYSTEM
from engine.store import reads
from tests.bpmn.support import END, MESSAGE, SIGNAL, START, boundary, chain, doc, el, flow, service, timer, user
from tests.migration.support import (
    CLERK,
    both_databases,
    complete,
    deploy,
    form,
    instance,
    migrate,
    open_tasks,
    rows,
    sequence,
    start,
    task,
    undo,
)


def busy(*extra: str) -> bytes:
    """A task with a timer, a message and a signal, beside a pending job."""
    body = START + user("a", "z") + service("work", "outside") + END
    body += flow("s", "a") + flow("s", "work") + chain("a", "e") + chain("work", "e") + chain("z", "e")
    return doc(body + "".join(extra))


EVENTS = (
    boundary("t", "a", timer("PT7H"))
    + boundary("m", "a", MESSAGE)
    + boundary("g", "a", SIGNAL)
    + chain("t", "z")
    + chain("m", "z")
    + chain("g", "z")
)


@both_databases
def test_undo_brings_back_every_row(engine: Engine) -> None:
    deploy(engine, busy(EVENTS))
    key = start(engine, {"key": "K", "n": 1})
    before = rows(engine, key)
    migrate(engine, key, deploy(engine, busy()), Instructions({"work": None}))
    changed = rows(engine, key)
    assert changed["message_subscription"] == changed["signal_wait"] == changed["jobs"] == [] and changed["instance"][3] is None
    undo(engine, key)
    assert rows(engine, key) == before
    with engine.reading() as session:
        states = {e.element_id: e.state for e in reads.element_history(session, key) if e.element_id in ("a", "work")}
    assert states == {"a": "ACTIVE", "work": "ACTIVE"}
    complete(engine, key, "a")


def test_a_task_opened_by_the_migration_is_closed_by_its_undoing(engine: Engine) -> None:
    def parallel(*branches: str) -> bytes:
        body = (
            START
            + el("parallelGateway", "fork")
            + el("parallelGateway", "join")
            + user(*branches)
            + END
            + chain("s", "fork")
            + chain("join", "e")
        )
        return doc(body + "".join(flow("fork", b, id=f"to_{b}") + flow(b, "join", id=f"from_{b}") for b in branches))

    deploy(engine, parallel("a", "b"))
    key = start(engine)
    before = rows(engine, key)
    target = deploy(engine, parallel("a", "b", "c"))
    migrate(engine, key, target, Instructions(branches=("c",)))
    opened = open_tasks(engine, key)["c"]
    undo(engine, key)
    assert {**rows(engine, key)} == before
    with engine.reading() as session:
        assert reads.get_task(session, opened.key).state == "CANCELED"
    migrate(engine, key, target, Instructions(branches=("c",)))
    assert open_tasks(engine, key)["c"].key != opened.key, "an id given once is never given again"
    for element in "abc":
        complete(engine, key, element)
    assert instance(engine, key).state == "COMPLETED"


def test_undo_after_work_was_done_is_refused(engine: Engine) -> None:
    deploy(engine, sequence("a", "b"))
    key = start(engine)
    migrate(engine, key, deploy(engine, sequence("a", "b", "c")))
    complete(engine, key, "a")
    with pytest.raises(Conflict, match="又有办理"):
        undo(engine, key)


def test_a_claim_since_does_not_hinder_the_undoing_and_stays(engine: Engine) -> None:
    deploy(engine, task("NEW", "f1", "审查"), form("f1"))
    key = start(engine)
    migrate(engine, key, deploy(engine, task("NEW", "f1", "复核")), Instructions(refresh_tasks=True))
    with engine.unit_of_work() as session:
        commands.claim_task(session, CLERK, open_tasks(engine, key)["a"].key)
    undo(engine, key)
    now = open_tasks(engine, key)["a"]
    assert (now.name, now.assignee) == ("审查", CLERK.username)


def test_only_what_was_migrated_can_be_undone_and_only_once(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    key = start(engine)
    with pytest.raises(NotFound):
        undo(engine, key)
    migrate(engine, key, deploy(engine, sequence("a", "b")))
    undo(engine, key)
    with pytest.raises(NotFound):
        undo(engine, key)


def test_the_migrations_of_an_instance_say_which_can_be_undone(engine: Engine) -> None:
    deploy(engine, sequence("a"))
    key = start(engine)
    for target in (sequence("a", "b"), sequence("a", "c")):
        migrate(engine, key, deploy(engine, target))

    def why() -> list[str | None]:
        with engine.reading() as session:
            return [each.why_not for each in commands.list_migrations(session, SYSTEM, key)]

    newest, older = why()
    assert newest is None and older is not None
    undo(engine, key)
    with engine.reading() as session:
        records = commands.list_migrations(session, SYSTEM, key)
    assert [(r.target.version, r.undone_by, r.why_not is None) for r in records] == [(3, "system", False), (2, None, True)]
    assert records[0].at <= (records[0].undone_at or records[0].at)
    undo(engine, key)
    assert instance(engine, key).definition_key == records[1].source.key
    complete(engine, key, "a")
    assert instance(engine, key).state == "COMPLETED"
