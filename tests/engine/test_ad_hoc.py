"""Elements of an open ad-hoc subprocess are activated while it runs."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import Engine, commands
from engine.errors import Conflict, Forbidden, NotFound
from engine.policy import SYSTEM, Actor
from engine.store import models as m
from engine.store.models import element_key
from tests.engine.test_commands import clerk, complete, deploy, open_tasks, start, state


def activate(engine: Engine, actor: Actor, key: int, *names: str) -> None:
    with engine.unit_of_work() as session:
        commands.activate_ad_hoc(session, actor, key, {name: {} for name in names})


def test_more_may_be_activated_until_everything_is_done(engine: Engine) -> None:
    deploy(engine, "ad_hoc.bpmn")
    key = start(engine, "task_force", {"chosen": ["consult"]})
    with engine.reading() as session:
        token = session.scalar(select(m.element_event.c.token_id).where(m.element_event.c.element_id == "work"))
    work = element_key(key, token or 0)
    activate(engine, SYSTEM, work, "visit", "consult")
    assert sorted(task.element_id for task in open_tasks(engine)) == ["consult", "consult", "visit"]
    with pytest.raises(Forbidden):
        activate(engine, clerk("A.handler"), work, "visit")
    with pytest.raises(NotFound):
        activate(engine, SYSTEM, work, "visit", "nobody")
    with pytest.raises(Conflict):
        activate(engine, SYSTEM, open_tasks(engine)[0].key, "visit")
    assert len(open_tasks(engine)) == 3
    for task in open_tasks(engine):
        complete(engine, clerk("A.handler"), task.key)
    assert state(engine, key) == "COMPLETED"
    with pytest.raises((Conflict, NotFound)):
        activate(engine, SYSTEM, work, "visit")
