"""The live stream: who hears what, how long, and how many places one person may take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine import Engine
from engine.policy import SYSTEM
from engine.store import audit
from handlers.directory import service as directory
from tests.webapp.conftest import Town, log_in
from webapp import live
from webapp.live import MAX_OF_ONE_PERSON, Hub


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.2)


def _open(client: FlaskClient) -> TestResponse:
    return client.get("/live", buffered=False)


def _lines(answer: TestResponse, count: int) -> list[str]:
    stream = cast(Iterator[bytes], iter(answer.response))
    return [next(stream).decode() for _ in range(count)]


def _happen(engine: Engine, project: str) -> None:
    with engine.unit_of_work() as session:
        audit.record(session, SYSTEM, "something.happened", root_key=1, business_id=project)


def test_an_applicant_hears_of_the_own_projects_only(town: Town) -> None:
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, "rival") is None:
            directory.create_demo_user(session, "rival", "别家企业", "investor", organisation="别家企业有限公司")
    own, foreign = _open(town.visit("school")), _open(town.visit("rival"))
    for stream in (own, foreign):
        _lines(stream, 1)
    _happen(town.engine, str(town.project))
    assert f'data: ["{town.project}"]' in "".join(_lines(own, 3))
    assert "changed" not in "".join(_lines(foreign, 3))
    own.close()
    foreign.close()


def test_the_stream_ends_with_the_log_in(app: Flask, people: Engine) -> None:
    client = log_in(app, "li")
    answer = _open(client)
    _lines(answer, 1)
    client.post("/logout")
    rest = [line.decode() for line in cast(Iterator[bytes], answer.response)]  # ends by itself
    assert all(line.startswith(":") for line in rest)


def test_a_look_at_the_headers_takes_no_place(app: Flask) -> None:
    client = log_in(app, "li")
    for _ in range(live.MAX_LISTENERS + 1):
        assert client.head("/live").status_code == 200
    answer = _open(client)
    assert answer.status_code == 200
    answer.close()


def test_a_stream_that_nobody_read_gives_its_place_back(app: Flask) -> None:
    client = log_in(app, "li")
    for _ in range(MAX_OF_ONE_PERSON + 1):
        answer = _open(client)
        assert answer.status_code == 200
        answer.close()


def test_one_person_cannot_take_every_place(engine: Engine) -> None:
    hub = Hub(engine, poll_seconds=0.02)
    assert all(hub.listen("li") is not None for _ in range(MAX_OF_ONE_PERSON))
    assert hub.listen("li") is None
    assert hub.listen("wang") is not None
    hub.close()
