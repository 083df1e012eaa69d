"""A worker that waits for jobs: it gets them when they come, costs nothing meanwhile, and nothing is given to one that has hung up."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from tests.api.conftest import Caller
from webapp.api import waiting
from webapp.api.waiting import TooManyWaiting, Waiting

TAKE = {"type": "platform.code", "timeout": 60_000, "maxJobsToActivate": 5, "requestTimeout": 30_000}


def test_a_waiting_worker_gets_the_job_that_comes(ana: Caller, ada: Caller) -> None:
    ana.deploy("worker.bpmn")
    answers: list[Any] = []
    waits = threading.Thread(target=lambda: answers.append(ada.post("/v2/jobs/activation", TAKE)))
    waits.start()
    key = ana.start("worker")
    waits.join(timeout=30)
    assert [job["processInstanceKey"] for job in answers[0]["jobs"]] == [key]


def test_nothing_comes_and_the_time_is_over(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_SECONDS", 0.01)
    assert ada.post("/v2/jobs/activation", TAKE) == {"jobs": []}


def test_a_worker_that_hung_up_gets_no_jobs(ana: Caller, ada: Caller) -> None:
    ana.deploy("worker.bpmn")
    here, there = socket.socketpair()
    with here:
        looked = threading.Event()
        thread = threading.Thread(
            target=lambda: (ada.call("POST", "/v2/jobs/activation", TAKE, environ_base={"gunicorn.socket": here}), looked.set())
        )
        thread.start()
        there.close()
        thread.join(timeout=30)
    assert looked.is_set()
    ana.start("worker")
    assert [job["state"] for job in ana.found("jobs", deadline={"$exists": False})] == ["CREATED"]


def test_too_many_waiting_are_told_to_come_again(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Waiting, _look: Any, _seconds: float) -> None:
        raise TooManyWaiting

    monkeypatch.setattr(Waiting, "until", full)
    problem = ada.post("/v2/jobs/activation", TAKE, 503)
    assert problem["code"] == "resource_exhausted"
