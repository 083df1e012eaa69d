"""Task listeners on a real database: a claim that is corrected or denied, a completion that waits and is not lost, a cancelled task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import Engine, commands
from engine.errors import Conflict
from engine.jobs.registry import JobContext, TaskDenied
from engine.policy import SYSTEM
from engine.store import models as m
from tests.engine.test_commands import clerk, complete, deploy, start, state


def handler(engine: Engine, event: str, function: Any) -> None:
    engine.runtime.handlers.handler(f"test.{event}", transactional=True)(function)


def task(engine: Engine) -> Any:
    with engine.reading() as session:
        return session.execute(select(m.user_task)).one()


def worker_job(engine: Engine, job_type: str) -> int:
    with engine.unit_of_work() as session:
        (job,) = commands.activate_jobs(session, SYSTEM, job_type, worker="w", timeout=timedelta(minutes=1), limit=5)
        return int(job.key)


def claim(engine: Engine, name: str = "anna") -> None:
    with engine.unit_of_work() as session:
        commands.claim_task(session, clerk("A.handler", name), task(engine).key)


def test_a_claim_passes_its_listener_which_may_correct_or_deny_it(engine: Engine) -> None:
    def assigning(job: JobContext) -> dict[str, Any]:
        if job.headers["io.camunda.zeebe:assignee"] == "bert":
            raise TaskDenied("休假")
        job.corrections["priority"] = 70
        return {}

    handler(engine, "assigning", assigning)
    deploy(engine, "listened_task.bpmn")
    start(engine, "listened")
    with pytest.raises(Conflict, match="休假"):
        claim(engine, "bert")
    assert task(engine).assignee is None
    claim(engine)
    assert (task(engine).assignee, task(engine).priority) == ("anna", 70) and task(engine).claimed_at is not None


def test_an_approval_that_waits_for_a_worker_s_consent_keeps_who_gave_it(engine: Engine) -> None:
    handler(engine, "assigning", lambda _: {})
    deploy(engine, "listened_task.bpmn")
    key = start(engine, "listened")
    complete(engine, clerk("A.handler", "anna"), task(engine).key, {"opinion": "同意"})
    assert (task(engine).state, task(engine).completed_by) == ("COMPLETING", "anna")
    with pytest.raises(Conflict):
        complete(engine, clerk("A.handler", "bert"), task(engine).key, {"opinion": "不同意"})
    job = worker_job(engine, "test.completing")
    with engine.unit_of_work() as session:
        commands.complete_job(session, SYSTEM, job, {}, denied=True)
    assert (task(engine).state, task(engine).completed_by, task(engine).submission) == ("CREATED", None, None)
    complete(engine, clerk("A.handler", "bert"), task(engine).key, {"opinion": "同意"})
    job = worker_job(engine, "test.completing")
    with engine.unit_of_work() as session:
        commands.complete_job(session, SYSTEM, job, {})
    assert (task(engine).state, task(engine).completed_by) == ("COMPLETED", "bert") and state(engine, key) == "COMPLETED"
    assert task(engine).submission == {"opinion": "同意"}


def test_the_job_of_a_canceling_listener_outlives_its_task(engine: Engine) -> None:
    deploy(engine, "listened_task.bpmn")
    key = start(engine, "listened")
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, key, reason="test")
    assert task(engine).state == "CANCELED"
    job = worker_job(engine, "test.canceling")
    with engine.unit_of_work() as session:
        commands.complete_job(session, SYSTEM, job, {})
    with engine.reading() as session:
        assert list(session.scalars(select(m.job.c.state))) == ["COMPLETED"]
