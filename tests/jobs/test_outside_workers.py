"""Jobs by lease for outside workers: activate, complete, fail, throw, extend; leases that run out (Camunda 8: job workers)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from engine import Engine, clock, commands
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from engine.policy import SYSTEM, Actor
from tests.bpmn.support import END, START, chain, doc, service
from tests.jobs import errands

MINUTE = timedelta(minutes=1)
PAST = timedelta(seconds=-1)


def activate(engine: Engine, worker: str = "w1", *, limit: int = 10, timeout: timedelta = MINUTE) -> list[Any]:
    with engine.unit_of_work() as session:
        return commands.activate_jobs(session, SYSTEM, errands.TYPE, worker=worker, timeout=timeout, limit=limit)


def complete(engine: Engine, key: int, variables: dict[str, Any] | None = None) -> None:
    with engine.unit_of_work() as session:
        commands.complete_job(session, SYSTEM, key, variables or {})


def fail(engine: Engine, key: int, retries: int, back_off: timedelta = timedelta(0)) -> None:
    with engine.unit_of_work() as session:
        commands.fail_job(session, SYSTEM, key, retries=retries, message="对方没有应答", back_off=back_off)


def test_activated_job_carries_what_the_worker_needs_and_completes_the_task(engine: Engine) -> None:
    (key,) = errands.start(engine)
    (job,) = activate(engine)
    assert (job.worker, job.state, job.retries, job.headers, job.variables["number"]) == ("w1", "ACTIVATED", 3, {"to": "archive"}, 0)
    complete(engine, job.key, {"answer": 42})
    assert (errands.state(engine, key), errands.ended_at(engine, key)) == ("COMPLETED", {"done"})
    ended = errands.job(engine, key)
    assert (ended.state, ended.deadline) == ("COMPLETED", None) and ended.ended_at is not None


def test_job_is_leased_to_one_worker_at_a_time(engine: Engine) -> None:
    errands.start(engine, 3)
    assert len(activate(engine, "w1", limit=2)) == 2
    assert len(activate(engine, "w2")) == 1
    assert activate(engine, "w3") == []


def test_twenty_workers_at_once_get_every_job_once(engine: Engine) -> None:
    errands.start(engine, 20)
    with ThreadPoolExecutor(10) as pool:
        taken = [job.key for jobs in pool.map(lambda n: activate(engine, f"w{n}", limit=2), range(20)) for job in jobs]
    taken += [job.key for job in activate(engine, "last")]
    assert len(taken) == len(set(taken)) == 20


def test_lease_that_ran_out_makes_the_job_free_and_the_first_report_counts(engine: Engine) -> None:
    (key,) = errands.start(engine)
    (job,) = activate(engine, "slow")
    errands.change_job(engine, job.key, deadline=clock.wall_now() + PAST)
    (again,) = activate(engine, "quick")
    assert (again.key, again.worker) == (job.key, "quick")
    complete(engine, job.key)
    with pytest.raises(Conflict):
        complete(engine, job.key)
    assert errands.ended_at(engine, key) == {"done"}


def test_extended_lease_is_kept(engine: Engine) -> None:
    errands.start(engine)
    (job,) = activate(engine)
    with engine.unit_of_work() as session:
        commands.extend_job(session, SYSTEM, job.key, timeout=timedelta(hours=2), retries=7)
    row = errands.job(engine, job.instance_key)
    assert row.retries == 7 and row.deadline > clock.wall_now() + timedelta(hours=1)


def test_lease_of_a_job_that_nobody_holds_cannot_be_extended(engine: Engine) -> None:
    (key,) = errands.start(engine)
    job = errands.job(engine, key)
    for changes in ({"timeout": MINUTE}, {}, {"timeout": timedelta(0)}, {"retries": 0}):
        with pytest.raises((Conflict, Invalid)), engine.unit_of_work() as session:
            commands.extend_job(session, SYSTEM, job.key, **changes)
    complete(engine, job.key)
    with pytest.raises(Conflict), engine.unit_of_work() as session:
        commands.extend_job(session, SYSTEM, job.key, retries=3)
    with pytest.raises(NotFound), engine.unit_of_work() as session:
        commands.extend_job(session, SYSTEM, 999, retries=3)


def test_failed_job_waits_for_its_back_off_and_comes_back(engine: Engine) -> None:
    (key,) = errands.start(engine)
    (job,) = activate(engine)
    fail(engine, job.key, 2, timedelta(hours=1))
    assert activate(engine) == [] and errands.incidents(engine) == []
    errands.change_job(engine, job.key, not_before=clock.wall_now() + PAST)
    (again,) = activate(engine)
    assert (again.retries, again.error_message) == (2, "对方没有应答")
    complete(engine, again.key)
    assert errands.state(engine, key) == "COMPLETED"


def test_job_without_retries_is_an_incident_and_is_done_after_it_is_resolved(engine: Engine) -> None:
    (key,) = errands.start(engine)
    (job,) = activate(engine)
    fail(engine, job.key, 0)
    (incident,) = errands.incidents(engine)
    assert (incident.kind, incident.element_id, incident.details["jobKey"]) == ("JOB_NO_RETRIES", "work", str(job.key))
    assert activate(engine) == []
    with engine.unit_of_work() as session:
        commands.resolve_incident(session, SYSTEM, incident.key)
    (again,) = activate(engine)
    complete(engine, again.key)
    assert (errands.state(engine, key), errands.incidents(engine)) == ("COMPLETED", [])


def test_thrown_error_takes_the_boundary_event(engine: Engine) -> None:
    (key,) = errands.start(engine)
    (job,) = activate(engine)
    with engine.unit_of_work() as session:
        commands.throw_job_error(session, SYSTEM, job.key, "refused", "缺材料", {"missing": 2})
    assert (errands.ended_at(engine, key), errands.job(engine, key).state) == ({"e_refused"}, "ERROR_THROWN")


def test_job_of_a_cancelled_instance_is_cancelled(engine: Engine) -> None:
    (key,) = errands.start(engine)
    (job,) = activate(engine)
    with engine.unit_of_work() as session:
        commands.cancel_instance(session, SYSTEM, key, "撤件")
    row = errands.job(engine, key)
    assert row.state == "CANCELED" and row.ended_at is not None
    with pytest.raises(Conflict):
        complete(engine, job.key)


def test_nothing_is_activated_while_the_case_is_suspended(engine: Engine) -> None:
    (key,) = errands.start(engine)
    errands.suspend(engine, key)
    assert activate(engine) == []
    errands.suspend(engine, key, False)
    assert len(activate(engine)) == 1


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": -1}, {"timeout": timedelta(0)}, {"timeout": timedelta(days=8)}, {"worker": "w" * 101}]
)
def test_impossible_request_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    request: dict[str, Any] = {"worker": "w", "timeout": MINUTE, "limit": 1} | wrong
    with pytest.raises(Invalid), engine.unit_of_work() as session:
        commands.activate_jobs(session, SYSTEM, errands.TYPE, **request)


def test_only_operators_work_on_jobs(engine: Engine) -> None:
    (key,) = errands.start(engine)
    job, nobody = errands.job(engine, key), Actor("nobody")
    for act in (
        lambda s: commands.activate_jobs(s, nobody, errands.TYPE, worker="w", timeout=MINUTE, limit=1),
        lambda s: commands.complete_job(s, nobody, job.key, {}),
        lambda s: commands.fail_job(s, nobody, job.key, retries=1, message=""),
        lambda s: commands.throw_job_error(s, nobody, job.key, "refused", "", {}),
        lambda s: commands.extend_job(s, nobody, job.key, retries=1),
    ):
        with pytest.raises(Forbidden), engine.unit_of_work() as session:
            act(session)
    assert errands.job(engine, key).state == "CREATED"


def test_jobs_with_a_higher_priority_are_given_out_first_and_equal_ones_by_age(engine: Engine) -> None:
    keys = errands.start(engine, 4)
    for key, priority in zip(keys, (0, 5, -1, 5), strict=True):
        errands.change_job(engine, errands.job(engine, key).key, priority=priority)
    order = [job.instance_key for job in [*activate(engine, limit=2), *activate(engine, limit=2)]]
    assert order == [keys[1], keys[3], keys[0], keys[2]]


def test_the_priority_of_the_diagram_reaches_the_job(engine: Engine) -> None:
    priority = '<zeebe:jobPriorityDefinition priority="=number * 10"/>'
    source = doc(START + service("t", errands.TYPE, priority) + END + chain("s", "t", "e"), "ranked")
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("ranked.bpmn", source)])
        for number in (1, 3, 2):
            commands.start_instance(session, SYSTEM, "ranked", {"number": number})
    assert [job.priority for job in activate(engine)] == [30, 20, 10]
