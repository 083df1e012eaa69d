"""Random diagrams with jobs, listeners, calls, messages and errors x random answers of the host, resident and restored alike: no token is
lost or lives twice, nothing is open that nobody waits for, and an instance ends or names its incident."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given

from engine.bpmn import Completed, Outcome, Pending, parse
from engine.changes import JobOpened, UncaughtThrow, Undoing
from tests.bpmn.diagrams import process
from tests.bpmn.support import NOON, Host, doc
from tests.bpmn.test_random import QUIET, SEEDS, values
from tests.bpmn.test_unstructured import check
from tests.bpmn.twins import Twins
from tests.bpmn.wild import WildWriter

pytestmark = pytest.mark.scaled

STEPS = 120


def perform(job: JobOpened) -> Outcome:
    """Two of three jobs are left to a worker; the same for both twins."""
    return Completed({"done": job.token_id}) if job.token_id % 3 == 0 else Pending()


def of(twins: Twins, kind: str) -> list[int]:
    """What is open and whose token lives (the job of a canceling listener outlives its task)."""
    live = {token.token_id for token in twins.live.live_tokens()}
    return [token for token in sorted(twins.rows.open[kind]) if token in live]


def answer(twins: Twins, rnd: random.Random) -> None:
    """One thing the world does."""
    kinds = [kind for kind in ("tasks", "tasks", "jobs", "jobs", "calls", "messages", "incidents") if of(twins, kind)]
    choice = rnd.random()
    if choice < 0.06 or not kinds:
        twins.do("signal", "S1", {})
        twins.host.at += timedelta(hours=rnd.randint(0, 3))
        if twins.live.state == "ACTIVE":
            twins.do("fire_due", twins.host.at)
        return
    if choice < 0.1:
        twins.do("set_variables", {f"v{rnd.randint(0, 4)}": rnd.random() < 0.5})
        return
    kind = rnd.choice(kinds)
    token = rnd.choice(of(twins, kind))
    {"tasks": on_task, "jobs": on_job, "calls": on_call, "messages": on_message, "incidents": on_incident}[kind](twins, rnd, token)


def on_task(twins: Twins, rnd: random.Random, token: int) -> None:
    if token in twins.rows.open["jobs"] or token in twins.rows.open["incidents"]:
        return  # a listener holds it up
    if rnd.random() < 0.1:
        twins.do("throw_error", token, "E1")
    elif rnd.random() < 0.1:
        twins.do("change_user_task", token, "updating", {"priority": rnd.randint(0, 100)})
    else:
        twins.do("complete_user_task", token, {"done": token})


def on_job(twins: Twins, rnd: random.Random, token: int) -> None:
    choice = rnd.random()
    if choice < 0.1:
        twins.do("throw_error", token, "E1")
    elif choice < 0.2 and token not in twins.rows.open["incidents"]:
        twins.do("raise_incident", token, "JOB_NO_RETRIES", "out of retries")
    elif token not in twins.rows.open["incidents"]:
        twins.do("complete_job", token, {"done": token})


def on_call(twins: Twins, rnd: random.Random, token: int) -> None:
    choice = rnd.random()
    if choice < 0.15:
        twins.do("call_failed", token, UncaughtThrow("error", "E1", "", {}))
    elif choice < 0.3:
        twins.do("call_failed", token, UncaughtThrow("escalation", "X1", "", {}))
    else:
        twins.do("call_completed", token, {}, Undoing(1, [["a", "undo_a", None, {}]]) if choice < 0.6 else None)


def on_message(twins: Twins, _rnd: random.Random, token: int) -> None:
    twins.do("correlate", token, {"paper": token})


def on_incident(twins: Twins, _rnd: random.Random, token: int) -> None:
    twins.do("retry", token)


@given(SEEDS)
@QUIET
def test_random_answers_of_the_host(seed: int) -> None:
    rnd = random.Random(seed)
    writer = WildWriter(rnd)
    xml = doc(process(writer, 2 + seed % 3, writer.listener("top") if seed % 3 == 0 else ""))
    given_values = {**values(rnd), "key": "K"}
    twins = Twins(parse(xml, "wild.bpmn")[0], given_values, Host(at=NOON, jobs={"work": perform}), called=seed % 5 == 0)
    for _ in range(STEPS):
        if twins.live.state != "ACTIVE":
            break
        answer(twins, rnd)
        check(twins)
    if twins.live.state == "ACTIVE":
        twins.do("cancel")
    left = {kind for kind, items in twins.rows.open.items() if items}
    assert left <= {"jobs"} and not twins.rows.tokens
    entered = [e.token_id for e in twins.rows.history if e.kind == "entered"]
    assert sorted(e.token_id for e in twins.rows.history if e.kind != "entered") == sorted(entered)
