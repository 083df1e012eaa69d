"""Who may act on a user task: the rules of engine.policy, one test a rule, and the SQL twin against them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, policy
from engine.errors import Forbidden
from engine.policy import Actor, TaskFacts
from engine.store import models as m
from engine.store import reads
from engine.store.database import Base, open_database

HANDLER = Actor("li", frozenset({"ZRZYJ.handler"}))


def test_candidate_of_the_group_may_claim_and_complete() -> None:
    task = TaskFacts(None, frozenset({"ZRZYJ.handler"}))
    assert policy.refusal(HANDLER, "claim", task) is None
    assert policy.refusal(HANDLER, "complete", task) is None


def test_other_department_may_not_even_view() -> None:
    assert policy.refusal(HANDLER, "view", TaskFacts(None, frozenset({"SLJ.handler"}))) is not None


def test_colleague_may_not_take_a_claimed_task() -> None:
    task = TaskFacts("wang", frozenset({"ZRZYJ.handler"}))
    assert policy.refusal(HANDLER, "complete", task) is not None
    assert policy.refusal(HANDLER, "view", task) is None


def test_verifier_is_not_the_handler_of_the_same_case() -> None:
    task = TaskFacts(None, frozenset({"ZRZYJ.handler"}), separate_from=frozenset({"t_review"}), doers={"t_review": frozenset({"li"})})
    assert policy.refusal(HANDLER, "complete", task) is not None
    assert policy.refusal(Actor("zhao", HANDLER.groups), "complete", task) is None


def test_nobody_decides_on_an_own_application() -> None:
    task = TaskFacts(None, frozenset({"ZRZYJ.handler"}), owner="muge")
    assert policy.refusal(Actor("li", HANDLER.groups, owns=frozenset({"muge"})), "complete", task) is not None
    assert policy.refusal(Actor("muge", HANDLER.groups), "claim", task) is not None


def test_applicants_task_is_done_by_the_applicant_or_a_representative() -> None:
    task = TaskFacts("muge", owner="muge")
    assert policy.refusal(Actor("muge"), "complete", task) is None
    assert policy.refusal(Actor("lawyer", owns=frozenset({"muge"})), "complete", task) is None
    assert policy.refusal(Actor("guli", powers=frozenset({"represent_owner"})), "complete", task) is None
    assert policy.refusal(HANDLER, "complete", task) is not None


def test_window_that_represents_owners_does_not_thereby_approve() -> None:
    window = Actor("guli", frozenset({"XZSPJ.window"}), frozenset({"represent_owner"}))
    assert policy.refusal(window, "complete", TaskFacts(None, frozenset({"ZRZYJ.signer"}), owner="muge")) is not None


def test_reader_of_everything_may_view_but_not_act() -> None:
    supervisor = Actor("zhou", powers=frozenset({"read_all"}))
    task = TaskFacts(None, frozenset({"SLJ.handler"}))
    assert policy.refusal(supervisor, "view", task) is None
    with pytest.raises(Forbidden):
        policy.check(supervisor, "complete", task)


def test_task_for_nobody_is_left_to_operators() -> None:
    assert policy.refusal(HANDLER, "complete", TaskFacts(None)) is not None
    assert policy.refusal(Actor("ops", powers=frozenset({"operate"})), "complete", TaskFacts(None)) is None


GROUPS = st.frozensets(st.sampled_from(["A.handler", "A.signer", "B.handler"]), max_size=2)
NAMES = st.sampled_from(["anna", "bert", "owner", "other"])
ACTORS = st.builds(
    Actor,
    NAMES,
    GROUPS,
    st.frozensets(st.sampled_from(["represent_owner", "read_all"]), max_size=2),
    st.frozensets(st.sampled_from(["owner", "other"]), max_size=1),
)
TASKS = st.builds(
    TaskFacts,
    st.none() | NAMES,
    st.frozensets(st.sampled_from(["A.handler", "A.signer", "B.handler"]), min_size=1, max_size=2),
    st.frozensets(NAMES, max_size=1),
    st.none() | st.sampled_from(["owner", "other"]),
)


@pytest.fixture(scope="module")
def database_session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('policy')}/policy.db")
    Base.metadata.create_all(database)
    return Session(database)


@given(actor=ACTORS, task=TASKS)
def test_sql_twin_lists_exactly_what_policy_allows(database_session: Session, actor: Actor, task: TaskFacts) -> None:
    session = database_session
    session.execute(m.user_task_candidate.delete())
    session.execute(m.user_task.delete())
    row = {
        "key": 1,
        "instance_key": 1,
        "root_key": 1,
        "definition_key": 1,
        "process_id": "p",
        "element_id": "t",
        "assignee": task.assignee,
        "owner": task.owner,
        "candidate_groups": sorted(task.candidate_groups),
        "candidate_users": sorted(task.candidate_users),
        "created_at": clock.now(),
    }
    session.execute(m.user_task.insert().values(row))
    candidates = [{"task_key": 1, "kind": "group", "name": g} for g in task.candidate_groups]
    candidates += [{"task_key": 1, "kind": "user", "name": u} for u in task.candidate_users]
    session.execute(m.user_task_candidate.insert(), candidates)
    listed = session.scalar(select(m.user_task.c.key).where(reads.may_complete(actor))) is not None
    assert listed == (policy.refusal(actor, "complete", task) is None)
