"""Two clicks on what operators and applicants do beside the tasks: it is done once, and both get the page that the first has made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from engine import commands
from engine.policy import SYSTEM
from engine.store import batches, reads
from engine.store import models as m
from handlers.calendar import service as calendars
from handlers.directory import service as directory
from handlers.materials import service as materials
from tests.e2e import city
from tests.handlers.test_materials import PDF
from tests.webapp.conftest import Town

OPERATOR = "yunwei"


@pytest.fixture(autouse=True)
def operator(town: Town) -> None:
    with town.engine.unit_of_work() as session:
        if directory.get_user(session, OPERATOR) is None:
            directory.create_demo_user(session, OPERATOR, "运维员", "admin", [])


def sent_together(town: Town, username: str, *sends: Callable[[FlaskClient], Any]) -> list[Any]:
    """Each request from a browser of its own, all at the same moment -> the answers, in order."""
    browsers, start = [town.visit(username) for _send in sends], Barrier(len(sends))

    def run(number: int) -> Any:
        start.wait(timeout=30)
        return sends[number](browsers[number])

    with ThreadPoolExecutor(len(sends)) as pool:
        return list(pool.map(run, range(len(sends))))


def hidden(page: str) -> dict[str, list[str]]:
    """The hidden fields of the page's form."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        found.setdefault(name, []).append(unescape(value))
    return found


def lifecycle(town: Town) -> tuple[int, str]:
    """A fresh project's process instance -> its key, the id of its process."""
    project = town.register()
    with town.engine.reading() as session:
        row = next(row for row in reads.instances_of_business(session, str(project)) if row.parent_key is None)
        return row.key, row.process_id


def trail(town: Town, instance: int, action: str) -> int:
    with town.engine.reading() as session:
        event = m.audit_event.c
        counted = select(func.count()).select_from(m.audit_event).where(event.instance_key == instance, event.action == action)
        return session.scalar(counted) or 0


def test_a_double_click_begins_one_batch(town: Town) -> None:
    key, process = lifecycle(town)
    address = f"/definitions/processes/{process}/runs/batch"
    form = hidden(town.visit(OPERATOR).get(f"{address}?kind=suspend&key={key}").get_data(as_text=True)) | {"reason": ["核查"]}
    other = form | {"reason": ["再核查"]}
    answers = sent_together(town, OPERATOR, *[lambda b, data=data: b.post(address, data=data) for data in (form, form, form, other)])
    first, second, third, fourth = (answer.headers["Location"] for answer in answers)
    assert first == second == third != fourth, "the same page with other words is another batch"
    assert trail(town, key, "instance.suspended") == 1
    with town.engine.reading() as session:
        batch = batches.progress(session, int(first.rsplit("/", 1)[1]))
    assert (batch.total, batch.parameters) == (1, {}), "how it was asked for is nobody's business"


def test_a_double_click_tries_the_failed_again_once(town: Town) -> None:
    key, _process = lifecycle(town)
    with town.engine.unit_of_work() as session:
        failed = commands.create_batch(session, SYSTEM, "resume", [key], reason="没有暂停，必定失败")
    form = hidden(town.visit(OPERATOR).get(f"/batches/{failed}").get_data(as_text=True))
    answers = sent_together(town, OPERATOR, *[lambda b: b.post(f"/batches/{failed}/again", data=form)] * 3)
    assert len({answer.headers["Location"] for answer in answers}) == 1
    again = town.visit(OPERATOR).post(f"/batches/{failed}/again", data=hidden(town.visit(OPERATOR).get(f"/batches/{failed}").text))
    assert again.headers["Location"] != answers[0].headers["Location"], "a page that was opened anew asks anew"


def test_a_double_click_modifies_an_instance_once(town: Town) -> None:
    key, _process = lifecycle(town)
    page = town.visit(OPERATOR).get(f"/instances/{key}/modify").get_data(as_text=True)
    found = re.search(r"<script[^>]*data-choices[^>]*>(.*?)</script>", page, re.S)
    assert found is not None
    word = json.loads(found[1])["request"]
    with town.engine.reading() as session:
        element = next(row.element_id for row in reads.element_history(session, key) if row.state == "ACTIVE")
    body = {"activateInstructions": [{"elementId": element}], "reason": "补一个令牌", "request": word}
    variables = {"variables": [{"scopeKey": str(key), "name": "checked", "value": True}], "reason": "核对", "request": word}
    sends = [lambda b, json=json: b.post(f"/instances/{key}/modify", json=json) for json in (body, body, body, variables, variables)]
    answers = sent_together(town, OPERATOR, *sends)
    assert {answer.get_json()["url"] for answer in answers} == {f"/instances/{key}"}
    assert (trail(town, key, "instance.modified"), trail(town, key, "variables.set")) == (1, 1)


def test_a_double_click_uploads_one_version(town: Town) -> None:
    project = town.register()

    def send(name: str, content: bytes) -> Callable[[FlaskClient], Any]:
        fields = lambda: {"item": "总平面图", "file": (BytesIO(content), name)}
        return lambda b: b.post(f"/projects/{project}/materials", data=fields(), headers={"Accept": "application/json"})

    answers = sent_together(town, city.APPLICANT, *[send("a.pdf", PDF)] * 3)
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    sent_together(town, city.APPLICANT, send("a.pdf", PDF + b"\n%%EOF\n"))
    sent_together(town, city.APPLICANT, send("a.pdf", PDF))
    with town.engine.reading() as session:
        assert [one.version for one in materials.materials_of(session, project)] == [3, 2, 1], "back to an earlier content is a version"


def test_a_double_click_imports_one_notice_and_takes_it_back_once(town: Town) -> None:
    form = {"year": "2027", "source": "国办发明电〔2026〕9号", "text": "2027-03-10,off,肉孜节\n2027-02-06,work,调休"}
    answers = sent_together(town, OPERATOR, *[lambda b: b.post("/calendar/apply", data=form)] * 3)
    assert {answer.status_code for answer in answers} == {302}
    with town.engine.reading() as session:
        (notice,) = calendars.notices(session)
    answers = sent_together(town, OPERATOR, *[lambda b: b.post(f"/calendar/{notice.id}/undo", data={"year": "2027"})] * 3)
    assert {answer.headers["Location"] for answer in answers} == {"/calendar?year=2027"}
    with town.engine.reading() as session:
        event = m.audit_event.c
        actions = list(session.scalars(select(event.action).where(event.action.startswith("calendar.")).order_by(event.id)))
    assert actions == ["calendar.notice_applied", "calendar.notice_undone"]
